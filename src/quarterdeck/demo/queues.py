"""The machine work of the demo world: its queues, and what goes through them."""

from __future__ import annotations

from random import Random
from typing import Any

from quarterdeck.contract.clock import MINUTE, iso, now_ms
from quarterdeck.demo.words import CUSTOMERS, PRODUCTS, TENANTS

# What the engine of a demo home has to allow: a receiver and handlers of the demo's own, and a quick look at workers.
CONFIG = """\
# The demo's own; a home of yours needs none of this.
[engine]
allowed_addresses = ["127.0.0.1/32"]
handler_modules = ["quarterdeck.demo.handlers"]

[workers]
check_seconds = 5
check_timeout_seconds = 2

# Refunds and reports that cannot be done are handed to a person.
[exceptions]
filter = "queue:refunds-api,reports"
"""

# name -> settings as the API takes them; the target of webhooks is where the demo listens today.
QUEUES: dict[str, dict[str, Any]] = {
    "refunds-api": {
        "handler": "worker",
        "concurrency": 8,
        "tenant_concurrency": 4,
        "max_attempts": 4,
        "backoff": {"base": 2, "factor": 2, "cap": 20},
        "timeout_seconds": 20,
        "priority": "high",
    },
    "emails": {
        "handler": "worker",
        "concurrency": 16,
        "rate_per_second": 20,
        "max_attempts": 3,
        "backoff": {"base": 2, "factor": 2, "cap": 20},
        "timeout_seconds": 15,
        "exceptions": False,
    },
    "webhooks": {
        "handler": "http",
        "concurrency": 8,
        "max_attempts": 5,
        "backoff": {"base": 1, "factor": 2, "cap": 15},
        "timeout_seconds": 4,
    },
    "search-index": {
        "handler": "worker",
        "concurrency": 2,
        "max_attempts": 3,
        "backoff": {"base": 1, "factor": 2, "cap": 10},
        "timeout_seconds": 60,
        "priority": "low",
        "exceptions": False,
    },
    "reports": {
        "handler": "python",
        "target": "quarterdeck.demo.handlers:report",
        "concurrency": 3,
        "max_attempts": 3,
        "backoff": {"base": 2, "factor": 2, "cap": 20},
        "timeout_seconds": 15,
    },
    "stock-sync": {"handler": "worker", "concurrency": 2},
}
# What is paused, and why.
PAUSED = {"stock-sync": "The supplier moves to another data centre until tonight."}

# queue -> how often something comes for it, beside the others.
_WEIGHTS = {"refunds-api": 22, "emails": 42, "webhooks": 24, "search-index": 7, "reports": 4, "stock-sync": 1}
_MAILS = ("mail.order_confirmed", "mail.order_confirmed", "mail.parcel_sent", "mail.refund_sent", "mail.newsletter")
_EVENTS = ("order.created", "order.created", "order.shipped", "order.refunded", "stock.changed")
_REPORTS = ("report.sales", "report.vat", "report.returns")
# One in so many pieces of indexing is a document that takes the worker along that reads it.
_POISON = 80


class Feed:
    """Makes runs, as `runs.enqueue` takes them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.tenant = TENANTS[0]
        self._poison = True

    def some(self, number: int) -> list[dict[str, Any]]:
        names = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=number)
        return [self.run(name) for name in names]

    def backlog(self) -> list[dict[str, Any]]:
        """What stands there when somebody opens the demo for the first time."""
        numbers = {"emails": 110, "refunds-api": 40, "webhooks": 50, "search-index": 8, "reports": 6, "stock-sync": 17}
        self._poison = False
        made = [self.run(name) for name, number in numbers.items() for _ in range(number)]
        self._poison = True
        later = [self.run("emails") | {"kind": "mail.newsletter"} for _ in range(25)]
        for minutes, run in enumerate(later, 5):
            run["run_at"] = iso(now_ms() + minutes * MINUTE)
        return made + later

    def run(self, queue: str) -> dict[str, Any]:
        kind, payload = self.work(queue)
        return {"queue": queue, "kind": kind, "tenant_id": self.tenant, "payload": payload}

    def work(self, queue: str) -> tuple[str, dict[str, Any]]:
        """Kind and payload; `tenant` is whose it is."""
        chance = self.random
        self.tenant = tenant = chance.choices(TENANTS, (5, 3, 2))[0]
        order = f"{tenant[:2].upper()}-{chance.randint(100_000, 999_999)}"
        who = chance.choice(CUSTOMERS)
        match queue:
            case "refunds-api":
                amount = round(chance.lognormvariate(3.6, 0.8), 2)
                card = {"card_number": f"4000 0000 0000 {chance.randint(1000, 9999)}", "holder": who}
                kind = chance.choices(("refund.send", "refund.reverse"), (9, 1))[0]
                return kind, {"order": order, "amount": amount, "currency": "EUR", "card": card}
            case "emails":
                kind = chance.choice(_MAILS)
                name = "".join(letter for letter in who.lower() if letter.isascii() and letter.isalpha()) or "customer"
                return kind, {"to": f"{name}@example.com", "template": kind.removeprefix("mail."), "order": order}
            case "webhooks":
                lines = [
                    {"sku": chance.randint(1_000, 9_999), "title": chance.choice(PRODUCTS[tenant]), "quantity": n}
                    for n in range(1, chance.randint(2, 4))
                ]
                return chance.choice(_EVENTS), {"order": order, "customer": {"name": who}, "lines": lines}
            case "search-index":
                if self._poison and chance.randrange(_POISON) == 0:
                    return "index.document", {"document": f"{order}-manual.pdf", "pages": 4_096}
                return "index.products", {"shop": tenant, "products": chance.randint(40, 400)}
            case "reports":
                kind = chance.choice(_REPORTS)
                return kind, {"shop": tenant, "month": f"2026-{chance.randint(1, 12):02}", "format": "pdf"}
            case _:
                return "stock.fetch", {"shop": tenant, "supplier": f"supplier-{chance.randint(1, 9)}"}
