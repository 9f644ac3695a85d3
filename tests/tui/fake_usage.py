"""An engine that knows what was used: by day, tenant and resource type, against limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from quarterdeck.contract.clock import DAY, HOUR, from_iso, iso
from quarterdeck.contract.enums import Period
from quarterdeck.contract.operations import Operation
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.periods import end_of, start_of
from tests.tui.fake_client import NOW
from tests.tui.fake_machines import MachineClient

_SIZES = {"api_calls": 9_000, "items_ingested": 420, "runs_executed": 2_600, "notifications_sent": 75, "sms_sent": 310}
_GROWTH = {"api_calls": 0.5, "items_ingested": 0.02, "runs_executed": -0.3, "notifications_sent": 0.2, "sms_sent": 0.9}
_TENANTS = {"acme": 3, "globex": 2, "initech": 1, "": 0.5}


class UsageClient(MachineClient):
    """`used`: (hour, tenant, resource type) -> quantity. `limits`: (tenant, resource type, period) -> quantity."""

    def __init__(self, *, empty: bool = False) -> None:
        super().__init__()
        self.used: Counter[tuple[int, str, str]] = Counter()
        self.limits: dict[tuple[str, str, str], int] = {}
        self.versions: dict[tuple[str, str, str], tuple[int, int, str]] = {}
        self.tenants_seen: list[str] | None = None
        if not empty:
            self._fill()

    def _fill(self) -> None:
        today = NOW // DAY * DAY
        steps = [(at, DAY) for at in range(today - 60 * DAY, today - DAY, DAY)]
        for at, length in [*steps, *((at, HOUR) for at in range(today - DAY, NOW, HOUR))]:
            day, hours = at // DAY, length // HOUR
            busy = 1.0 if length == DAY else 2.0 if 8 <= at // HOUR % 24 < 18 else 0.3
            for tenant, share in _TENANTS.items():
                for kind, size in _SIZES.items():
                    if not tenant and kind != "api_calls":
                        continue
                    wave = 1 + (day * 7 + len(kind)) % 5 / 4 - (0.6 if day % 7 in (2, 3) else 0)
                    grown = 1 + (at - NOW) / DAY / 60 * _GROWTH[kind]
                    self.used[at, tenant, kind] += int(size * share * wave * grown * busy * hours / 24) or 1
        self.limits = {
            ("acme", "api_calls", "month"): 1_000_000,
            ("globex", "api_calls", "month"): 900_000,
            ("acme", "sms_sent", "month"): 25_000,
            ("initech", "runs_executed", "week"): 6_000,
            ("acme", "notifications_sent", "day"): 150,
        }

    def say(self) -> dict[str, Any]:
        said = super().say()
        said["principal"]["tenants"] = self.tenants_seen
        return said

    def _of(self, query: Any) -> dict[tuple[int, str, str], int]:
        since, until = from_iso(query["since"]), from_iso(query["until"])
        assert since % HOUR == 0
        assert until > since
        return {
            key: quantity
            for key, quantity in self.used.items()
            if since <= key[0] < until
            and (self.tenants_seen is None or key[1] in self.tenants_seen)
            and query.get("tenant") in (None, key[1])
            and query.get("resource_type") in (None, key[2])
        }

    def _usage_summary(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        totals: Counter[str] = Counter()
        for (_, _, kind), quantity in self._of(query).items():
            totals[kind] += quantity
        against = []
        for (tenant, kind, period), limit in self.limits.items():
            since = start_of(Period(period), NOW)
            narrowed = {**query, "since": iso(since), "until": iso(end_of(Period(period), since)), "tenant": tenant}
            if query.get("tenant") not in (None, tenant) or query.get("resource_type") not in (None, kind):
                continue
            used = sum(self._of({**narrowed, "resource_type": kind}).values())
            against.append(
                {
                    "tenant_id": tenant,
                    "resource_type": kind,
                    "period": period,
                    "since": iso(since),
                    "used": used,
                    "limit": limit,
                    "percent": round(100 * used / limit, 1),
                }
            )
        against.sort(key=lambda row: -row["percent"])
        told = [{"resource_type": kind, "quantity": total, "previous": 0} for kind, total in sorted(totals.items())]
        return {"since": query["since"], "until": query["until"], "totals": told, "limits": against}

    def told(self, query: Any) -> list[dict[str, Any]]:
        sums: Counter[tuple[int, str | None, str]] = Counter()
        for (at, tenant, kind), quantity in self._of(query).items():
            step = at if query["step"] == "hour" else start_of(Period(query["step"]), at)
            sums[step, tenant if query["by_tenant"] else None, kind] += quantity
        ordered = sorted(sums.items(), key=lambda each: (-each[0][0], each[0][1] or "", each[0][2]))
        return [
            {"start": iso(at), "tenant_id": tenant, "resource_type": kind, "quantity": quantity}
            for (at, tenant, kind), quantity in ordered
        ]

    def _usage_details(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        rows = self.told({"by_tenant": False, **query})
        start = int(query.get("cursor") or 0)
        end = start + int(query["limit"])
        return {"items": rows[start:end], "next": str(end) if end < len(rows) else None}

    def _usage_limits(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return {"items": [self._limit(key) for key in self.limits]}

    def _limit(self, key: tuple[str, str, str]) -> dict[str, Any]:
        """Its number and its version stay when it is forgotten."""
        number, version, by = self.versions.setdefault(key, (len(self.versions) + 1, 1, "olga"))
        named = {"tenant_id": key[0] or None, "resource_type": key[1], "period": key[2]}
        return {"id": number, "version": version, "updated_by": by, **named, "quantity": self.limits.get(key, 0)}

    def _usage_set_limit(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        key = body["tenant_id"] or "", body["resource_type"], body["period"]
        return self.put_limit(key, body["quantity"], "olga", body["version"])

    def put_limit(
        self, key: tuple[str, str, str], quantity: int | None, by: str, version: int | None = None
    ) -> dict[str, Any]:
        """None forgets it."""
        there = self._limit(key)
        if version not in (None, there["version"]) and (version or key in self.limits):
            said = f"The limit on {key[1]} was set since you looked, by {there['updated_by']}; look again, then decide."
            raise Problem(Code.CHANGED_SINCE, said)
        self.versions[key] = (there["id"], there["version"] + 1, by)
        if quantity is None:
            del self.limits[key]
        else:
            self.limits[key] = quantity
        return self._limit(key)

    def _usage_delete_limit(self, path: Any, query: Any, _body: Any) -> dict[str, Any]:
        key = next(key for key, (number, *_) in self.versions.items() if number == path["id"])
        return self.put_limit(key, None, "olga", query["version"])

    async def stream(self, op: Operation, *, query: Any = None, **path: Any) -> AsyncIterator[bytes]:
        self.calls.append((op.name, path, dict(query), {}))
        yield json.dumps(self.told(query)).encode()
