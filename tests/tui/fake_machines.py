"""An engine whose machine work can be looked at: queues, workers, and what was counted of them."""

from __future__ import annotations

import math
from typing import Any

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, iso
from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_client import NOW
from tests.tui.fake_runs import FakeWork

_SETTINGS = {
    "handler": "worker",
    "target": "",
    "secret_env": "",
    "concurrency": 10,
    "tenant_concurrency": None,
    "rate_per_second": None,
    "max_attempts": 5,
    "backoff": {"base": 1.0, "factor": 2.0, "cap": 3600.0},
    "timeout_seconds": 300.0,
    "priority": "normal",
    "keep": {"completed_days": 7, "cancelled_days": 7, "dead_days": 90},
    "exceptions": True,
}
_STEPS = {"5m": (5, MINUTE), "1h": (60, MINUTE), "24h": (96, 15 * MINUTE)}


def queue(name: str, settings: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "settings": {**_SETTINGS, **(settings or {})},
        "from_config": True,
        "paused": False,
        "paused_by": None,
        "paused_at": None,
        "pause_reason": None,
        "waiting": 0,
        "scheduled": 0,
        "active": 0,
        "failed": 0,
        "completed": 0,
        "dead": 0,
        "per_minute": 0.0,
        "error_percent": None,
        "oldest_waiting_at": None,
        "trend": [0] * 30,
        "condition": "healthy",
        "why": [],
    }
    return row | changes


def worker(name: str, kind: str = "refunder", **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "type": kind,
        "queues": ["refunds-api"],
        "condition": "healthy",
        "why": None,
        "url": f"http://127.0.0.1:87{len(name):02d}",
        "checked_at": iso(NOW - 12 * SECOND),
        "response_ms": 4.2,
        "failures": 0,
        "last_seen_at": iso(NOW - 3 * SECOND),
        "active": 2,
        "completed": 1_204,
        "failed": 3,
    }
    return row | changes


def some_queues() -> list[dict[str, Any]]:
    wave = [int(60 + 40 * math.sin(n / 4)) for n in range(30)]
    return [
        queue("bulk", {"handler": "engine"}, completed=14, trend=[0] * 20 + [2, 0, 0, 5, 7, 0, 0, 0, 0, 0]),
        queue(
            "emails",
            {"handler": "http", "target": "https://mail.example.com/send", "rate_per_second": 50.0},
            waiting=120,
            active=8,
            completed=3_914,
            failed=6,
            per_minute=64.0,
            error_percent=0.4,
            oldest_waiting_at=iso(NOW - 8 * SECOND),
            trend=wave,
        ),
        queue(
            "refunds-api",
            {"tenant_concurrency": 4},
            waiting=18_422,
            scheduled=12,
            active=10,
            completed=310,
            failed=4_212,
            dead=117,
            per_minute=0.6,
            error_percent=93.0,
            oldest_waiting_at=iso(NOW - 47 * MINUTE),
            trend=[90 - 3 * n for n in range(30)],
            condition="unhealthy",
            why=[
                "93 % of attempts failed in the last hour, most often with 503.",
                "The oldest run has waited 47 minutes.",
            ],
        ),
        queue(
            "reports",
            {"handler": "python", "target": "quarterdeck_reports:build", "concurrency": 2},
            waiting=31,
            active=2,
            completed=41,
            per_minute=0.8,
            error_percent=2.0,
            oldest_waiting_at=iso(NOW - 11 * MINUTE),
            trend=[1, 0, 1, 1, 0, 2] * 5,
            condition="degraded",
            why=["The oldest run has waited 11 minutes."],
        ),
        queue(
            "webhooks",
            {"handler": "http", "target": "https://hooks.example.com/in"},
            paused=True,
            paused_by="ana",
            paused_at=iso(NOW - 2 * HOUR),
            pause_reason="Their maintenance window, until six",
            waiting=902,
            oldest_waiting_at=iso(NOW - 2 * HOUR),
            condition="degraded",
            why=["Paused by ana 2 hours ago: Their maintenance window, until six."],
        ),
    ]


def some_workers() -> list[dict[str, Any]]:
    return [
        worker("mailer-1", "mailer", queues=["emails"], active=4, completed=2_001),
        worker("mailer-2", "mailer", queues=["emails"], active=4, completed=1_913, response_ms=6.0),
        worker("refunder-1", active=5),
        worker(
            "refunder-2",
            active=5,
            completed=310,
            failed=4_212,
            condition="degraded",
            why="/readyz answers 503: not ready, the payment provider refuses connections.",
        ),
        worker(
            "reporter-1",
            "reporter",
            queues=["reports"],
            condition="unhealthy",
            why="3 checks in a row had no answer: connection refused.",
            response_ms=None,
            failures=3,
            last_seen_at=iso(NOW - 26 * MINUTE),
            active=0,
        ),
    ]


