"""What the console remembers, and what it does with a damaged memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quarterdeck.contract.enums import Resource
from quarterdeck.tui.state import ConsoleState, View, load, save


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    state = ConsoleState(
        "operations", Resource.RETURNS, {"returns": View("status:requested", "-due", 7)}, True, "daylight"
    )
    assert save(tmp_path / "console.json", state) == ""
    assert load(tmp_path / "console.json") == (state, "")
    assert [path.name for path in tmp_path.iterdir()] == ["console.json"]


def test_the_first_start_has_nothing_to_say(tmp_path: Path) -> None:
    assert load(tmp_path / "console.json") == (ConsoleState(), "")


WHOLE = {"format": 1, "screen": "queue", "resource": "returns", "views": {}, "detail": False, "theme": ""}
VIEW = {"filter": "", "sort": "due", "cursor": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        json.dumps({"format": 2}),
        json.dumps({**WHOLE, "screen": "nowhere"}),
        json.dumps({**WHOLE, "resource": "gifts"}),
        json.dumps({**WHOLE, "views": {"returns": {**VIEW, "filter": 3}}}),
        json.dumps({**WHOLE, "views": {"returns": {**VIEW, "sort": "colour"}}}),
    ],
)
def test_a_damaged_file_is_ignored_with_a_notice(tmp_path: Path, text: str) -> None:
    path = tmp_path / "console.json"
    path.write_text(text)
    state, notice = load(path)
    assert state == ConsoleState()
    assert "damaged" in notice


def test_where_nothing_can_be_written_there_is_a_sentence(tmp_path: Path) -> None:
    assert "could not be written" in save(tmp_path / "missing" / "console.json", ConsoleState())
