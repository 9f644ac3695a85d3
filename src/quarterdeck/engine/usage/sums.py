"""Adding to the sums by minute and by day, in the transaction that keeps what is added."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Table, Text, bindparam, literal, select

from quarterdeck.contract.clock import DAY, MINUTE
from quarterdeck.contract.live import Message
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.tables import OURS, usage_days, usage_events, usage_minutes

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

# (minute it begins, tenant, resource type) -> quantity; times in milliseconds.
Amounts = Mapping[tuple[int, str, str], int]

_COLUMNS = {"at": BigInteger(), "tenant_id": Text(), "resource_type": Text(), "quantity": BigInteger()}


async def add(transaction: Transaction, dialect: Dialect, amounts: Amounts) -> None:
    """Two statements. The caller has kept the events in the same transaction."""
    days: Counter[tuple[int, str, str]] = Counter()
    for (minute, tenant, kind), quantity in amounts.items():
        days[minute - minute % DAY, tenant, kind] += quantity
    for table, found in ((usage_minutes, amounts), (usage_days, days)):
        if found:
            await transaction.connection.execute(_adding(dialect, table), {"amounts": _listed(found)})


def tell(engine: Engine, transaction: Transaction) -> None:
    """Consoles hear that totals have moved."""
    transaction.after_commit(lambda: engine.hub.publish_figures(Message.USAGE_CHANGED))


async def add_ours(transaction: Transaction, dialect: Dialect, amounts: Amounts) -> None:
    """What the engine has metered itself: one event a minute, tenant and resource type, which grows."""
    if amounts:
        given = {"amounts": _listed(amounts), "now": transaction.now}
        await transaction.connection.execute(_keeping(dialect), given)
        await add(transaction, dialect, amounts)


def minute_of(moment: int) -> int:
    return moment - moment % MINUTE


def kept_name(name: str) -> str:
    """A name that a store can keep. What it cannot is refused wherever names come from; should it get through, it must
    not stop all counting."""
    return name.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _listed(amounts: Amounts) -> str:
    return json.dumps([[*key, quantity] for key, quantity in amounts.items()])


@cache
def _adding(dialect: Dialect, table: Table) -> Any:
    """In the order of the key, so that two who add never wait for each other in a circle."""
    said = dialect.listed("amounts", _COLUMNS)
    key = [said.c[column.name] for column in table.primary_key]
    new = dialect.insert(table).from_select([*_COLUMNS], select(*said.c).order_by(*key))
    added = {"quantity": table.c.quantity + new.excluded.quantity}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=added)


@cache
def _keeping(dialect: Dialect) -> Any:
    said = dialect.listed("amounts", _COLUMNS)
    name = said.c.resource_type + literal("@", Text) + said.c.at.cast(Text)
    rows = select(
        said.c.tenant_id,
        literal(OURS, Text).label("source"),
        name.label("event_id"),
        said.c.resource_type,
        said.c.quantity,
        said.c.at,
        bindparam("now", type_=BigInteger).label("recorded_at"),
    ).order_by(said.c.tenant_id, name)
    new = dialect.insert(usage_events).from_select([column.name for column in rows.selected_columns], rows)
    grown = {"quantity": usage_events.c.quantity + new.excluded.quantity, "recorded_at": new.excluded.recorded_at}
    return new.on_conflict_do_update(index_elements=list(usage_events.primary_key), set_=grown)