class MachineClient(FakeWork):
    """`queues` and `workers` can be changed by a test, which then says so with `tell`."""

    def __init__(self) -> None:
        super().__init__(runs=30, letters=10)
        self.queues = {row["name"]: row for row in some_queues()}
        self.workers = some_workers()
        self.quiet = False  # nothing was counted

    async def tell(self, kind: str) -> None:
        await self.queue.put({"type": kind})

    def _queues_list(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return {"items": [dict(self.queues[name]) for name in sorted(self.queues)]}

    def _queue(self, path: Any) -> dict[str, Any]:
        if path["queue"] not in self.queues:
            raise Problem(Code.NOT_FOUND, f"There is no queue {path['queue']}.")
        return self.queues[path["queue"]]

    def _queues_pause(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        row = self._queue(path)
        row.update(paused=True, paused_by="olga", paused_at=iso(NOW), pause_reason=body.get("reason"))
        return dict(row)

    def _queues_resume(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        row = self._queue(path)
        row.update(paused=False, paused_by=None, paused_at=None, pause_reason=None)
        return dict(row)

    def _queues_change(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        row = self._queue(path)
        row["settings"] = {**row["settings"], **{key: value for key, value in body.items() if key != "reason"}}
        return dict(row)

    def _workers_health(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        types = []
        for name in sorted({row["type"] for row in self.workers}):
            rows = [row for row in self.workers if row["type"] == name]
            words = ("healthy", "degraded", "unhealthy")
            counts = {word: sum(row["condition"] == word for row in rows) for word in words}
            sums = {key: sum(row[key] for row in rows) for key in ("active", "completed", "failed")}
            worst = next(word for word in reversed(words) if counts[word])
            types.append({"type": name, "condition": worst, **counts, **sums})
        return {"types": types, "instances": [dict(row) for row in self.workers], "cached_seconds": 30}

    def _times(self, query: Any) -> tuple[dict[str, Any], list[int]]:
        number, step = _STEPS[query["window"]]
        end = NOW // step * step
        return {"window": query["window"], "step_seconds": step // SECOND}, [
            end - (number - 1 - n) * step for n in range(number)
        ]

    def _workers_throughput(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        head, times = self._times(query)
        size = 0 if self.quiet else 1
        points = []
        for n, at in enumerate(times):
            lasted = size * min(NOW - at, head["step_seconds"] * SECOND) / (head["step_seconds"] * SECOND)
            points.append(
                {
                    "at": iso(at),
                    "enqueued": int(lasted * (90 + 20 * math.sin(n / 5))),
                    "completed": int(lasted * (80 + 30 * math.sin(n / 7))),
                    "failed": int(lasted * (6 + n % 7)),
                    "dead": 0,
                }
            )
        return {**head, "points": points, "per_second": 1.4 * size, "lag_seconds": 2_820.0 * size or None}

    def _workers_latency(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        head, times = self._times(query)
        points = [
            {"at": iso(at), "p50": 120.0 + n % 9, "p95": 480.0 + 60 * math.sin(n / 6), "p99": 1_400.0 + 40 * (n % 11)}
            if not self.quiet and n % 17 != 5
            else {"at": iso(at), "p50": None, "p95": None, "p99": None}
            for n, at in enumerate(times)
        ]
        figures = dict.fromkeys(("p50", "p95", "p99", "wait_p50", "wait_p95", "wait_p99"))
        if not self.quiet:
            figures = {"p50": 123.0, "p95": 512.0, "p99": 1_610.0, "wait_p50": 3.0, "wait_p95": 40.0, "wait_p99": 95.0}
        return {**head, "points": points, **figures}

    def _workers_errors(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        head, times = self._times(query)
        points = [{"at": iso(at), "percent": None if self.quiet else 4.0 + n % 5} for n, at in enumerate(times)]
        top = [
            {"queue": "refunds-api", "error_class": "network", "error_code": "503", "count": 4_212},
            {"queue": "refunds-api", "error_class": "timeout", "error_code": "timeout", "count": 71},
        ]
        return {**head, "points": points, "percent": None if self.quiet else 6.1, "top": [] if self.quiet else top}
