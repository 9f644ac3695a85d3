"""What a refund of many pays out."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.enums import Resource
from tests.support.desk import Desk


async def _received(desk: Desk, **fields: Any) -> int:
    (number,) = await desk.new(fields=fields)
    await desk.force(number, status="received")
    return number


async def test_amounts_are_added_up_by_currency_to_the_cent(desk: Desk) -> None:
    desk = desk.at(Resource.RETURNS)
    for _ in range(3):
        await _received(desk, amount=0.1, currency="EUR")
    await _received(desk, amount="1200.05", currency="EUR")
    await _received(desk, amount=99, currency="USD")
    await _received(desk, amount=5)
    await _received(desk, currency="EUR")
    await _received(desk, amount="a lot", currency="EUR")
    await _received(desk, amount="NaN", currency="EUR")
    await desk.new(fields={"amount": 7_000, "currency": "EUR"})
    preview = await desk.draft("refund", (await desk.select()).token)
    assert (preview.operation.eligible, preview.operation.skipped) == (9, 1)
    assert [(each.currency, each.amount, each.items) for each in preview.sums] == [
        ("EUR", "1200.35", 4),
        (None, "5", 1),
        ("USD", "99", 1),
    ]
    assert preview.unsummed == 3


async def test_what_pays_nothing_adds_nothing_up(desk: Desk) -> None:
    desk = desk.at(Resource.RETURNS)
    number = await _received(desk, amount=5, currency="EUR")
    preview = await desk.draft("set-priority", [number], priority="low")
    assert (preview.sums, preview.unsummed) == ([], 0)
