"""Why an item was refused, in one sentence."""

from __future__ import annotations

from quarterdeck.contract.problems import Code


def sentence(
    code: Code | str, label: str, status: str | None, states: str, holder: str | None = None, to: str | None = None
) -> str:
    """`status` is the state the item was seen in; `states` those the action applies to; `to` where it leads."""
    cannot = f"it is {status} and cannot become {to}" if to else f"it is {status}"
    known = {
        Code.WRONG_STATE: f"{cannot}; {label} applies to {states or 'no state'}.",
        Code.UNCHANGED: "it already is so; nothing would change.",
        Code.ALREADY_ASSIGNED: f"{holder or 'somebody else'} has it; ask them to release it.",
        Code.NOT_YOURS: f"{holder or 'nobody'} has it, not you.",
        Code.NOT_FOUND: "there is no such item here; it may be in the bin or belong to another tenant.",
        Code.CHANGED_SINCE: "it was changed by somebody else in the meantime; look again, then retry.",
    }
    return known.get(Code(code), f"{label} failed ({code}).")
