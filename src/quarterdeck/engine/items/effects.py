"""What an action does to items, as SQL: one description serves one item and a million.

An effect says which columns it sets to which values, to which states it applies, and what refuses it.
`verdict` turns that into one SQL value per item: NULL where the item is eligible, else a problem code.
`carry_out` writes the timeline and the items in two statements; `on_one` is the same for a single item.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Select,
    SmallInteger,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.types import TypeEngine

from quarterdeck.contract.enums import Priority
from quarterdeck.contract.principal import SYSTEM, Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.sla.following import WATCHED, clocked, follow
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.shapes import Shapes
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

    @property
    def parts(self) -> list[Value]:
        """The SQL in it."""
        return [*self.sets.values(), *(condition for condition, _ in self.refusals)]

    @property
    def fixed(self) -> Hashable:
        """What its statements are made of, beside `parts`."""
        codes = tuple(code for _, code in self.refusals)
        return (tuple(self.sets), codes, self.states, self.in_bin, self.counts_as_change, self.looks_for_change)

    def of(self, parts: Sequence[Value]) -> Effect:
        """The same with other parts."""
        sets = dict(zip(self.sets, parts, strict=False))
        refusals = zip(parts[len(sets) :], (code for _, code in self.refusals), strict=True)
        return replace(self, sets=sets, refusals=tuple(refusals))


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
    told = _told_once(effect, transaction.now, actor)
    written = {name: literal(told[name], kind) for name, kind in _ONCE.items()}
    events, changes = _statements(effect, scope, dialect, written, operation_id)
    # Before the change: what is in `scope` may not be in it afterwards.
    ids = await clocked(transaction.connection, scope) if concerns_clocks(effect, actor) else []
    await transaction.connection.execute(events)
    await transaction.connection.execute(changes)
    await clocks_follow(effect, ids, transaction, dialect, actor)


def concerns_clocks(effect: Effect, actor: str) -> bool:
    return _answers(effect, actor) or bool(WATCHED & effect.sets.keys())


async def clocks_follow(
    effect: Effect, ids: Sequence[int], transaction: Transaction, dialect: Dialect, actor: str
) -> bool:
    """After the effect: whether it moved a clock of one of these items."""
    return bool(ids) and await follow(transaction, dialect, ids, answered=_answers(effect, actor))


def _answers(effect: Effect, actor: str) -> bool:
    return effect.event == "comment" and actor != SYSTEM.actor


@dataclass(frozen=True, slots=True)
class OnOne:
    """An effect on one item, ready to be executed with `values`.

    `judge` finds the item with what is in the way as `code`; `events` returns the id of the event, `changes`
    the item as it is then.
    """

    judge: Select[Any]
    events: ReturningInsert[Any]
    changes: ReturningUpdate[Any]


_on_one: Shapes[OnOne] = Shapes()
_ITEM = bindparam("the_item", type_=items.c.id.type)
# What is the same for every item.
_ONCE: dict[str, TypeEngine[Any]] = {
    "the_time": items.c.updated_at.type,
    "the_actor": Text(),
    "the_event": Text(),
    "the_body": Text(),
}


def on_one(
    effect: Effect, principal: Principal, resource: str, transaction: Transaction, dialect: Dialect
) -> tuple[OnOne, dict[str, Any]]:
    """The same for one item, and the values to execute it with, all but `the_item`."""

    def build(parts: list[Value]) -> OnOne:
        shaped = effect.of(parts)
        judge = select(items, verdict(shaped, principal, resource).label("code")).where(items.c.id == _ITEM)
        written = {name: bindparam(name, type_=kind) for name, kind in _ONCE.items()}
        events, changes = _statements(shaped, items.c.id == _ITEM, dialect, written, None)
        return OnOne(dialect.lock(judge), events.returning(item_events.c.id), changes.returning(*items.c))

    fixed = (dialect.name, principal.tenants, resource, effect.fixed)
    built, values = _on_one.of(fixed, effect.parts, build)
    return built, {**values, **_told_once(effect, transaction.now, principal.actor)}


def _told_once(effect: Effect, now: int, actor: str) -> dict[str, Any]:
    return {"the_time": now, "the_actor": actor, "the_event": effect.event, "the_body": effect.body}


def _statements(
    effect: Effect,
    scope: ColumnElement[bool],
    dialect: Dialect,
    once: Mapping[str, Value],
    operation_id: int | None,
) -> tuple[Insert, Update]:
    """What writes the timeline, and what changes the items."""
    step = 1 if effect.counts_as_change else 0
    pairs = [(name, _told(name, items.c[name]), _told(name, effect.sets[name])) for name in TOLD if name in effect.sets]
    source = select(
        items.c.id,
        *once.values(),
        dialect.changes(pairs) if pairs else cast(null(), Text),
        cast(literal(operation_id), item_events.c.operation_id.type),
        items.c.version + literal(step, Integer),
    ).where(scope)
    columns = ["item_id", "at", "actor", "type", "body", "changes", "operation_id", "version_after"]
    values: dict[str, Any] = {**effect.sets, "updated_at": once["the_time"], "version": items.c.version + step}
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
