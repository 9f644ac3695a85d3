"""The help page names every key that does something."""

from __future__ import annotations

import pytest

from quarterdeck.tui.commands import PLACES, Place
from quarterdeck.tui.keymap import Keymap, shown
from quarterdeck.tui.screens.help import help_lines


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_every_command_of_a_screen_stands_in_its_help(place: Place) -> None:
    bound = Keymap().bound(place)
    said = ["".join(text for text, _ in line) for line in help_lines(bound, lambda _: None, 100)]
    for each in bound:
        keys = " ".join(shown(key) for key in each.command.keys)
        assert any(keys in line and each.command.label[:14] in line for line in said), each.name
