"""The command line is made from the contract."""

from __future__ import annotations

import subprocess
import sys

import pytest

from quarterdeck.cli import app, forms, main, model_options
from quarterdeck.cli.bulk_flow import start_time
from quarterdeck.cli.exits import CommandError
from quarterdeck.cli.runtime import COMMANDS
from quarterdeck.contract.actions import actions_for, find_action, item_actions
from quarterdeck.contract.enums import MachineResource, Resource
from quarterdeck.contract.models.queues import QueueChange, QueueSettings


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {}),
        (["--read-only"], {"read_only": True}),
        (["--home", "/x", "--theme=daylight"], {"home": "/x", "theme": "daylight"}),
        (["--home"], None),
        (["--help"], None),
        (["items"], None),
        (["--read-only", "doctor"], None),
    ],
)
def test_plain_qd_is_the_console(arguments: list[str], options: dict[str, object] | None) -> None:
    assert main.console_options(arguments) == options


def test_plain_qd_reads_no_command_line_library() -> None:
    script = (
        "import sys; from quarterdeck.cli import main; from quarterdeck.tui import launch;"
        "launch.run = lambda home, **options: print(home, options) or 0; main.run(['--home', '/x', '--read-only']);"
        "print(sorted({'typer', 'click', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["/x {'read_only': True}", "[]"]


def test_every_action_is_a_command() -> None:
    assert app.app is not None
    assert {("items", action.verb) for action in item_actions()} <= set(COMMANDS)
    assert {("runs", action.verb) for action in actions_for(MachineResource.RUNS)} <= set(COMMANDS)
    letters = {action.verb for action in actions_for(MachineResource.DEAD_LETTERS)}
    assert {("dlq", verb) for verb in letters - {"edit-retry"}} <= set(COMMANDS)  # that one is qd dlq retry --payload


def test_every_parameter_of_every_action_is_an_option() -> None:
    for action in item_actions():
        named = [parameter.name for parameter in forms.options(action)]
        assert named == list(action.params.load().model_fields)


def test_whatever_a_queue_can_be_told_is_an_option() -> None:
    named = {parameter.name for parameter in model_options.options(QueueSettings)}
    assert {"concurrency", "backoff_base", "backoff_cap", "keep_dead_days", "exceptions"} <= named
    told = dict.fromkeys(named) | {"backoff_base": 2.0, "tenant_concurrency": "none", "concurrency": 4}
    limits = ("tenant_concurrency",)
    wanted = {"backoff": {"base": 2.0}, "tenant_concurrency": None, "concurrency": 4}
    assert model_options.chosen(QueueChange, told, limits) == wanted
    with pytest.raises(CommandError, match="--backoff-base must be at least 0"):
        model_options.chosen(QueueChange, {"backoff_base": -1.0})
    with pytest.raises(CommandError, match="--tenant-concurrency takes a number or none, not 'few'"):
        model_options.chosen(QueueChange, {"tenant_concurrency": "few"}, limits)


def test_an_empty_assignee_is_nobody() -> None:
    assign = find_action(Resource.RETURNS, "assign")
    assert assign is not None
    assert forms.params(assign, {"assignee": "", "reason": None}) == {"assignee": None}


def test_every_command_has_help_with_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for words in COMMANDS:
        assert main.run([*words, "--help"]) == 0, words
        shown = " ".join(capsys.readouterr().out.split())
        assert "Exit codes: 0 done" in shown, words
        assert "--json" in shown, words


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("qd ")


def test_a_start_time_without_an_offset_is_local() -> None:
    assert start_time("2026-01-31T08:00:00+02:00") == "2026-01-31T08:00:00+02:00"
    assert "+" in start_time("2026-01-31T08:00") or "-" in start_time("2026-01-31T08:00")[10:]
    with pytest.raises(CommandError, match="soon"):
        start_time("soon")
