"""Keys are data: remapped in the config, never two things on one key."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.contract.actions import ACTIONS
from quarterdeck.contract.enums import MachineResource, Resource
from quarterdeck.tui.commands import COMMANDS, PLACES
from quarterdeck.tui.keymap import Keymap, KeymapError, pressed, shown


def test_every_action_can_be_reached_by_a_key_in_its_list() -> None:
    keymap = Keymap()
    for (resource, verb), action in ACTIONS.items():
        bound = keymap.lookup(resource, action.key)
        assert bound is not None
        assert bound.name == verb


def test_every_command_can_be_reached_somewhere() -> None:
    keymap = Keymap()
    reached = {bound.name for place in PLACES for bound in keymap.bound(place)}
    assert {command.name for command in COMMANDS} <= reached


def test_a_list_of_machine_work_is_marked_and_filtered_but_nothing_is_claimed_there() -> None:
    keymap = Keymap()
    for place in MachineResource:
        names = {bound.name for bound in keymap.bound(place)}
        assert {"mark", "range", "mark-all", "filter", "sort", "bring-in", "retry", "undo", "help"} <= names
        assert not {"claim-next", "skip", "assign", "operation-retry"} & names


def test_a_remapped_key_moves_the_command() -> None:
    keymap = Keymap({"assign": "w"})
    bound = keymap.lookup(Resource.SUPPORT_TASKS, "w")
    assert bound is not None
    assert bound.name == "assign"
    assert keymap.lookup(Resource.SUPPORT_TASKS, "a") is None


def test_a_clash_names_both() -> None:
    with pytest.raises(KeymapError, match=r"'n' is both 'claim-next' and 'assign'"):
        Keymap({"assign": "n"})


def test_the_file_with_the_mistake_is_named() -> None:
    path = Path("/home/olga/.quarterdeck/config.toml")
    for mistake in ({"assign": "n"}, {"asign": "w"}, {"assign": "ctrl+p"}):
        with pytest.raises(KeymapError, match=str(path)):
            Keymap(mistake, path)


def test_two_commands_can_change_places() -> None:
    keymap = Keymap({"assign": "n", "claim-next": "a"})
    bound = keymap.lookup(Resource.RETURNS, "a")
    assert bound is not None
    assert bound.name == "claim-next"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"asign": "w"}, "there is no command 'asign'. Did you mean 'assign'"),
        ({"assign": "ctrl+p"}, "'ctrl\\+p' is not a key for 'assign'"),
        ({"assign": ""}, "'' is not a key for 'assign'"),
    ],
)
def test_a_mistake_says_what_is_wrong(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(KeymapError, match=sentence):
        Keymap(changes)


def test_keys_are_written_as_people_write_them() -> None:
    assert [shown(key) for key in ("escape", "pageup", "f1", "f", "space")] == ["esc", "pgup", "F1", "f", "space"]
    assert pressed("upper_g", "G") == "G"
    assert pressed("space", " ") == "space"
    assert pressed("slash", "/") == "/"
