"""An engine of a few hundred items, in memory: what the console talks to in its tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.actions import find_action
from quarterdeck.contract.clock import DAY, HOUR, MINUTE, iso
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.filters import Equals, FilterError, parse
from quarterdeck.contract.operations import Operation
from quarterdeck.contract.problems import Code, Problem

NOW = 1_790_000_000_000
_TITLES = (
    "Refund of order 4711 has not arrived",
    "Cannot log in after the password change",
    "Invoice shows the wrong VAT number",
    "Delivery driver could not find the address",
    "Parcel arrived damaged, photos attached",
    "Duplicate charge on the credit card",
    "Please delete my account and my data",
    "Size exchange: 42 instead of 43",
)
_STATUS = ("open", "open", "in_progress", "open", "waiting", "resolved")
_PRIORITY = ("urgent", "high", "normal", "normal", "low")
_PEOPLE = (None, "ana", None, "ben", None)
_TENANTS = ("acme", "globex", "initech")


def item(number: int, resource: str = "support_tasks", **changes: Any) -> dict[str, Any]:
    made = NOW - (number * 37 % 400) * HOUR - 5 * MINUTE
    due = NOW + (number * 53 % 90 - 15) * HOUR
    row = {
        "id": number,
        "external_id": f"CASE-{1000 + number}",
        "tenant_id": _TENANTS[number % 3],
        "resource": resource,
        "kind": ("refund", "login", "billing", "delivery")[number % 4],
        "title": _TITLES[number % len(_TITLES)],
        "body": None,
        "status": _STATUS[number % len(_STATUS)] if resource == "support_tasks" else "requested",
        "priority": _PRIORITY[min(number // 8, 4)],
        "category": "orders" if number % 3 else None,
        "assignee": _PEOPLE[number % 5],
        "claimed_until": None,
        "sla_due_at": iso(due) if number % 4 else None,
        "created_at": iso(made),
        "updated_at": iso(made + HOUR),
        "deleted_at": None,
        "comments": number % 3,
        "version": 1,
        "fields": {},
    }
    row.update(changes)
    return row


def operation(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "kind": "action",
        "parent_id": None,
        "resource": "support_tasks",
        "action": "assign",
        "label": "Assign",
        "params": {"assignee": "ana", "reason": None},
        "status": "completed",
        "risk": "low",
        "undoable": True,
        "reason": None,
        "filter": "status:open",
        "created_by": "olga",
        "created_at": iso(NOW - 20 * MINUTE),
        "run_at": None,
        "started_at": iso(NOW - 20 * MINUTE),
        "finished_at": iso(NOW - 19 * MINUTE),
        "total": 1_200,
        "eligible": 1_180,
        "skipped": 20,
        "succeeded": 1_180,
        "failed": 0,
        "cancelled": 0,
        "batch_size": 1_000,
        "parallel": 1,
        "batches": 2,
        "batches_done": 2,
        "rate": None,
        "eta_seconds": None,
        "cancel_requested": False,
        "error": None,
    }
    row.update(changes)
    return row


def _span(length: int, query: Mapping[str, Any]) -> tuple[int, int]:
    """[start, end) of a page; cursors are positions."""
    limit, skip, cursor = int(query.get("limit", 100)), int(query.get("skip", 0)), query.get("cursor")
    if query.get("direction") == "previous":
        end = max(0, (int(str(cursor)) if cursor is not None else length) - skip)
        return max(0, end - limit), end
    start = (int(str(cursor)) if cursor is not None else 0) + skip
    return start, min(start + limit, length)


class FakeClient:
    """`calls` holds (operation name, path, query, body). `down` makes every call fail."""

    def __init__(self, number: int = 300) -> None:
        self.rows: dict[int, dict[str, Any]] = {n: item(n) for n in range(1, number + 1)}
        self.operations: dict[int, dict[str, Any]] = {}
        self.results: dict[int, list[dict[str, Any]]] = {}
        self.timeline: dict[int, list[dict[str, Any]]] = {}
        self.clocks: dict[int, dict[str, Any]] = {}
        self.templates: list[dict[str, Any]] = []
        self.sums: list[dict[str, Any]] = []
        self.selections: dict[str, list[int]] = {}
        self.calls: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = []
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.critical: dict[str, Any] = {"count": 0, "more": False, "newest": []}
        self.down = ""
        self.role = "super_admin"
        self.info: dict[str, Any] = {}
        self.closed = False
        self._undo: dict[int, dict[str, Any]] = {}
        self._events = 1_000

    def say(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "principal": {"actor": "olga", "role": self.role, "tenants": None},
            "claim_minutes": 30,
            "tenants": list(_TENANTS),
        }

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        yield {"type": "connected", "version": "0.1.0"}
        while True:
            yield await self.queue.get()

    async def watch(self, number: int) -> AsyncIterator[dict[str, Any]]:
        yield {"type": "progress_update", "operation": self.operations[number]}

    async def stream(self, op: Operation, *, query: Any = None, **path: Any) -> AsyncIterator[bytes]:
        yield b"item_id,outcome\r\n1,succeeded\r\n"

    async def close(self) -> None:
        self.closed = True

    def called(self, name: str) -> list[dict[str, Any]]:
        """The bodies of every call of an operation."""
        return [body for called, _, _, body in self.calls if called == name]

    async def call(
        self,
        op: Operation,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        **path: object,
    ) -> dict[str, Any]:
        asked, sent, where = dict(query or {}), dict(body or {}), dict(path)
        self.calls.append((op.name, where, asked, sent))
        await asyncio.sleep(0)
        if self.down:
            raise Unreachable(self.down)
        method = getattr(self, "_" + op.name.replace(".", "_"))
        found: dict[str, Any] = method(where, asked, sent)
        return found

    def _overview_critical(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return self.critical

    # items

    def _matching(self, resource: object, text: object) -> list[dict[str, Any]]:
        """Enough of the grammar for a test: equality of status, priority, assignee, tenant, id, and words."""
        found = []
        try:
            terms = parse(str(text or ""), Resource(str(resource))).terms
        except FilterError as error:
            raise Problem(Code.FILTER_INVALID, str(error)) from error
        for row in self.rows.values():
            if row["resource"] != resource:
                continue
            for term in terms:
                wanted = [c.value for c in term.conditions if isinstance(c, Equals)]
                member = {"tenant": "tenant_id", "": "title"}.get(term.key, term.key)
                value = str(row.get(member) or "none")
                hit = any(w.lower() in value.lower() for w in wanted) if not term.key else value in wanted
                if hit == term.negated:
                    break
            else:
                found.append(row)
        return found

    def _items_list(self, path: Any, query: Any, _body: Any) -> dict[str, Any]:
        rows = self._matching(path["resource"], query.get("filter"))
        if "ids" in query:
            wanted = {int(n) for n in str(query["ids"]).split(",")}
            rows = [row for row in rows if row["id"] in wanted]
        ranks = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
        turned = str(query.get("sort", "priority")).startswith("-")
        rows.sort(key=lambda row: (ranks[row["priority"]], row["id"]), reverse=turned)
        start, end = _span(len(rows), query)
        return {
            "items": [dict(row) for row in rows[start:end]],
            "next": str(end) if end < len(rows) else None,
            "previous": str(start) if start else None,
        }

    def _items_count(self, path: Any, query: Any, _body: Any) -> dict[str, Any]:
        return {"count": len(self._matching(path["resource"], query.get("filter")))}

    def _items_facets(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return {"values": {"tenant": list(_TENANTS), "kind": ["refund", "login"], "assignee": ["ana", "ben"]}}

    def _items_show(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        row = self.rows.get(int(path["id"]))
        if row is None or row["resource"] != path["resource"]:
            raise Problem(Code.NOT_FOUND, f"There is no item {path['id']} in {path['resource']}.")
        return {
            **row,
            "body": "I ordered three weeks ago and was told that it takes five days.\nPlease look into it.",
            "fields": {"order": "4711", "amount": 129.5, "currency": "EUR"},
        }

    def _sla_clocks(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return self.clocks.get(int(path["id"]), {"clocks": [], "suggestions": []})

    def _items_events(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        made = {"item_id": path["id"], "operation_id": None}
        old = [
            {
                "id": 3,
                "at": iso(NOW - 2 * HOUR),
                "actor": "ana",
                "type": "comment",
                "body": "Asked the bank.",
                "changes": {},
            },
            {
                "id": 2,
                "at": iso(NOW - 5 * HOUR),
                "actor": "ben",
                "type": "set-priority",
                "body": None,
                "changes": {"priority": ["normal", "urgent"]},
            },
            {"id": 1, "at": iso(NOW - 2 * DAY), "actor": "import", "type": "created", "body": None, "changes": {}},
        ]
        events = [*self.timeline.get(int(path["id"]), []), *({**made, **event} for event in old)]
        return {"items": events, "next": None}

    def _items_act(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        row = self.rows[int(path["id"])]
        action = find_action(Resource(path["resource"]), path["action"])
        assert action is not None
        if "version" in body and body["version"] != row["version"]:
            raise Problem(Code.CHANGED_SINCE, f"Item {row['id']} has changed since you looked; look again.")
        if not action.applies_to(row["status"]):
            raise Problem(Code.WRONG_STATE, action.why_not(row["status"]))
        before, params = dict(row), body.get("params", {})
        row["version"] += 1
        if action.to:
            row["status"] = action.to
        if action.verb == "claim":
            row.update(assignee="olga", status="in_progress", claimed_until=iso(NOW + 30 * MINUTE))
        row.update({k: v for k, v in params.items() if k in row and k != "body"})
        if action.verb == "comment":
            self.timeline.setdefault(row["id"], []).insert(
                0,
                {
                    "id": self._events,
                    "item_id": row["id"],
                    "at": iso(NOW),
                    "actor": "olga",
                    "type": "comment",
                    "body": params["body"],
                    "changes": {},
                    "operation_id": None,
                },
            )
        self._events += 1
        self._undo[self._events] = before
        return {"item": dict(row), "event_id": self._events, "undoable": action.undoable}

    def _items_undo(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        before = self._undo.pop(int(path["event_id"]))
        self.rows[int(path["id"])].update(before)
        return {"item": dict(before), "event_id": self._events, "undoable": False}

    def _items_claim_next(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        for row in self._matching(path["resource"], body.get("filter")):
            if row["status"] == "open" and row["assignee"] is None:
                return self._items_act({**path, "id": row["id"], "action": "claim"}, {}, {})
        raise Problem(Code.NOTHING_TO_CLAIM, "Nothing to claim.")

    def _items_skip(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        row = self.rows[int(path["id"])]
        row.update(assignee=None, status="open", claimed_until=None, version=row["version"] + 1)
        return {"item": dict(row), "event_id": 1, "undoable": False}

    def _items_renew(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return dict(self.rows[int(path["id"])])

    def _items_select(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        boundary = body.get("boundary") or max(self.rows, default=0)
        found = [row["id"] for row in self._matching(path["resource"], body["filter"]) if row["id"] <= boundary]
        found = [number for number in found if number not in body.get("except_ids", [])]
        token = f"token-{len(self.selections) + 1}"
        self.selections[token] = found
        return {"token": token, "filter": body["filter"], "count": len(found), "boundary": boundary}

    # bulk

    def _bulk_draft(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        action = find_action(Resource(path["resource"]), path["action"])
        assert action is not None
        ids = body.get("ids") or self.selections[body["selection"]]
        rows = [self.rows[n] for n in ids]
        good = [row for row in rows if action.applies_to(row["status"])]
        number = len(self.operations) + 12
        draft = operation(
            number,
            action=action.verb,
            label=action.label,
            params=body.get("params", {}),
            run_at=body.get("run_at"),
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
        skipped = len(rows) - len(good)
        return {
            "operation": dict(draft),
            "states": states,
            "skip_reasons": [
                {"code": "wrong_state", "sentence": f"{action.label} does not apply in their state.", "count": skipped}
            ]
            if skipped
            else [],
            "first": [
                {
                    "item_id": row["id"],
                    "title": row["title"],
                    "status": row["status"],
                    "tenant_id": row["tenant_id"],
                    "code": None if row in good else "wrong_state",
                    "sentence": None if row in good else action.why_not(row["status"]),
                }
                for row in rows[:5]
            ],
            "estimated_seconds": 0.4,
            "sums": self.sums,
        }

    def _bulk_templates(self, _path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return {"items": self.templates, "next": None}

    def _bulk_save_template(self, _path: Any, _query: Any, body: Any) -> dict[str, Any]:
        self.templates.append({"id": len(self.templates) + 1, **body})
        return self.templates[-1]

    def _bulk_confirm(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        found = self.operations[int(path["id"])]
        found.update(status="scheduled" if found["run_at"] else "in_progress", eta_seconds=12.0)
        return dict(found)

    def _bulk_cancel(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        found = self.operations[int(path["id"])]
        if found["status"] == "draft":
            return dict(self.operations.pop(int(path["id"])))
        found.update(cancel_requested=True)
        return dict(found)

    def _bulk_undo(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return self._again(path, "undo", "succeeded")

    def _bulk_retry_failed(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        return self._again(path, "retry", "failed")

    def _again(self, path: Any, kind: str, over: str) -> dict[str, Any]:
        old = self.operations[int(path["id"])]
        number = max(self.operations) + 1
        draft = operation(
            number,
            kind=kind,
            parent_id=old["id"],
            status="draft",
            total=old[over],
            eligible=old[over],
            skipped=0,
            succeeded=0,
        )
        self.operations[number] = draft
        return {"operation": dict(draft), "states": {}, "skip_reasons": [], "first": [], "estimated_seconds": 0.2}

    def _bulk_list(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        found = sorted(self.operations.values(), key=lambda row: -row["id"])
        if query.get("running"):
            found = [row for row in found if row["status"] in ("pending", "in_progress")]
        return {"items": [dict(row) for row in found], "next": None}

    def _bulk_show(self, path: Any, _query: Any, _body: Any) -> dict[str, Any]:
        if int(path["id"]) not in self.operations:
            raise Problem(Code.NOT_FOUND, f"There is no bulk operation {path['id']}.")
        found = self.operations[int(path["id"])]
        failures = [
            {
                "code": "changed_since",
                "sentence": "The item has changed since the preview.",
                "count": found["failed"],
                "retryable": True,
            }
        ]
        skips = [
            {"code": "wrong_state", "sentence": "Assign does not apply to resolved items.", "count": found["skipped"]}
        ]
        return {
            "operation": dict(found),
            "states": {"open": found["total"]},
            "skip_reasons": skips if found["skipped"] else [],
            "failure_reasons": failures if found["failed"] else [],
        }

    def _bulk_items(self, path: Any, query: Any, _body: Any) -> dict[str, Any]:
        found = self.results.get(int(path["id"]), [])
        if query.get("outcome"):
            found = [row for row in found if row["outcome"] == query["outcome"]]
        start, end = _span(len(found), query)
        return {
            "items": found[start:end],
            "next": str(end) if end < len(found) else None,
            "previous": str(start) if start else None,
        }
