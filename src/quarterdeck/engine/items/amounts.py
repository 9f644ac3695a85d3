"""What a bulk refund pays out, by currency."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.models.bulk import AmountSum
from quarterdeck.engine.items.tables import item_details
from quarterdeck.engine.store.dialect import Dialect

PAYS = "refund"
_MOST_CURRENCIES = 200  # there are fewer; what an import brought may be anything
_LONGEST_AMOUNT = 40
_PART = 20_000  # items read at once


async def sums(
    connection: AsyncConnection,
    dialect: Dialect,
    ids: ColumnElement[Any],
    among: ColumnElement[bool],
    spread: tuple[ColumnElement[int], int, int],
) -> list[AmountSum]:
    """The fields `amount` of items, added up by their field `currency`; an item without a number is in no sum.

    `ids` where `among` are those items; `spread` is a column by which to take them in parts, with its lowest and
    highest value. Decimal, not float: cents add up.
    """
    column, lowest, highest = spread
    amount, currency = (dialect.part(item_details.c.fields, name) for name in ("amount", "currency"))
    found: dict[str | None, tuple[Decimal, int]] = {}
    for first in range(lowest, highest + 1, _PART):
        part = column.between(first, min(first + _PART - 1, highest))
        each = (
            select(currency.label("currency"), amount.label("amount"))
            .where(item_details.c.item_id == ids, among, part)
            .subquery()
        )
        grouped = select(each.c.currency, each.c.amount, func.count()).group_by(each.c.currency, each.c.amount)
        for named, text, number in (await connection.execute(grouped)).all():
            value = _number(text)
            if value is not None and (named in found or len(found) < _MOST_CURRENCIES):
                total, count = found.get(named, (Decimal(0), 0))
                found[named] = total + value * number, count + number
    made = [AmountSum(currency=name, amount=f"{total:f}", items=count) for name, (total, count) in found.items()]
    return sorted(made, key=lambda each: (-each.items, each.currency or ""))


def _number(text: str | None) -> Decimal | None:
    if text is None or len(text) > _LONGEST_AMOUNT:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # An exponent of thousands would make a sum of as many digits.
    return value if value.is_finite() and abs(value.adjusted()) < _LONGEST_AMOUNT else None
