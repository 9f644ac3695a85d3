"""An engine with alerts that fire, wait and are over; rules, silences and what was sent stand beside them."""

from __future__ import annotations

import math
from typing import Any

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, iso
from quarterdeck.contract.enums import Severity, Watched
from quarterdeck.contract.filters import Equals, parse
from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_client import NOW, _span
from tests.tui.fake_machines import MachineClient

_COLUMNS = {"tenant": "tenant_id", "rule": "rule_id", "group": "group_id"}
_SETTINGS = {
    "threshold": 20.0,
    "unit": None,
    "window_minutes": 15,
    "minimum": 10,
    "by": ["queue"],
    "for_seconds": 300,
    "severity": "critical",
    "labels": {"team": "mail"},
    "annotations": {},
    "matchers": [],
    "channels": ["on-call"],
    "group_by": ["alertname"],
    "quiet_hours": None,
    "inhibits": [],
}


def alert(number: int, name: str, severity: str, minutes: int, **changes: Any) -> dict[str, Any]:
    """One that has fired for so many minutes."""
    since = iso(NOW - minutes * MINUTE)
    made: dict[str, Any] = {
        "id": number,
        "fingerprint": f"{number:016x}",
        "name": name,
        "type": "external",
        "rule_id": None,
        "tenant_id": None,
        "severity": severity,
        "state": "firing",
        "labels": {"alertname": name, "severity": severity, **changes.pop("labels", {})},
        "annotations": {},
        "value": None,
        "threshold": None,
        "pending_at": since,
        "starts_at": since,
        "ends_at": None,
        "resolved_at": None,
        "updated_at": since,
        "changes": 0,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledged_until": None,
        "silenced_by": None,
        "inhibited_by": None,
        "group": None,
        "group_id": None,
        "url": None,
    }
    return made | changes


def some_alerts() -> list[dict[str, Any]]:
    rate = {"type": "error_rate_high", "rule_id": 1, "value": 93.0, "threshold": 20.0, "tenant_id": "acme"}
    mail = alert(90, "Mail fails", "critical", 12, labels={"queue": "refunds-api", "team": "mail"}, **rate)
    mail["annotations"] = {
        "summary": "refunds-api: 93 % of attempts fail",
        "runbook_url": "https://runbooks.example.com/mail-fails",
    }
    mail["changes"] = 2
    stuck = {"type": "queue_stuck", "rule_id": 2, "value": 47.0, "threshold": 30.0}
    waits = alert(91, "Queue waits", "critical", 31, labels={"queue": "reports"}, **stuck)
    waits |= {
        "acknowledged_by": "olga",
        "acknowledged_at": iso(NOW - 20 * MINUTE),
        "acknowledged_until": iso(NOW + HOUR),
    }
    hosts = [
        alert(
            n,
            "Host is slow",
            "critical" if n == 40 else "warning",
            3 + n,
            group_id=7,
            group="4//alertname=Host is slow",
            labels={"host": f"web-{n}", "site": "north"},
            rule_id=4,
            url=f"https://prometheus.example.com/graph?n={n}",
        )
        for n in range(29, 43)
    ]
    hosts[3]["silenced_by"] = 5
    disk = alert(60, "Disk fills", "info", 190, labels={"host": "db-1", "mount": "/var"}, silenced_by=5)
    letters = {"type": "dlq_growth", "rule_id": 3, "value": 117.0, "threshold": 100.0}
    dead = alert(61, "Dead letters grow", "warning", 8, inhibited_by=90, **letters)
    pending = alert(95, "Slow work", "warning", 2, state="pending", starts_at=None, **stuck | {"value": 12.0})
    over = [
        alert(
            n,
            "Mail fails",
            "critical",
            60 * (24 - n),
            state="resolved",
            labels={"queue": "emails"},
            resolved_at=iso(NOW - 55 * (24 - n) * MINUTE),
            **rate | {"value": 21.5},
        )
        for n in range(1, 24)
    ]
    hostile = alert(62, "\x1b]52;c;aGk=\x07[/foo] <b>", "warning", 9, labels={"note": "\u202egnp.exe"})
    return [mail, waits, *hosts, disk, dead, hostile, pending, *over]


