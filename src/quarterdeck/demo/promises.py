"""What the demo's shops promise: round the clock, in office hours, and one customer who pays for speed."""

from __future__ import annotations

from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.contract.clock import DAY, iso
from quarterdeck.contract.enums import Resource, Role
from quarterdeck.contract.operations import sla
from quarterdeck.contract.principal import Principal
from quarterdeck.demo.words import LEAD, TENANTS

# Further back than the past of any item.
_SINCE = 100 * DAY
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def _targets(**minutes: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {"priority": name, "first_response_minutes": first, "resolution_minutes": whole}
        for name, (first, whole) in minutes.items()
    ]


_ROUND_THE_CLOCK = {
    "name": "Round the clock",
    "resource": Resource.SUPPORT_TASKS,
    "settings": {
        "targets": _targets(urgent=(120, 240), high=(480, 720), normal=(1_440, 2_880), low=(3_600, 5_760)),
        "escalation": [
            {"percent": 75, "act": "raise_priority"},
            {"percent": 100, "act": "notify", "note": "Call the customer and say when it will be done."},
        ],
    },
}
_PREMIUM = {
    "name": "Premium",
    "resource": Resource.SUPPORT_TASKS,
    "tenant_id": TENANTS[0],
    "settings": {
        "targets": _targets(urgent=(3, 10), high=(5, 20), normal=(10, 45), low=(30, 120)),
        "escalation": [
            {"percent": 60, "target": "first_response", "act": "assign", "assignee": LEAD},
            {"percent": 80, "act": "raise_priority"},
            {"percent": 100, "act": "raise_priority", "does": "do"},
        ],
    },
}
_OFFICE_HOURS = {
    "name": "Returns in office hours",
    "resource": Resource.RETURNS,
    "settings": {
        "targets": _targets(high=(90, 180), normal=(240, 480)),
        "calendar": {
            "timezone": "Europe/Stockholm",
            "country": "SE",
            "windows": [
                {"days": _WEEKDAYS, "start": "08:00", "end": "12:00"},
                {"days": _WEEKDAYS, "start": "13:00", "end": "17:00"},
            ],
        },
        "pauses": ["approved"],  # the parcel is on its way
        "escalation": [
            {"percent": 80, "act": "assign", "assignee": LEAD},
            {"percent": 100, "act": "notify", "note": "Offer a voucher."},
        ],
    },
}


async def promise(client: Client, now: int) -> None:
    """Before there are items: those with a past get the clocks of that past; premium begins today."""
    usual, client.act_as = client.act_as, Principal(LEAD, Role.ADMIN)
    try:
        for policy in (_ROUND_THE_CLOCK, _OFFICE_HOURS):
            await client.call(sla.CREATE, body={**policy, "effective_from": iso(now - _SINCE)})
        await client.call(sla.CREATE, body=_PREMIUM)
    finally:
        client.act_as = usual
