"""What usage is shown by: totals beside the period before, steps over time, rows by tenant, and limits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from quarterdeck.contract.clock import iso
from quarterdeck.contract.enums import Metered, Period
from quarterdeck.contract.operations import usage
from quarterdeck.tui.format import moment
from quarterdeck.tui.periods import end_of
from quarterdeck.tui.screens.usage.times import Time

Row = Mapping[str, Any]
MOST_ROWS = 3_000  # in memory, and sorted within a frame; the rest is for the export
_AT_ONCE = 1_000
NEAR = 80  # per cent of a limit, from which it presses
_KNOWN = [str(each) for each in Metered]


class Asked(NamedTuple):
    """Whose usage, of what, of which time; empty words narrow nothing."""

    time: Time
    tenant: str = ""
    kind: str = ""

    @property
    def query(self) -> dict[str, object]:
        found: dict[str, object] = {"since": iso(self.time.start), "until": iso(self.time.end)}
        if self.tenant:
            found["tenant"] = self.tenant
        if self.kind:
            found["resource_type"] = self.kind
        return found


class Rows(NamedTuple):
    """`complete` where none was left out."""

    rows: Sequence[Row]
    complete: bool


class Card(NamedTuple):
    """Of one resource type: what was used, and by this point of the period before (None: not known).

    `limits`: the nearest to its end first. `now` and `before`: by step, None where it is still to come.
    """

    kind: str
    quantity: int
    then: float | None
    limits: Sequence[Row]
    now: Sequence[float | None]
    before: Sequence[float | None]


class Figures(NamedTuple):
    """`at`: when, in milliseconds. `tenants`: None where nobody looks at them."""

    asked: Asked
    at: int
    cards: Sequence[Card]
    steps: Rows
    tenants: Rows | None
    limits: Sequence[Row]


async def fetch(client: Any, asked: Asked, now: int, *, by_tenant: bool) -> Figures:
    """Raises Problem and Unreachable."""
    time = asked.time
    trend = {**asked.query, "since": iso(time.before), "step": str(time.step)}
    by = {**asked.query, "step": str(time.period), "by_tenant": True}
    summary, steps, tenants = await asyncio.gather(
        client.call(usage.SUMMARY, query=asked.query),
        _read(client, trend),
        _read(client, by) if by_tenant else _nothing(),
    )
    await asyncio.sleep(0)  # reading was one piece of work, this is another
    ours = Rows([row for row in steps.rows if (moment(row["start"]) or 0) >= time.start], steps.complete)
    return Figures(asked, now, _cards(summary, steps, time, now), ours, tenants, summary["limits"])


async def _nothing() -> None:
    return None


async def _read(client: Any, query: Mapping[str, object]) -> Rows:
    """The newest first."""
    rows: list[Row] = []
    cursor: str | None = None
    while len(rows) < MOST_ROWS:
        following = {"cursor": cursor} if cursor is not None else {}
        page = await client.call(usage.DETAILS, query={**query, **following, "limit": _AT_ONCE})
        rows += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return Rows(rows, cursor is None)


def _cards(summary: Row, steps: Rows, time: Time, now: int) -> list[Card]:
    """What is nearly used up first; then what the engine meters, then words of one's own."""
    totals = {row["resource_type"]: int(row["quantity"]) for row in summary["totals"]}
    used: dict[str, dict[int, int]] = defaultdict(dict)
    for row in steps.rows:
        used[row["resource_type"]][moment(row["start"]) or 0] = int(row["quantity"])
    limits: dict[str, list[Row]] = defaultdict(list)
    for row in summary["limits"]:
        limits[row["resource_type"]].append(row)
    shown = {kind for kind, total in totals.items() if total} | used.keys() | limits.keys()

    def place(kind: str) -> tuple[bool, int, str]:
        presses = any(limit["percent"] >= NEAR for limit in limits[kind])
        return not presses, _KNOWN.index(kind) if kind in _KNOWN else len(_KNOWN), kind

    reached = min(max(now, time.start), time.end)
    return [
        Card(
            kind,
            totals.get(kind, 0),
            _until(used[kind], time, reached) if steps.complete else None,
            limits[kind],
            _series(used[kind], time.start, time, reached),
            _series(used[kind], time.before, time, time.start),
        )
        for kind in sorted(shown, key=place)
    ]


def _until(used: Mapping[int, int], time: Time, reached: int) -> float:
    """What was used of the period before until the same point of it; of the step that lies across it, a part."""
    if reached >= time.end:
        return sum(quantity for at, quantity in used.items() if at < time.start)
    point = min(time.before + reached - time.start, time.start)
    return sum(
        quantity * min(1.0, (point - at) / time.length) for at, quantity in used.items() if time.before <= at < point
    )


def _series(used: Mapping[int, int], start: int, time: Time, until: int) -> list[float | None]:
    """As many steps as the period has, whatever the length of the one before."""
    return [
        float(used.get(at, 0)) if at < until else None
        for at in range(start, start + time.end - time.start, time.length)
    ]


def full_at(limit: Row, now: int) -> int | None:
    """When a limit is reached if things go on as they did since its period began; None where its end comes first."""
    since = moment(limit["since"]) or 0
    if limit["used"] <= 0:
        return None
    at = since + int(max(now - since, 1) * limit["limit"] / limit["used"])
    return at if at < end_of(Period(limit["period"]), since) else None


def seen_tenants(figures: Figures | None) -> set[str]:
    """Who has used something or has a limit, as far as that was looked at."""
    if figures is None:
        return set()
    rows = [*(figures.tenants.rows if figures.tenants is not None else ()), *figures.limits]
    return {row["tenant_id"] for row in rows if row["tenant_id"]}
