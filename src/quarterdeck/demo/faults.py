"""How machine work fails in the demo world."""

from __future__ import annotations

from random import Random
from typing import NamedTuple


class Mishap(NamedTuple):
    """One way to fail. `weight` is per thousand attempts; `message` may name {order} and {number}."""

    weight: int
    error_class: str
    code: str
    message: str
    retry_after: int | None = None
    detail: str = ""


REFUNDS = (
    Mishap(60, "rate_limit", "429", "The payment provider takes 10 refunds a second, not more.", 4),
    Mishap(50, "network", "503", "The payment provider is not available: upstream pay-{number} did not answer."),
    Mishap(15, "timeout", "timed_out", "No answer from the payment provider within 10 s."),
    Mishap(
        9,
        "validation",
        "amount_too_high",
        "{order}: the refund is higher than what was paid.",
        detail='{"error": "amount_too_high", "paid": 12.40, "refunded_before": 12.40}',
    ),
    Mishap(4, "permission", "merchant_locked", "The merchant account of this shop is locked until it is verified."),
)
EMAILS = (
    Mishap(30, "timeout", "smtp_timeout", "mx{number}.example.com did not answer within 8 s."),
    Mishap(15, "rate_limit", "421", "421 4.7.0 Too many messages from this sender, try again later.", 5),
    Mishap(8, "validation", "550", "550 5.1.1 The address of order {order} does not exist."),
)
INDEXING = (
    Mishap(60, "network", "connection_lost", "The search server closed the connection after {number} products."),
    Mishap(8, "unknown", "mapping_conflict", "Field price is a number in the index and a text in {order}."),
)
# What the receiver of webhooks answers: status -> weight per thousand.
ANSWERS = {503: 50, 429: 30, 422: 8, 502: 12, 301: 2}

_ALL = {"refunds-api": REFUNDS, "emails": EMAILS, "search-index": INDEXING}


def mishap(random: Random, queue: str) -> Mishap | None:
    """What goes wrong this time; mostly nothing."""
    drawn = random.randrange(1_000)
    for each in _ALL[queue]:
        drawn -= each.weight
        if drawn < 0:
            return each
    return None


def worded(random: Random, each: Mishap, order: object) -> str:
    return each.message.format(order=order, number=random.randint(1, 40))
