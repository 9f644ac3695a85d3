"""From an exception to the dead letter and the run behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import MachineResource, Resource
from quarterdeck.contract.operations import dead_letters, items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.failures import FAILURES, sentence

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console


async def see(console: Console, row: Mapping[str, Any], what: str) -> None:
    """Go to the dead letter (`see-dead-letter`), or to its newest retry or first run (`see-run`)."""
    try:
        letter = await _letter_of(console, int(row["id"]))
    except FAILURES as error:
        console.notice(sentence(error), "error")
        return
    if letter is None:
        console.notice(f"There is no dead letter behind #{row['id']} any more.", "warning")
    elif what == "see-dead-letter":
        console.everywhere.visit(MachineResource.DEAD_LETTERS, int(letter["id"]))
    elif number := letter.get("retry_run_id") or letter.get("run_id"):
        console.everywhere.visit(MachineResource.RUNS, int(number))
    else:
        console.notice("It has no run here: another system posted it, and nobody has retried.", "warning")


async def _letter_of(console: Console, number: int) -> Mapping[str, Any] | None:
    client = console.session.client
    item = await client.call(items.SHOW, resource=Resource.EXCEPTIONS, id=number)
    letter = (item.get("fields") or {}).get("dead_letter")
    if not isinstance(letter, int):
        return None
    try:
        found: Mapping[str, Any] = (await client.call(dead_letters.SHOW, id=letter))["dead_letter"]
    except Problem as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return None
    return found
