"""Taking back what I did last, wherever it was done; or why that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.operations import items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.bulk.flow import take_back
from quarterdeck.tui.session import Act

if TYPE_CHECKING:
    from quarterdeck.tui.screens.base import ConsoleScreen

# Refusals of an undo that will be the same the next time.
_FOR_GOOD = (Code.CHANGED_SINCE, Code.NOT_UNDOABLE, Code.NOT_FOUND, Code.WRONG_STATE, Code.UNCHANGED)


def undo(screen: ConsoleScreen) -> None:
    """The last thing first, of which there is one; `screen` says what became of it."""
    session = screen.console.session
    act = session.acts[-1]
    if act.why_not:
        session.acts.remove(act)
        screen.notice(f"{act.label} cannot be taken back: {act.why_not}.{_next(screen, act)}", "warning")
        return
    screen.run_worker(_told(screen, act), group="acting")


async def _told(screen: ConsoleScreen, act: Act) -> None:
    session = screen.console.session
    try:
        if act.operation_id:
            if await take_back(screen.console, act.operation_id, "u"):
                session.acts.remove(act)
            return
        row = await _carry_out(screen, act)
    except FAILURES as error:
        if isinstance(error, Problem) and error.code in _FOR_GOOD:
            session.acts.remove(act)
        screen.notice(f"{act.label} was not taken back: {sentence(error)}{_next(screen, act)}", "error")
        screen.taken_back(act, None)
        return
    session.acts.remove(act)
    again = f" It is {row['status'].replace('_', ' ')} again." if row is not None else ""
    screen.notice(f"Taken back: {act.label}.{again}{_next(screen, act)}", "success")
    screen.taken_back(act, row)


async def _carry_out(screen: ConsoleScreen, act: Act) -> Mapping[str, Any] | None:
    """The row as it is again, where it is one of a list."""
    if act.back is not None:
        return await act.back()
    result = await screen.console.session.client.call(
        items.UNDO, resource=act.resource, id=act.item_id, event_id=act.event_id
    )
    row: Mapping[str, Any] = result["item"]
    return row


def _next(screen: ConsoleScreen, act: Act) -> str:
    """What the undo key would take back now, where that is about something else than `act` was."""
    acts = screen.console.session.acts
    following = acts[-1] if acts else act
    if (following.resource, following.item_id, following.operation_id) == (act.resource, act.item_id, act.operation_id):
        return ""
    return f" {screen.key('undo')} now takes back {following.label}."
