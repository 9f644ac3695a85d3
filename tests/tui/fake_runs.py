"""An engine with runs and dead letters that were made up, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quarterdeck.contract.actions import find_action
from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, iso
from quarterdeck.contract.enums import MachineResource, read_resource
from quarterdeck.contract.filters import Equals, FilterError, parse
from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_client import NOW, FakeClient, item, operation

_QUEUES = ("refunds-api", "mail", "refunds-api", "exports")
_KINDS = ("refund.send", "mail.send", "refund.check", "report.nightly")
_STATUS = ("failed", "dead", "active", "completed", "waiting", "completed", "scheduled", "cancelled")
_ERRORS = (
    ("503", "rate_limit", "Service unavailable: too many requests, try again in 30 s"),
    ("timeout", "timeout", "No answer from mail-7.internal within 30 s"),
    ("validation", "validation", "amount must be greater than 0"),
    ("connect", "network", "Connection refused"),
)
_FAILED = {"failed", "dead"}


def run(number: int, **changes: Any) -> dict[str, Any]:
    status = _STATUS[number % len(_STATUS)]
    code, kind, message = _ERRORS[number % len(_ERRORS)]
    made = NOW - number * 7 * MINUTE
    begun = status not in ("waiting", "scheduled")
    ended = status in ("completed", "dead", "cancelled")
    row: dict[str, Any] = {
        "id": number,
        "queue": _QUEUES[number % 4],
        "kind": _KINDS[number % 4],
        "tenant_id": ("acme", "globex", "initech")[number % 3],
        "status": status,
        "priority": "normal",
        "payload": None,
        "result": None,
        "unique_key": f"order-{number}" if number % 2 else None,
        "run_at": iso(NOW + 42 * SECOND if status in ("failed", "scheduled") else made),
        "attempt": {"dead": 5, "failed": 2, "waiting": 0, "scheduled": 0}.get(status, 1),
        "max_attempts": 5,
        "retry_count": 1 if status == "failed" else 0,
        "lost": 0,
        "progress": 0.4 if status == "active" else None,
        "worker": "refunder-1" if begun else None,
        "lease_until": None,
        "error_class": kind if status in _FAILED else None,
        "error_code": code if status in _FAILED else None,
        "error_message": message if status in _FAILED else None,
        "operation_id": None,
        "dead_letter_id": None,
        "created_at": iso(made),
        "started_at": iso(NOW - 95 * SECOND if status == "active" else made + 4 * SECOND) if begun else None,
        "finished_at": iso(made + 5_340) if ended else None,
    }
    return row | changes


def attempt(number: int, start: int, lasted: int, outcome: str = "failed", **changes: Any) -> dict[str, Any]:
    row = {
        "number": number,
        "started_at": iso(start),
        "ended_at": iso(start + lasted),
        "worker": "refunder-1",
        "outcome": outcome,
        "error_class": None if outcome == "completed" else "rate_limit",
        "error_code": None if outcome == "completed" else "503",
        "error_message": None if outcome == "completed" else "Service unavailable: too many requests",
        "detail": None,
        "retry_at": None,
    }
    return row | changes


TRACEBACK = """Traceback (most recent call last):
  File "/srv/refunds/send.py", line 88, in send
    answer.raise_for_status()
