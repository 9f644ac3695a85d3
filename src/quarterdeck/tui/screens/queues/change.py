"""The dialog that changes the limits of a queue. What is allowed is read from the contract's model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.operations import queues
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.prompt import Prompt, Values
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

Row = Mapping[str, Any]
# name, title, hint, whether it may be empty
_FIELDS = (
    ("concurrency", "At once", "runs that are active together", False),
    ("tenant_concurrency", "A tenant", "of these, for one tenant; empty: no limit", True),
    ("rate_per_second", "Rate", "runs started a second; empty: no limit", True),
    ("max_attempts", "Attempts", "until a run is dead", False),
    ("timeout_seconds", "Timeout", "seconds for one attempt", False),
)
_REASON = Field("reason", "Reason", "for the audit log; may be empty", False, True)


async def ask_for_change(console: Console, row: Row) -> dict[str, Any] | None:
    """What is to be different, and the reason; None where somebody thought better of it."""
    assert queues.CHANGE.request is not None
    model = await asyncio.to_thread(queues.CHANGE.request.load)  # pydantic comes with it, beside the screen
    limits = {name: _limits(shape) for name, shape in model.model_json_schema()["properties"].items()}
    given = {name: _shown(row["settings"][name]) for name, *_ in _FIELDS}
    asked = await console.push_screen_wait(_ChangeQueue(row, limits, given, console.session.keymap.key("queue-change")))
    if asked is None:
        return None
    changes: dict[str, Any] = {
        name: _number(asked[name] or "") if asked[name] else None
        for name in given
        if (asked[name] or "") != given[name]
    }
    return changes | ({"reason": asked["reason"]} if asked["reason"] else {})


class _ChangeQueue(Prompt):
    """Says what is wrong with a value, and stays until it is right."""

    def __init__(self, row: Row, limits: Mapping[str, Row], given: Mapping[str, str], opened_with: str) -> None:
        fields = [Field(name, title, hint, not empty, empty) for name, title, hint, empty in _FIELDS]
        super().__init__(
            [("Change ", "title"), (safe(row["name"]), "accent")],
            "changes it at once",
            [*fields, _REASON],
            given=given,
            opened_with=opened_with,
        )
        self._limits, self._titles = limits, {field.name: field.title for field in fields}

    def _submit(self) -> None:
        values: Values = self._form.values()
        for name, title in self._titles.items():
            wrong = what_is_wrong(values[name], self._limits[name]) if values[name] else ""
            if wrong:
                self._form.focus_field(name)
                self.call_after_refresh(self.say_keys, [(f"{title} {wrong}.", "error")])
                return
        super()._submit()


def what_is_wrong(text: str | None, limits: Row) -> str:
    """`must be a whole number`, `must be 1 to 10,000`; empty where nothing is. `limits`: a JSON schema of a number."""
    try:
        number = _number(text or "")
    except ValueError:
        return "must be a whole number" if limits.get("type") == "integer" else "must be a number, such as 2.5"
    if limits.get("type") == "integer" and number != int(number):
        return "must be a whole number"
    low, above, high = limits.get("minimum"), limits.get("exclusiveMinimum"), limits.get("maximum")
    if (low is not None and number < low) or (above is not None and number <= above) or (high and number > high):
        bottom = f"{low:,}" if low is not None else f"more than {above:,}"
        return f"must be {bottom} to {high:,}" if low is not None else f"must be {bottom}, and at most {high:,}"
    return ""


def _number(text: str) -> int | float:
    """Raises ValueError for what is no number, and for those that are none to count with."""
    text = text.strip()
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if number in (float("inf"), float("-inf")) or number != number:
            raise ValueError(text) from None
        return int(number) if number == int(number) else number


def _limits(shape: Row) -> Row:
    """The part of a member's schema that speaks of a number; empty where none does."""
    found: Row = next((each for each in shape.get("anyOf", [shape]) if each.get("type") in ("integer", "number")), {})
    return found


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if value < 1_000_000 else str(value)
