"""What a person is asked before something that is not easily taken back; a script says --yes."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.cli.exits import CommandError
from quarterdeck.cli.runtime import Cli
from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import Risk


def agree_to_action(cli: Cli, action: Action, ids: Sequence[int], yes: bool) -> None:
    """High risk is asked about. Raises CommandError where nobody agrees."""
    if action.risk is not Risk.HIGH or yes:
        return
    what = f"{action.label} {', '.join(map(str, ids))}"
    if not cli.interactive:
        raise CommandError(f"{what} is a high-risk action; give --yes to carry it out.")
    if cli.ask(f"{what}? This is a high-risk action. Type yes to go on: ").lower() != "yes":
        raise CommandError("Nothing was done.")


def agree_to_delete(cli: Cli, what: str, yes: bool, *, also: str = "") -> None:
    """`also`: what follows from it, a sentence. Raises CommandError where nobody agrees."""
    if yes:
        return
    if not cli.interactive:
        raise CommandError(f"Nothing was deleted. Give --yes to delete {what}.")
    if not said_yes(cli, f"Delete {what}?{' ' if also else ''}{also}"):
        raise CommandError("Nothing was deleted.")


def said_yes(cli: Cli, question: str) -> bool:
    return cli.ask(f"{question} [y/N] ").lower() in ("y", "yes")
