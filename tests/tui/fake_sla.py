"""An engine that keeps service levels: promises at risk, promises broken, figures over time."""

from __future__ import annotations

import math
from typing import Any

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, from_iso, iso
from tests.tui.fake_client import NOW, FakeClient, item
from tests.tui.fake_machines import MachineClient

_DAYS = {"day": 1, "week": 7, "month": 30}
_MEDIANS = {"urgent": 45.0, "high": 190.0, "normal": 700.0, "low": 2_300.0}


def promise(fake: FakeClient, number: int, at: int, **changes: Any) -> dict[str, Any]:
    """A row of what falls due at `at`, or was broken then."""
    row = fake.rows[number]
    names = ("resource", "tenant_id", "kind", "title", "status", "priority", "assignee")
    made = {"item_id": number, **{name: row[name] for name in names}, "target": "resolution", "at": iso(at)}
    return {**made, "ended_at": None, **changes}


class SlaClient(MachineClient):
    """`risk` and `broken` are what their lists give."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = {n: item(n) for n in range(1, 301)}
        soon = (90_000, 4 * MINUTE, 12 * MINUTE, 12 * MINUTE, 31 * MINUTE, 47 * MINUTE, 65 * MINUTE, 3 * HOUR)
        self.risk = [
            promise(self, n, NOW + left, target="first_response" if n % 3 == 1 else "resolution")
            for n, left in enumerate((*soon, *(n * HOUR for n in range(4, 34))), 1)
        ]
        self.broken = [
            promise(self, n, NOW - ago * MINUTE, ended_at=iso(NOW - ago * 31 // 53 * MINUTE) if n % 2 else None)
            for n, ago in enumerate((*range(53, 25 * 53, 53), *range(26 * 53, 41_000, 295)), 1)
        ]

    def _listed(self, rows: list[dict[str, Any]], query: Any) -> dict[str, Any]:
        rows = [row for row in rows if query.get("tenant") in (None, row["tenant_id"])]
        start = int(query.get("cursor") or 0)
        end = min(start + int(query["limit"]), len(rows))
        return {"items": rows[start:end], "next": str(end) if end < len(rows) else None}

    def _sla_at_risk(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        return self._listed(self.risk, query)

    def _sla_breaches(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        return self._listed(self._broken(query), query)

    def _broken(self, query: Any) -> list[dict[str, Any]]:
        end = from_iso(query["end"])
        since = end - query["days"] * DAY
        found = [row for row in self.broken if query.get("tenant") in (None, row["tenant_id"])]
        return [row for row in found if since <= from_iso(row["at"]) < end and row["target"] == query["target"]]

    def _sla_compliance(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        step = _DAYS[query["period"]]
        base = _MEDIANS.get(query.get("priority"), 400.0)
        periods = []
        for n in range(query["days"] // step + 1):
            since = (NOW // DAY - query["days"] + n * step) * DAY
            broken = self._broken({**query, "days": step, "end": iso(since + step * DAY)})
            met, breached, start = 40 + round(9 * math.sin(n)), len(broken), iso(since)
            percent = round(100 * met / (met + breached), 2)
            median = base * (1 + math.sin(n / 3) / 4)
            periods.append(
                {"start": start, "met": met, "breached": breached, "percent": percent, "median_minutes": median}
            )
        met, breached = sum(p["met"] for p in periods), sum(p["breached"] for p in periods)
        if not self.broken:
            met = breached = 0
            periods = [dict(p, met=0, breached=0, percent=None, median_minutes=None) for p in periods]
        whole = round(100 * met / (met + breached), 2) if met else None
        return {"met": met, "breached": breached, "percent": whole, "periods": periods}

    def _sla_resolution_time(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        found = [
            {"priority": name, "ended": 90, "median_minutes": value, "p95_minutes": value * 3}
            for name, value in _MEDIANS.items()
        ]
        return {"ended": 360, "median_minutes": 400.0, "priorities": found if self.broken else []}
