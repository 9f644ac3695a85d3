"""Why something was refused, in one sentence."""

from __future__ import annotations

from quarterdeck.contract.problems import Code


def sentence(
    code: Code | str,
    label: str,
    status: str | None,
    states: str,
    holder: str | None = None,
    to: str | None = None,
    noun: str = "item",
) -> str:
    """`status` is the state it was seen in; `states` those the action applies to; `to` where it leads."""
    gone = "it may be in the bin" if noun == "item" else "it may have been removed"
    cannot = f"it is {status} and cannot become {to}" if to else f"it is {status}"
    known = {
        Code.WRONG_STATE: f"{cannot}; {label} applies to {states or 'no state'}.",
        Code.UNCHANGED: "it already is so; nothing would change.",
        Code.ALREADY_ASSIGNED: f"{holder or 'somebody else'} has it; ask them to release it.",
        Code.NOT_YOURS: f"{holder or 'nobody'} has it, not you.",
        Code.NOT_FOUND: f"there is no such {noun} here; {gone} or belong to another tenant.",
        Code.NOTHING_TO_RETRY: "no dead letter behind it waits for a retry; look at what became of it.",
        Code.NO_QUEUE: "its queue no longer exists; make the queue again, then retry.",
        Code.ENGINES_OWN: "it is the engine's own work; act on the bulk operation it belongs to.",
        Code.CHANGED_SINCE: "it was changed by somebody else in the meantime; look again, then retry.",
    }
    return known.get(Code(code), f"{label} failed ({code}).")
