"""What an action does to items, as SQL: one description serves one item and a million.

An effect says which columns it sets to which values, to which states it applies, and what refuses it.
`verdict` turns that into one SQL value per item: NULL where the item is eligible, else a problem code.
`carry_out` writes the timeline and the items in two statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Row,
    SmallInteger,
    Text,
    Update,
    and_,
    case,
    cast,
    insert,
    literal,
    null,
    select,
    update,
)

from quarterdeck.contract.enums import Priority
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

# The columns a timeline tells of. claimed_until is kept so that undo restores a claim as it was.
TOLD = ("status", "priority", "category", "assignee", "claimed_until", "deleted_at")
_UNCHANGED_LOOKS_AT = ("status", "priority", "category", "assignee", "deleted_at")

Value = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """`states` None means every state. `in_bin` effects apply to deleted items, others to the rest.

    `counts_as_change` raises the item's version, which is what guards, undo and other people look at.
    `looks_for_change` refuses items that already are as the effect would make them. `to` is the state it
    leads to, if it leads to one.
    """

    event: str
    sets: Mapping[str, Value]
    states: frozenset[str] | None = None
    refusals: tuple[tuple[ColumnElement[bool], Code], ...] = ()
    body: str | None = None
    in_bin: bool = False
    counts_as_change: bool = True
    looks_for_change: bool = True
    to: str | None = None


def verdict(effect: Effect, principal: Principal, resource: str) -> ColumnElement[Any]:
    """NULL where the effect may be carried out, else the code of what is in the way."""
    rules: list[tuple[ColumnElement[bool], Any]] = [(items.c.resource != resource, Code.NOT_FOUND)]
    if principal.tenants is not None:
        rules.append((items.c.tenant_id.not_in(sorted(principal.tenants)), Code.NOT_FOUND))
    in_bin = items.c.deleted_at.is_not(None)
    rules.append((~in_bin if effect.in_bin else in_bin, Code.NOT_FOUND))
    if effect.states is not None:
        rules.append((items.c.status.not_in(sorted(effect.states)), Code.WRONG_STATE))
    rules += effect.refusals
    same = [
        items.c[name].is_not_distinct_from(value) for name, value in effect.sets.items() if name in _UNCHANGED_LOOKS_AT
    ]
    if same and effect.looks_for_change:
        rules.append((and_(*same), Code.UNCHANGED))
    return case(*((condition, literal(str(code), Text)) for condition, code in rules), else_=null())


async def carry_out(
    effect: Effect,
    scope: ColumnElement[bool],
    transaction: Transaction,
    dialect: Dialect,
    *,
    actor: str,
    operation_id: int | None = None,
) -> None:
    """Write events, then items, for every item in `scope`, which must hold only eligible ones."""
    events, changes = _statements(effect, scope, transaction, dialect, actor, operation_id)
    await transaction.connection.execute(events)
    await transaction.connection.execute(changes, execution_options={"synchronize_session": False})


async def carry_out_on(
    item_id: int, effect: Effect, transaction: Transaction, dialect: Dialect, *, actor: str
) -> tuple[int, Row[Any]]:
    """The same for one item: (id of the event, the item as it is now)."""
    events, changes = _statements(effect, items.c.id == item_id, transaction, dialect, actor, None)
    event_id: int = (await transaction.connection.execute(events.returning(item_events.c.id))).scalar_one()
    return event_id, (await transaction.connection.execute(changes.returning(*items.c))).one()


def _statements(
    effect: Effect,
    scope: ColumnElement[bool],
    transaction: Transaction,
    dialect: Dialect,
    actor: str,
    operation_id: int | None,
) -> tuple[Insert, Update]:
    """What writes the timeline, and what changes the items."""
    step = 1 if effect.counts_as_change else 0
    pairs = [(name, _told(name, items.c[name]), _told(name, effect.sets[name])) for name in TOLD if name in effect.sets]
    source = select(
        items.c.id,
        literal(transaction.now, items.c.updated_at.type),
        literal(actor, Text),
        literal(effect.event, Text),
        literal(effect.body, Text),
        dialect.changes(pairs) if pairs else cast(null(), Text),
        cast(literal(operation_id), item_events.c.operation_id.type),
        items.c.version + literal(step, Integer),
    ).where(scope)
    columns = ["item_id", "at", "actor", "type", "body", "changes", "operation_id", "version_after"]
    values: dict[str, Any] = {**effect.sets, "updated_at": transaction.now, "version": items.c.version + step}
    return insert(item_events).from_select(columns, source), update(items).where(scope).values(values)


def priority_name(rank: Value) -> Value:
    return case(*((rank == each.rank, literal(str(each), Text)) for each in Priority), else_=null())


def priority_rank(name: Value) -> Value:
    return case(
        *((name == str(each), literal(each.rank, SmallInteger)) for each in Priority), else_=literal(2, SmallInteger)
    )


def _told(name: str, value: Value) -> Value:
    return priority_name(value) if name == "priority" else value


def restore_from(changes: Value, names: tuple[str, ...], dialect: Dialect) -> dict[str, Value]:
    """Set each column back to what `changes` (a JSON text) recorded before it; others stay."""
    restored: dict[str, Value] = {}
    for name in names:
        before = dialect.part(changes, name, 0)
        if name == "priority":
            restored[name] = priority_rank(before)
        elif name in ("claimed_until", "deleted_at"):
            restored[name] = cast(before, items.c[name].type)
        else:
            restored[name] = before
    return restored
