"""An engine where something is wrong everywhere, or nothing at all, as the home screen asks for it."""

from __future__ import annotations

import copy
import math
from typing import Any

from quarterdeck.contract.clock import MINUTE, iso
from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_client import NOW, operation
from tests.tui.fake_sla import SlaClient

_NAMES = ("Mail fails", "Refunds stand still", "Search is slow", "Returns fall due", "Disk is nearly full")


def alert(number: int, **changes: Any) -> dict[str, Any]:
    """A line of what fires; the first is the newest."""
    row = {
        "id": 100 - number,
        "name": _NAMES[number % len(_NAMES)],
        "severity": ("critical", "warning", "critical", "info")[number % 4],
        "tenant_id": ("acme", None, "globex")[number % 3],
        "labels": {"host": "db-2"} if number % 5 == 4 else {},
        "since": iso(NOW - (number * number * 3 + 2) * MINUTE),
        "acknowledged": number in (2, 5),
        "silenced": number == 6,
    }
    return row | changes


def _counts(**numbers: int) -> list[dict[str, Any]]:
    return [{"name": name, "count": numbers.get(name, 0)} for name in ("critical", "warning", "info")]


def _conditions(healthy: int, *unwell: tuple[str, str, str]) -> dict[str, Any]:
    found = [{"name": name, "condition": condition, "why": why} for name, condition, why in unwell]
    number = {each: sum(row["condition"] == each for row in found) for each in ("degraded", "unhealthy")}
    return {"healthy": healthy, **number, "unwell": found}


def _verdicts(met: int, breached: int) -> dict[str, Any]:
    whole = met + breached
    return {"met": met, "breached": breached, "percent": round(100 * met / whole, 2) if whole else None}


def busy() -> dict[str, Any]:
    running = {"status": "in_progress", "finished_at": None, "eligible": 100_000, "eta_seconds": 12}
    return {
        "at": iso(NOW),
        "age_seconds": 0.0,
        "items": [
            {"resource": "support_tasks", "open": 12_031, "due_soon": 40, "breached": 8},
            {"resource": "returns", "open": 310, "due_soon": 0, "breached": 1},
            {"resource": "exceptions", "open": 12, "due_soon": 3, "breached": 0},
        ],
        "promises": {
            "day": _verdicts(410, 11),
            "week": _verdicts(2_744, 82),
            "days": [_verdicts(390 + 9 * n % 40, 4 + n * 5 % 17) for n in range(7)],
        },
        "dead_letters": {
            "pending": 1_204,
            "hour": 12,
            "day": 310,
            "hours": [max(0, round(14 + 12 * math.sin(n / 3) - (n % 5))) for n in range(23)] + [12],
        },
        "alerts": {
            "rules": 7,
            "firing": 13,
            "acknowledged": 2,
            "unseen": _counts(critical=3, warning=3),
            "by_severity": _counts(critical=5, warning=5, info=3),
            "latest": [alert(n) for n in range(10)],
        },
        "workers": _conditions(6, ("mailer-2", "unhealthy", "Nobody takes connections at 127.0.0.1:8702.")),
        "queues": _conditions(
            9,
            ("refunds-api", "unhealthy", "No worker leases it; 1,204 runs wait."),
            ("emails", "degraded", "12 % of attempts failed in the last hour, most often with 503."),
        ),
        "bulk": {
            "operations": [
                operation(12, succeeded=41_000, **running),
                operation(11, label="Retry", resource="dead_letters", failed=3, succeeded=900, **running),
            ],
            "more": False,
        },
        "failed": [],
    }


def calm() -> dict[str, Any]:
    """Everything is well."""
    found = busy()
    found["items"] = [{**each, "due_soon": 0, "breached": 0} for each in found["items"]]
    found["promises"] |= {"day": _verdicts(0, 0), "week": _verdicts(88, 0)}
    found["dead_letters"] = {"pending": 0, "hour": 0, "day": 0, "hours": [0] * 24}
    nothing = {"firing": 0, "acknowledged": 0, "unseen": _counts(), "by_severity": _counts(), "latest": []}
    found["alerts"] |= nothing
    return found | {"workers": _conditions(0), "queues": _conditions(12), "bulk": {"operations": [], "more": False}}


class HomeClient(SlaClient):
    """`overview` is what it answers; `critical` what the banner is told."""

    def __init__(self, overview: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.overview = overview or busy()

    def fire(self, *alerts: dict[str, Any]) -> None:
        """Critical alerts that nobody has seen to, the newest first; consoles hear of it."""
        self.critical = {"count": len(alerts), "more": False, "newest": list(alerts)}
        self.queue.put_nowait({"type": "alerts_changed"})

    def _overview_show(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        if not self.overview:
            raise Problem(Code.STORE_BUSY, "The store is busy; try again.")
        return copy.deepcopy(self.overview)