httpx.HTTPStatusError: Server error '503 Service Unavailable' for url 'https://pay.example/refunds'"""


def five_attempts(begin: int) -> list[dict[str, Any]]:
    made, at = [], begin
    for n, (wait, lasted) in enumerate(((1, 1_200), (2, 900), (4, 30_000), (8, 1_100), (16, 4_700)), 1):
        lost = n == 3
        more = {"detail": TRACEBACK} if n == 5 else {}
        made.append(attempt(n, at, lasted, "lost" if lost else "failed", **more))
        at += lasted + wait * SECOND
    return made


PAYLOAD: dict[str, Any] = {
    "order": "4711",
    "amount": 129.5,
    "currency": "EUR",
    "customer": {"name": "Ana Müller", "email": "ana@example.org", "vip": True, "password": "***"},
    "items": [
        {"sku": "SHOE-42", "quantity": 1, "price": 89.5},
        {"sku": "SOCKS", "quantity": 4, "price": 10.0},
    ],
    "note": None,
    "trace": {"id": "5f2a9c01d3", "sampled": False},
}


def dead_letter(number: int, **changes: Any) -> dict[str, Any]:
    code, kind, message = _ERRORS[number % 3]
    made = NOW - number * 11 * MINUTE
    row: dict[str, Any] = {
        "id": number,
        "tenant_id": ("acme", "globex", "initech")[number % 3],
        "queue": ("refunds-api", "mail", "refunds-api")[number % 3],
        "event_type": ("refund.send", "mail.send", "refund.check")[number % 3],
        "status": ("pending", "pending", "pending", "retrying", "succeeded", "discarded")[number % 6],
        "error_class": kind,
        "error_code": code,
        "error_message": message,
        "group": f"{number % 3 + 0x5F2A9C01:08x}",
        "attempts": 5,
        "retries": number % 2,
        "run_id": 1_000 + number,
        "retry_run_id": None,
        "exception_id": 700 + number if number % 4 == 0 else None,
        "source_id": None,
        "created_at": iso(made),
        "died_at": iso(made),
        "updated_at": iso(made),
        "expires_at": iso(made + 90 * DAY),
        "version": 1,
    }
    return row | changes


class FakeWork(FakeClient):
    """`runs`, `letters`, `logs` by run, `attempts` by run, `payloads` by (resource, id). `part` less than 1 makes a
    search in texts answer in parts, each of so much of the rows."""

    def __init__(self, runs: int = 240, letters: int = 120) -> None:
        super().__init__(30)
        self.runs = {n: run(n) for n in range(1, runs + 1)}
        self.letters = {n: dead_letter(n) for n in range(1, letters + 1)}
        self.payloads: dict[tuple[str, int], Any] = {}
        self.attempts: dict[int, list[dict[str, Any]]] = {}
        self.logs: dict[int, list[dict[str, Any]]] = {}
        self.nudges: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.part = 1.0

    def kept(self, resource: object) -> dict[int, dict[str, Any]]:
        if resource == MachineResource.RUNS:
            return self.runs
        return self.letters if resource == MachineResource.DEAD_LETTERS else self.rows

    async def watch_run(self, number: int) -> AsyncIterator[dict[str, Any]]:
        while True:
            yield await self.nudges.get()

    # Lists

    def _matching(self, resource: object, text: object) -> list[dict[str, Any]]:
        if read_resource(str(resource)) not in tuple(MachineResource):
            return super()._matching(resource, text)
        try:
            terms = parse(str(text or ""), read_resource(str(resource))).terms
        except FilterError as error:
            raise Problem(Code.FILTER_INVALID, str(error)) from error
        found = []
        for row in self.kept(resource).values():
            for term in terms:
                wanted = [c.value for c in term.conditions if isinstance(c, Equals)]
                member = {"tenant": "tenant_id", "type": "event_type", "error": "error_code", "run": "run_id"}
                value = str(row.get(member.get(term.key, term.key)) or "none")
                hit = any(w.lower() in str(row).lower() for w in wanted) if not term.key else value in wanted
                if hit == term.negated:
                    break
            else:
                found.append(row)
        return found

    def _listed(self, resource: MachineResource, query: Any) -> dict[str, Any]:
        rows = self._matching(resource, query.get("filter"))
        rows.sort(key=lambda row: row["id"], reverse=query.get("sort") == "created")
        if "ids" in query:
            wanted = {int(n) for n in str(query["ids"]).split(",")}
            rows = [row for row in rows if row["id"] in wanted]
        words = any(not term.key for term in parse(str(query.get("filter") or ""), resource).terms)
        if self.part < 1 and words and "ids" not in query:
            return self._in_parts(resource, rows, query)
        limit, skip, cursor = int(query.get("limit", 100)), int(query.get("skip", 0)), query.get("cursor")
        start = (int(str(cursor)) if cursor is not None else 0) + skip
        if query.get("direction") == "previous":
            end = max(0, (int(str(cursor)) if cursor is not None else len(rows)) - skip)
            start = max(0, end - limit)
        else:
            end = min(start + limit, len(rows))
        return {
            "items": [self._bare(row) for row in rows[start:end]],
            "next": str(end) if end < len(rows) else None,
            "previous": str(start) if start else None,
            "searched": 1.0,
        }

    def _in_parts(self, resource: MachineResource, rows: list[dict[str, Any]], query: Any) -> dict[str, Any]:
        """The cursor is how much has been searched, in thousandths."""
        step = round(self.part * 1_000)
        backwards = query.get("direction") == "previous"
        here = int(query.get("cursor") or (1_000 if backwards else 0))
        before, after = (max(0, here - step), here) if backwards else (here, min(1_000, here + step))
        number = max(self.kept(resource), default=0)
        found = [row for row in rows if before < row["id"] * 1_000 / number <= after]
        more = after < 1_000
        return {
            "items": [self._bare(row) for row in found],
            "next": str(after) if more else None,
            "previous": str(before) if before else None,
            "searched": (1_000 - before if backwards else after) / 1_000,
        }

    @staticmethod
    def _bare(row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in ("payload", "result")}

    def _runs_list(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        return self._listed(MachineResource.RUNS, query)

    def _dead_letters_list(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        return self._listed(MachineResource.DEAD_LETTERS, query)

    def _items_count(self, path: Any, query: Any, _body: Any) -> dict[str, Any]:
        found = self._matching(path["resource"], query.get("filter"))
        if self.part < 1 and path["resource"] in tuple(MachineResource):
            return {"count": len(found) // 2, "searched": self.part}
        return {"count": len(found), "searched": 1.0}

    def _items_facets(self, path: Any, query: Any, body: Any) -> dict[str, Any]:
        if path["resource"] not in tuple(MachineResource):
            return super()._items_facets(path, query, body)
        return {"values": {"tenant": ["acme", "globex"], "queue": ["refunds-api", "mail"], "error": ["503"]}}

    # One

    def _runs_show(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        number = int(path["id"])
        if number not in self.runs:
            raise Problem(Code.NOT_FOUND, f"There is no run {number}.")
        row = self.runs[number]
        made = self.attempts.get(number)
        if made is None:
            made = five_attempts(NOW - 4 * MINUTE)[: row["attempt"] - (row["status"] == "active")]
        return {"run": {**row, "payload": self.payloads.get(("runs", number), PAYLOAD)}, "attempts": made}

    def _runs_logs(self, path: Any, query: Any, _body: Any) -> dict[str, Any]:
        lines = self.logs.get(int(path["id"]), [])
        start, limit = int(query.get("cursor") or 0), int(query["limit"])
        found = lines[start : start + limit]
        goes_on = self.runs[int(path["id"])]["status"] == "active" or start + limit < len(lines)
        return {"items": found, "next": str(start + len(found)) if goes_on else None}

    def _dead_letters_show(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        number = int(path["id"])
        if number not in self.letters:
            raise Problem(Code.NOT_FOUND, f"There is no dead letter {number}.")
        return {
            "dead_letter": dict(self.letters[number]),
            "payload": self.payloads.get(("dead_letters", number), PAYLOAD),
            "metadata": {"source": "shop", "release": "2026.11.2"},
            "detail": None,
            "attempts": self.attempts.get(number, five_attempts(NOW - 3 * HOUR)),
            "edits": [],
        }

    def _dead_letters_groups(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        groups: dict[str, dict[str, Any]] = {}
        for row in self._matching(MachineResource.DEAD_LETTERS, query.get("filter")):
            group = groups.setdefault(
                row["group"],
                {name: row[name] for name in ("group", "queue", "error_code", "error_class")}
                | {"message": row["error_message"].replace("30", "<n>"), "count": 0, "pending": 0}
                | {"first_at": row["created_at"], "last_at": row["created_at"]},
            )
            group["count"] += 1
            group["pending"] += row["status"] == "pending"
            group["first_at"] = min(group["first_at"], row["created_at"])
        return {"items": sorted(groups.values(), key=lambda group: -group["count"]), "more": 0}

    def _dead_letters_stats(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        step, steps = {"hour": (MINUTE, 60), "day": (HOUR, 24), "month": (DAY, 30)}[query.get("period", "day")]
        begin = NOW - NOW % step - (steps - 1) * step

        def by(member: str) -> list[dict[str, Any]]:
            found: dict[str, dict[str, Any]] = {}
            for row in self.letters.values():
                name = str(row[member])
                empty = dict.fromkeys(("pending", "retrying", "succeeded", "discarded"), 0)
                found.setdefault(name, {"name": name, **empty})[row["status"]] += 1
            return list(found.values())

        totals = {"name": "all"} | {
            word: sum(row["status"] == word for row in self.letters.values())
            for word in ("pending", "retrying", "succeeded", "discarded")
        }
        return {
            "totals": totals,
            "by_tenant": by("tenant_id"),
            "by_type": by("event_type"),
            "by_queue": by("queue"),
            "growth": [
                {
                    "at": iso(begin + n * step),
                    "added": 20 + 15 * (n % 7) + (120 if n == steps - 6 else 0),
                    "resolved": 12 + 11 * (n % 5),
                    "expired": 4 if n % 9 == 0 else 0,
                }
                for n in range(steps)
            ],
            "expiring": 3,
        }

    def _items_show(self, path: Any, query: Any, body: Any) -> dict[str, Any]:
        found = super()._items_show(path, query, body)
        kept = self.rows[int(path["id"])].get("fields") or {}
        return {**found, "fields": kept} if kept else found

    # Acts

    def _items_act(self, path: Any, query: Any, body: Any) -> dict[str, Any]:
        resource = read_resource(str(path["resource"]))
        if resource not in tuple(MachineResource):
            return super()._items_act(path, query, body)
        row = self.kept(resource)[int(path["id"])]
        action = find_action(resource, str(path["action"]))
        assert action is not None
        if not action.applies_to(row["status"]):
            raise Problem(Code.WRONG_STATE, action.why_not(row["status"]))
        row["status"] = action.to
        if "version" in row:
            row["version"] += 1
        return {"run" if resource is MachineResource.RUNS else "dead_letter": self._bare(row)}

    def _items_select(self, path: Any, query: Any, body: Any) -> dict[str, Any]:
        wide = {**body, "boundary": body.get("boundary") or max(self.kept(path["resource"]), default=0)}
        return super()._items_select(path, query, wide)

    def _bulk_draft(self, path: Any, query: Any, body: Any) -> dict[str, Any]:
        resource = read_resource(str(path["resource"]))
        if resource not in tuple(MachineResource):
            return super()._bulk_draft(path, query, body)
        action = find_action(resource, str(path["action"]))
        assert action is not None
        rows = [self.kept(resource)[n] for n in body.get("ids") or self.selections[body["selection"]]]
        good = [row for row in rows if action.applies_to(row["status"])]
        number = len(self.operations) + 12
        draft = operation(
            number,
            resource=str(resource),
            action=action.verb,
            label=action.label,
            params=body.get("params", {}),
            status="draft",
            risk=str(action.risk),
            undoable=action.undoable,
            total=len(rows),
            eligible=len(good),
            skipped=len(rows) - len(good),
            succeeded=0,
            batches=1,
            batches_done=0,
        )
        self.operations[number] = draft
        states: dict[str, int] = {}
        for row in rows:
            states[row["status"]] = states.get(row["status"], 0) + 1
        return {
            "operation": dict(draft),
            "states": states,
            "skip_reasons": [],
            "first": [
                {"item_id": row["id"], "title": row.get("event_type", row.get("kind")), "status": row["status"]}
                | {"tenant_id": row["tenant_id"], "code": None, "sentence": None}
                for row in good[:3]
            ],
            "estimated_seconds": 0.4,
        }


def with_log(fake: FakeWork, number: int, lines: int = 40) -> FakeWork:
    """A run with a log of two attempts."""
    fake.logs[number] = [
        log_line(
            n, 1 + (n > lines // 2), ("info", "debug", "info", "warning", "error")[n % 5], f"step {n} of the refund"
        )
        for n in range(1, lines + 1)
    ]
    return fake


def log_line(number: int, attempt: int, level: str, text: str) -> dict[str, Any]:
    return {"id": number, "attempt": attempt, "at": iso(NOW - 60_000 + number * 800), "level": level, "text": text}


def exception(number: int, letter: int, **changes: Any) -> dict[str, Any]:
    """An exception item that a dead letter has opened."""
    fields = {"dead_letter": letter, "run": 1_000 + letter, "queue": "refunds-api", "code": "503"}
    row = item(number, "exceptions", title="refund.send failed: 503", status="open", priority="high", **changes)
    return row | {"fields": fields}
