"""The rows of each table, in the order that was chosen. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

from quarterdeck.tui.screens.usage.columns import LIMIT_COLUMNS, STEP_COLUMNS, TENANT_COLUMNS
from quarterdeck.tui.screens.usage.figures import Figures, Row
from quarterdeck.tui.widgets.rows import Column

Key = Callable[[Row], Any]


class Order(NamedTuple):
    """`column`: the one whose title says so."""

    said: str
    column: str
    descending: bool
    key: Key


def _by(*names: str) -> Key:
    return lambda row: tuple(row[name] for name in names)


class View(Enum):
    """A table. Its value names it on the screen."""

    TENANTS = "tenants"
    STEPS = "steps"
    LIMITS = "limits"

    @property
    def title(self) -> str:
        return _TITLES[self]

    @property
    def noun(self) -> str:
        return "limits" if self is View.LIMITS else "rows"

    @property
    def empty(self) -> str:
        return _EMPTY[self]

    @property
    def columns(self) -> tuple[Column, ...]:
        return _COLUMNS[self]

    @property
    def orders(self) -> Sequence[Order]:
        return _ORDERS[self]

    def key(self, row: Row) -> object:
        """What names a row."""
        return tuple(row[name] for name in _KEYS[self])


_USED = (
    "Nothing was used in this time.\nThe engine counts calls, items, runs, events and notifications by itself. "
    "Other systems post theirs: POST /api/v1/usage/events, or qd usage record sms_sent 30 --tenant acme"
)
_TITLES = {View.TENANTS: "by tenant", View.STEPS: "by time", View.LIMITS: "limits"}
_EMPTY = {
    View.TENANTS: _USED,
    View.STEPS: _USED,
    View.LIMITS: "No limit is set.\nqd usage set-limit api_calls 100000 --period month",
}
_COLUMNS = {View.TENANTS: TENANT_COLUMNS, View.STEPS: STEP_COLUMNS, View.LIMITS: LIMIT_COLUMNS}
_KEYS = {
    View.TENANTS: ("tenant_id", "resource_type"),
    View.STEPS: ("start", "resource_type"),
    View.LIMITS: ("tenant_id", "resource_type", "period"),
}
_MOST = Order("most used first", "quantity", True, _by("quantity"))
_KIND = Order("by resource type", "resource", False, lambda row: (row["resource_type"], -row["quantity"]))
_ORDERS: dict[View, Sequence[Order]] = {
    View.TENANTS: (
        _KIND,
        _MOST,
        Order("by tenant", "tenant", False, _by("tenant_id", "resource_type")),
    ),
    View.STEPS: (
        Order("newest first", "when", True, lambda row: row["start"]),
        Order("oldest first", "when", False, _by("start", "resource_type")),
        Order("by resource type", "resource", False, _by("resource_type", "start")),
        _MOST,
    ),
    View.LIMITS: (
        Order("fullest first", "full", True, lambda row: row["used"] / row["limit"]),
        Order("by tenant", "tenant", False, _by("tenant_id", "resource_type", "period")),
        Order("by resource type", "resource", False, lambda row: (row["resource_type"], -row["used"] / row["limit"])),
    ),
}


def complete(figures: Figures, view: View) -> bool:
    """Whether the table holds all that there is."""
    if view is View.TENANTS:
        return figures.tenants is None or figures.tenants.complete
    return view is View.LIMITS or figures.steps.complete


def rows_of(figures: Figures, view: View, order: Order) -> list[dict[str, Any]]:
    made = {View.TENANTS: _tenants, View.STEPS: _steps, View.LIMITS: _limits}[view](figures)
    return sorted(made, key=order.key, reverse=order.descending)


def _tenants(figures: Figures) -> list[dict[str, Any]]:
    found = figures.tenants.rows if figures.tenants is not None else ()
    wholes: dict[str, int] = defaultdict(int)
    for row in found:
        wholes[row["resource_type"]] += row["quantity"]
    if not complete(figures, View.TENANTS):
        wholes |= {card.kind: card.quantity for card in figures.cards}
    limits: dict[tuple[str, str], Row] = {}
    for limit in figures.limits:  # the fullest comes first
        limits.setdefault((limit["tenant_id"], limit["resource_type"]), limit)
    return [
        {
            **row,
            "whole": wholes[row["resource_type"]],
            "limit": limits.get((row["tenant_id"], row["resource_type"])),
        }
        for row in found
    ]


def _steps(figures: Figures) -> list[dict[str, Any]]:
    highest: dict[str, int] = defaultdict(int)
    for row in figures.steps.rows:
        highest[row["resource_type"]] = max(highest[row["resource_type"]], row["quantity"])
    step = str(figures.asked.time.step)
    return [{**row, "highest": highest[row["resource_type"]], "step": step} for row in figures.steps.rows]


def _limits(figures: Figures) -> list[dict[str, Any]]:
    return [dict(row) for row in figures.limits]
