"""Items as they might stand in three shops on a busy day. The same seed gives the same world, as of `now`."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, iso
from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.transitions import FIRST_STATUS
from quarterdeck.demo.words import COMMENTS, CUSTOMERS, FAULTS, OPERATORS, PRODUCTS, RETURN_REASONS, TENANTS, TOPICS

COUNTS = {Resource.SUPPORT_TASKS: 2_600, Resource.RETURNS: 900, Resource.EXCEPTIONS: 500}

_SLA = {Priority.URGENT: 4 * HOUR, Priority.HIGH: 12 * HOUR, Priority.NORMAL: 48 * HOUR, Priority.LOW: 96 * HOUR}
# How long what is open has waited, on average.
_WAITS = {Priority.URGENT: 2 * HOUR, Priority.HIGH: 8 * HOUR, Priority.NORMAL: 18 * HOUR, Priority.LOW: 40 * HOUR}

# status -> weight; what is open is recent, what is done is older.
_STATES: dict[Resource, dict[str, int]] = {
    Resource.SUPPORT_TASKS: {"open": 30, "in_progress": 8, "waiting": 9, "resolved": 18, "closed": 33, "cancelled": 2},
    Resource.RETURNS: {"requested": 28, "approved": 14, "received": 10, "rejected": 6, "refunded": 20, "closed": 22},
    # What is open comes from machine work, where it can be retried.
    Resource.EXCEPTIONS: {"resolved": 84, "cancelled": 16},
}
# What an item has gone through on its way to its state.
_WAYS: dict[Resource, dict[str, tuple[str, ...]]] = {
    Resource.SUPPORT_TASKS: {
        "in_progress": ("in_progress",),
        "waiting": ("in_progress", "waiting"),
        "resolved": ("in_progress", "resolved"),
        "closed": ("in_progress", "resolved", "closed"),
        "cancelled": ("in_progress", "cancelled"),
    },
    Resource.RETURNS: {
        "approved": ("approved",),
        "received": ("approved", "received"),
        "rejected": ("rejected",),
        "refunded": ("approved", "received", "refunded"),
        "closed": ("approved", "received", "refunded", "closed"),
    },
    Resource.EXCEPTIONS: {"resolved": ("retrying", "resolved"), "cancelled": ("cancelled",)},
}
_DONE = {"resolved", "closed", "cancelled", "rejected", "refunded"}
_HELD = {"in_progress", "waiting"}


class World:
    """Makes items. `new` is what somebody posts now; `imported` is what has a past."""

    def __init__(self, seed: int, now: int) -> None:
        self.random = Random(seed)
        self.now = now

    def imported(self, resource: Resource) -> Iterator[dict[str, Any]]:
        """`COUNTS[resource]` items as items.import takes them."""
        states = _STATES[resource]
        for number in range(1, COUNTS[resource] + 1):
            status = self.random.choices(list(states), list(states.values()))[0]
            yield self._with_past(resource, f"demo-{resource}-{number}", status)

    def new(self, resource: Resource, tenant: str | None = None) -> dict[str, Any]:
        """One item as items.create takes it."""
        tenant = tenant or self.random.choice(TENANTS)
        made = {
            Resource.SUPPORT_TASKS: self._task,
            Resource.RETURNS: self._return,
            Resource.EXCEPTIONS: self._exception,
        }[resource](tenant)
        priority = Priority(made["priority"])
        due = self.now + int(_SLA[priority] * self.random.uniform(0.3, 1.2))
        if self.random.random() < 0.85:
            made["sla_due_at"] = iso(due)
        return {"tenant_id": tenant, **made}

    def _with_past(self, resource: Resource, external_id: str, status: str) -> dict[str, Any]:
        item = self.new(resource)
        chance = self.random
        patience = _WAITS[Priority(item["priority"])]
        old = chance.uniform(1, 40) * DAY if status in _DONE else chance.expovariate(1 / patience) + MINUTE
        created = self.now - int(min(old, 60 * DAY))
        # Most of what is promised is kept.
        longest = int(1.25 * _SLA[Priority(item["priority"])])
        updated = created + int(chance.uniform(0.02, 0.9) * min(self.now - created, longest))
        worker = chance.choice(OPERATORS) if status in _HELD or status in _DONE else None
        if "sla_due_at" in item:
            sla = _SLA[Priority(item["priority"])]
            item["sla_due_at"] = iso(created + int(sla * chance.uniform(0.5, 1.6)))
        item |= {
            "external_id": external_id,
            "status": status,
            "created_at": iso(created),
            "updated_at": iso(updated),
            "events": self._timeline(resource, created, updated, status, worker),
        }
        if worker is not None:
            item["assignee"] = worker
        return item

    def _timeline(
        self, resource: Resource, created: int, updated: int, status: str, worker: str | None
    ) -> list[dict[str, Any]]:
        chance, who = self.random, worker or self.random.choice(OPERATORS)
        events: list[tuple[int, dict[str, Any]]] = [(created, {"actor": "shop", "type": "created"})]
        before, way = str(FIRST_STATUS[resource]), _WAYS[resource].get(status, ())
        moments = [*sorted(chance.randint(created, updated) for _ in way[1:]), updated]
        for moment, after in zip(moments, way, strict=False):
            changes: dict[str, Any] = {"status": [before, after]}
            claims = worker is not None and before == FIRST_STATUS[resource]
            if claims:
                changes["assignee"] = [None, worker]
            events.append((moment, {"actor": who, "type": "claim" if claims else "update-status", "changes": changes}))
            before = after
        for _ in range(chance.choice((0, 0, 1, 2))):
            comment = {"actor": who, "type": "comment", "body": chance.choice(COMMENTS)}
            events.append((chance.randint(created, updated), comment))
        return [{"at": iso(at), **event} for at, event in sorted(events, key=lambda each: each[0])]

    # ----- what is in them

    def _words(self, tenant: str) -> dict[str, str]:
        chance = self.random
        return {
            "product": chance.choice(PRODUCTS[tenant]),
            "customer": chance.choice(CUSTOMERS),
            "order": f"{tenant[:2].upper()}-{chance.randint(100_000, 999_999)}",
            "days": str(chance.randint(2, 12)),
        }

    def _task(self, tenant: str) -> dict[str, Any]:
        chance, words = self.random, self._words(tenant)
        topic = chance.choices(TOPICS, (30, 18, 16, 20, 14, 2, 6))[0]
        usual = Priority(topic.priority)
        priority = usual if chance.random() < 0.75 else chance.choice((Priority.HIGH, Priority.NORMAL, Priority.LOW))
        return {
            "kind": topic.kind,
            "category": topic.category,
            "priority": str(priority),
            "title": _sentence(chance.choice(topic.titles).format(**words)),
            "body": chance.choice(topic.bodies).format(**words),
            "fields": {
                "customer": words["customer"],
                "order": words["order"],
                "channel": chance.choice(("mail", "chat", "phone")),
            },
        }

    def _return(self, tenant: str) -> dict[str, Any]:
        chance, words = self.random, self._words(tenant)
        reason, body = chance.choice(RETURN_REASONS)
        amount = round(chance.lognormvariate(3.8, 0.8), 2)
        return {
            "kind": "return",
            "category": reason.replace(" ", "_"),
            "priority": str(Priority.HIGH if amount > 150 else Priority.NORMAL),
            "title": f"{words['order']}: {words['product']}, {reason}",
            "body": body.format(**words),
            "fields": {
                "order": words["order"],
                "customer": words["customer"],
                "amount": amount,
                "currency": chance.choice(("EUR", "EUR", "SEK", "GBP")),
                "reason": reason,
            },
        }

    def _exception(self, tenant: str) -> dict[str, Any]:
        chance, words = self.random, self._words(tenant)
        fault = chance.choice(FAULTS)
        attempts = chance.randint(1, 5)
        return {
            "kind": fault.kind,
            "category": fault.category,
            "priority": str(chance.choices(list(Priority), (5, 25, 55, 15))[0]),
            "title": _sentence(chance.choice(fault.titles).format(**words)),
            "body": f"{fault.error}\n\nGiven up after {attempts} attempts.",
            "fields": {"queue": fault.category, "attempts": attempts, "order": words["order"]},
        }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
