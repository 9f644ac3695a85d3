"""What the demo's shops have used for two months, and what they may use."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.contract.clock import DAY, HOUR, iso, to_datetime, to_ms
from quarterdeck.contract.enums import Metered, Period, Role
from quarterdeck.contract.operations import usage
from quarterdeck.contract.principal import Principal
from quarterdeck.demo.words import LEAD, TENANTS

SMS, LABELS = "sms_sent", "labels_printed"
_DAYS_BACK = 61
_SOURCE = "https://gateway.example"
# A day of the largest shop, and by how much the last two months have grown.
_SIZES = {
    str(Metered.API_CALLS): (21_000, 0.5),
    str(Metered.NOTIFICATIONS_SENT): (640, 0.1),
    SMS: (310, 0.8),
    LABELS: (130, -0.2),
}
_SHARES = dict(zip(TENANTS, (1.0, 0.55, 0.2), strict=True))
# (tenant or all of them, resource type, part that is used already): what is full soon, and what is not.
_LIMITS = (
    (TENANTS[0], SMS, 0.87),
    (None, SMS, 0.6),
    (TENANTS[1], str(Metered.API_CALLS), 0.55),
    (TENANTS[2], LABELS, 1.04),
)


def used_now(random: Random, number: int) -> dict[str, Any]:
    """A shop sends some messages or prints a label; `number`: of the event."""
    kind = random.choice((SMS, SMS, LABELS))
    quantity = random.randint(1, 6) if kind == SMS else 1
    return {
        "source": f"{_SOURCE}/live",
        "id": str(number),
        "tenant_id": random.choice(TENANTS),
        "resource_type": kind,
        "quantity": quantity,
    }


async def meter(client: Client, now: int, random: Random) -> None:
    """Raises Problem, Unreachable."""
    events = past(now, random)
    usual, client.act_as = client.act_as, Principal(LEAD, Role.ADMIN)
    try:
        await client.call(usage.RECORD, body={"events": events})
        for tenant, kind, part in _LIMITS:
            limit = _round(_this_month(events, tenant or TENANTS[0], kind, now) / part)
            body = {"resource_type": kind, "tenant_id": tenant, "period": Period.MONTH, "quantity": limit}
            await client.call(usage.SET_LIMIT, body=body)
    finally:
        client.act_as = usual


def past(now: int, random: Random) -> list[dict[str, Any]]:
    """Whole days; of yesterday and today each hour."""
    yesterday = now - now % DAY - DAY
    days = range(yesterday - _DAYS_BACK * DAY, yesterday, DAY)
    steps = [*((at, DAY) for at in days), *((at, HOUR) for at in range(yesterday, now - HOUR, HOUR))]
    return [
        _event(at, length, tenant, kind, now, random) for at, length in steps for tenant in TENANTS for kind in _SIZES
    ]


def _event(at: int, length: int, tenant: str, kind: str, now: int, random: Random) -> dict[str, Any]:
    size, growth = _SIZES[kind]
    busy = 0.45 if to_datetime(at).weekday() >= 5 else 1.0
    if length == HOUR:
        busy *= max(0.1, 1.6 * math.sin((at % DAY) / DAY * 2 * math.pi - 1.6) + 0.9) / 24
    grown = 1 + growth * (at - now) / (_DAYS_BACK * DAY)
    quantity = size * _SHARES[tenant] * busy * grown * random.uniform(0.8, 1.2)
    return {
        "source": _SOURCE,
        "id": f"{kind}-{tenant}-{iso(at)}",
        "tenant_id": tenant,
        "resource_type": kind,
        "quantity": max(1, round(quantity)),
        "time": iso(at),
    }


def _this_month(events: list[dict[str, Any]], tenant: str, kind: str, now: int) -> float:
    begun = iso(to_ms(to_datetime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)))
    mine = (each for each in events if (each["tenant_id"], each["resource_type"]) == (tenant, kind))
    return float(sum(each["quantity"] for each in mine if each["time"] >= begun)) or 100.0


def _round(number: float) -> int:
    """Two figures that count, as people write limits."""
    power = int(10 ** max(0, int(math.log10(max(number, 1))) - 1))
    return max(1, math.ceil(number / power)) * power
