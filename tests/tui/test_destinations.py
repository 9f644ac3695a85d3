"""Where `:` leads."""

from __future__ import annotations

import pytest

from quarterdeck.contract.enums import Resource
from quarterdeck.tui.destinations import Command, Destination, ItemPlace, NowhereError, Operations, Queue, find, offers


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("returns", Queue(Resource.RETURNS)),
        ("ret", Queue(Resource.RETURNS)),
        ("support_tasks status:open", Queue(Resource.SUPPORT_TASKS, "status:open")),
        ("42", ItemPlace(42)),
        ("#42", ItemPlace(42)),
        ("operations", Operations()),
        ("op 7", Operations(7)),
        ("operation #7", Operations(7)),
        ("help", Command("help")),
        ("q", Command("quit")),
    ],
)
def test_it_leads_there(text: str, place: Destination) -> None:
    assert find(text) == place


@pytest.mark.parametrize("text", ["", "nowhere", "42 43", "operation seven", "returns statu:open", "help me", "²"])
def test_it_leads_nowhere_and_says_so(text: str) -> None:
    with pytest.raises(NowhereError):
        find(text)


def test_everything_that_is_offered_leads_somewhere() -> None:
    for text, _ in offers():
        find(text)