class AlertClient(MachineClient):
    """`alerts` are the rows by id; `silences` what keeps them quiet."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[int, dict[str, Any]] = {each["id"]: each for each in some_alerts()}
        self.silences: list[dict[str, Any]] = [
            {
                "id": 5,
                "tenant_id": None,
                "state": "active",
                "matchers": [{"name": "host", "value": "db-.*|web-32", "is_regex": True, "is_equal": True}],
                "starts_at": iso(NOW - HOUR),
                "ends_at": iso(NOW + 3 * HOUR),
                "comment": "The north site moves.",
                "created_by": "ana",
                "alerts": 2,
            }
        ]
        names = {1: "Mail fails", 2: "Queue waits", 3: "Dead letters grow", 4: "Host is slow"}
        types = {1: "error_rate_high", 2: "queue_stuck", 3: "dlq_growth", 4: "external"}
        limits = {1: 20.0, 2: 30.0, 3: 100.0, 4: None}
        self.rules = {
            n: {"id": n, "name": names[n], "type": types[n], "settings": {**_SETTINGS, "threshold": limits[n]}}
            for n in names
        }

    # What there is

    def _chosen(self, text: str) -> list[dict[str, Any]]:
        """Enough of the grammar for a test: what is equal, what is, labels and words."""
        found = sorted(self.alerts.values(), key=lambda row: -row["id"])
        for term in parse(text, Watched.ALERTS).terms:
            wanted = [c.value for c in term.conditions if isinstance(c, Equals)]
            found = [row for row in found if any(_says(row, term.key, word) for word in wanted) is not term.negated]
        return found

    def _alerts_history(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        rows = self._chosen(str(query.get("filter", "")))
        if "ids" in query:
            wanted = {int(each) for each in query["ids"].split(",")}
            return {"items": [row for row in rows if row["id"] in wanted], "next": None, "previous": None}
        start, end = _span(len(rows), query)
        following = str(end) if end < len(rows) else None
        return {"items": rows[start:end], "next": following, "previous": str(start) if start else None}

    def _alerts_board(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        rows = self._chosen(str(query.get("filter", "")))
        firing = [row for row in rows if row["state"] == "firing"]
        groups: dict[int, list[dict[str, Any]]] = {}
        for row in firing:
            if row["group_id"] is not None:
                groups.setdefault(row["group_id"], []).append(row)
        return {
            "groups": [_group(n, own) for n, own in groups.items() if len(own) > 1],
            "firing": {each: sum(row["severity"] == each for row in firing) for each in Severity},
            "pending": sum(row["state"] == "pending" for row in rows),
            "resolved": sum(row["state"] == "resolved" for row in rows),
        }

    def _alerts_show(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        row = self.alerts.get(path["id"])
        if row is None:
            raise Problem(Code.NOT_FOUND, f"There is no alert {path['id']} here; it may be another tenant's.")
        events = [{"at": row["pending_at"], "type": "pending", "actor": "quarterdeck", "body": None}]
        if row["starts_at"]:
            events.append({"at": row["starts_at"], "type": "firing", "actor": "quarterdeck", "body": None})
        if row["acknowledged_at"]:
            note = {"actor": row["acknowledged_by"], "body": "The provider is told."}
            events.append({"at": row["acknowledged_at"], "type": "acknowledged", **note})
        values = [
            {"at": iso(NOW - n * MINUTE), "value": round((row["value"] or 0) * (1 - n / 60 + 0.08 * math.sin(n)), 2)}
            for n in range(40, -1, -1)
        ]
        return {"alert": row, "events": events, "values": values if row["value"] else [], "notices": _notices(row)}

    def _alerts_rule(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return self.rules[path["id"]]

    def _alerts_silences(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        return {"items": [each for each in self.silences if query.get("state") in (None, each["state"])]}

    # What people do

    def _acted(self, body: Any, **values: Any) -> dict[str, Any]:
        asked = [self.alerts[each] for each in body["ids"]]
        done = [row["id"] for row in asked if row["state"] == "firing"]
        for each in done:
            self.alerts[each] = {**self.alerts[each], **values}
        return {"done": done, "skipped": [each for each in body["ids"] if each not in done]}

    def _alerts_acknowledge(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        until = iso(NOW + (body["minutes"] or 240) * MINUTE)
        return self._acted(body, acknowledged_by="olga", acknowledged_at=iso(NOW), acknowledged_until=until)

    def _alerts_unacknowledge(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        return self._acted(body, acknowledged_by=None, acknowledged_at=None, acknowledged_until=None)

    def _alerts_resolve(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        return self._acted(body, state="resolved", resolved_at=iso(NOW), acknowledged_until=None)

    def _matched(self, body: Any) -> list[dict[str, Any]]:
        if not body["matchers"]:
            raise Problem(Code.INVALID_INPUT, "matchers: must not be empty.")
        return [
            row
            for row in sorted(self.alerts.values(), key=lambda row: -row["id"])
            if row["state"] != "resolved"
            and all(row["labels"].get(each["name"], "") == each["value"] for each in body["matchers"])
        ]

    def _alerts_preview_silence(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        rows = self._matched(body)
        firing = sum(row["state"] == "firing" for row in rows)
        quiet = sum(row["silenced_by"] is not None for row in rows)
        return {"firing": firing, "pending": len(rows) - firing, "quiet": quiet, "first": rows[:3]}

    def _alerts_silence(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        rows, number = self._matched(body), len(self.silences) + 5
        for row in rows:
            self.alerts[row["id"]] = {**row, "silenced_by": number}
        made = {
            **body,
            "id": number,
            "state": "active",
            "created_by": "olga",
            "alerts": len(rows),
            "starts_at": iso(NOW),
        }
        self.silences.insert(0, made)
        return made

    def _alerts_end_silence(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        silence = next(each for each in self.silences if each["id"] == path["id"])
        silence["state"] = "expired"
        for number, row in self.alerts.items():
            if row["silenced_by"] == path["id"]:
                self.alerts[number] = {**row, "silenced_by": None}
        return silence


def _says(row: dict[str, Any], key: str, word: str) -> bool:
    if not key:
        return word.lower() in f"{row['name']} {row['labels']} {row['annotations']}".lower()
    if key == "is":
        member = {"acknowledged": "acknowledged_until", "silenced": "silenced_by", "inhibited": "inhibited_by"}[word]
        return row[member] is not None
    if key == "label":
        name, _, value = word.partition("=")
        return bool(row["labels"].get(name) == value)
    return str(row[_COLUMNS.get(key, key)]) == word


def _group(number: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": number,
        "name": rows[0]["name"],
        "names_differ": False,
        "tenant_id": None,
        "severity": next(each for each in Severity if any(row["severity"] == each for row in rows)),
        "labels": {"alertname": rows[0]["name"]},
        "firing": {each: sum(row["severity"] == each for row in rows) for each in Severity},
        "acknowledged": sum(row["acknowledged_until"] is not None for row in rows),
        "quiet": sum(row["silenced_by"] is not None or row["inhibited_by"] is not None for row in rows),
        "since": min(row["starts_at"] for row in rows),
    }


def _notices(row: dict[str, Any]) -> list[dict[str, Any]]:
    if row["rule_id"] is None:
        return []
    sent = {"kind": "trigger", "title": row["name"], "held": False, "notification_id": 3, "run_id": 7, "attempts": 1}
    refused = {**sent, "status": "failed", "attempts": 4, "error": "503 from hooks.example.com"}
    return [
        {**sent, "at": iso(NOW - 3 * MINUTE), "channel": "on-call", "status": "delivered", "error": None},
        {**refused, "at": iso(NOW - 12 * MINUTE + 30 * SECOND), "channel": "chat"},
    ]
