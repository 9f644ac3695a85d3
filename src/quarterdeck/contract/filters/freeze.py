"""Relative times become absolute when a selection is made, so that it means the same later."""

from __future__ import annotations

from quarterdeck.contract.clock import DAY, to_datetime, to_ms
from quarterdeck.contract.filters.ast import (
    Between,
    Compare,
    Condition,
    Equals,
    Filter,
    Instant,
    Term,
    at_text,
)
from quarterdeck.contract.filters.keys import BY_CLOCK, KEYS, KeyKind


def freeze(filter_: Filter, *, now: int, me: str) -> Filter:
    """The same filter with every relative time made absolute (as of `now`, ms) and `me` named."""
    return Filter(tuple(_term(term, now, me) for term in filter_.terms))


def _term(term: Term, now: int, me: str) -> Term:
    key = KEYS.get(term.key)
    if key is None:
        return term
    if key.kind is KeyKind.PERSON:
        mine = Equals(me, exact=me.lower() in key.choices)
        swapped = tuple(mine if c == Equals("me") else c for c in term.conditions)
        return Term(term.key, swapped, term.negated, term.column)
    if key.name == "is" and Equals("overdue") in term.conditions and len(term.conditions) == 1:
        return Term("due", (_overdue(now),), term.negated, term.column)
    if key.kind not in (KeyKind.PAST, KeyKind.FUTURE):
        return term
    if any(isinstance(each, Equals) and each.value in BY_CLOCK for each in term.conditions):
        return Term("is", term.conditions, term.negated, term.column)
    return Term(term.key, tuple(_condition(c, now) for c in term.conditions), term.negated, term.column)


def _condition(condition: Condition, now: int) -> Condition:
    if isinstance(condition, Compare):
        fixed = _fixed(condition.instant, now)
        return Compare(condition.op, fixed, f"{condition.op}{fixed.text}")
    if isinstance(condition, Between):
        start, end = _fixed(condition.start, now), _fixed(condition.end, now)
        if (end.at or 0) < (start.at or 0):  # a date and an age can cross; nothing lies between them
            end = start
        return Between(start, end, f"{start.text}..{end.text}")
    if condition.value == "overdue":
        return _overdue(now)
    days = {"yesterday": -1, "today": 0, "tomorrow": 1}
    if condition.value in days:
        midnight = to_ms(to_datetime(now).replace(hour=0, minute=0, second=0, microsecond=0))
        first = midnight + days[condition.value] * DAY
        return _range(first, first + DAY)
    return condition


def _overdue(now: int) -> Compare:
    return Compare("<", Instant(at_text(now), at=now), f"<{at_text(now)}")


def _range(start: int, end: int) -> Between:
    return Between(
        Instant(at_text(start), at=start), Instant(at_text(end), at=end), f"{at_text(start)}..{at_text(end)}"
    )


def _fixed(instant: Instant, now: int) -> Instant:
    at = instant.resolve(now)
    return Instant(at_text(at), at=at)
