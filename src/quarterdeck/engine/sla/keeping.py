"""Writes clocks down: their rows, their lines in timelines, and when their items are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, Table, bindparam, update

from quarterdeck.contract.clock import iso
from quarterdeck.contract.enums import ClockState, SlaTarget
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.items.tables import NO_DUE, item_events, items
from quarterdeck.engine.sla.clockwork import BREACHED, Change, Clock, Rules, due_of, moment_of
from quarterdeck.engine.sla.tables import forget_places, sla_breaches, sla_clocks, sla_due
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

LABELS = {SlaTarget.FIRST_RESPONSE: "first response", SlaTarget.RESOLUTION: "resolution"}
_KEY = ("item_id", "target")
# A line of a clock changes no item, so no undo and no import takes it for one of its own.
NO_VERSION = 0
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose clocks they are."""

    item_id: int
    tenant_id: str
    resource: str
    due_at: int


@dataclass(slots=True)
class Kept:
    """What is to be written, of any number of items."""

    clocks: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    breaches: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    dues: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, owner: Owner, version_id: int, rules: Rules, clocks: Sequence[Clock], changes: Sequence[Change]
    ) -> None:
        """All clocks of an item, and what they have to say."""
        about = {"item_id": owner.item_id, "tenant_id": owner.tenant_id, "resource": owner.resource}
        for each in clocks:
            row = {**about, **_row(version_id, rules, each)}
            self.clocks.append(row)
            shared = {name: row[name] for name in (*about, "target", "priority")}
            if row["next_at"] is not None:
                self.places.append({**shared, "next_at": row["next_at"], "breaks": _only_breaks(rules, each)})
            if each.breached_at is not None:
                self.breaches.append({**shared, "breached_at": each.breached_at, "ended_at": each.ended_at})
        self.lines += _lines(owner, changes)
        due = due_of(clocks)
        due = NO_DUE if due is None else min(due, NO_DUE - 1)
        if due != owner.due_at:
            self.dues.append({"the_item": owner.item_id, "the_due": due})

    async def write(self, transaction: Transaction, dialect: Dialect) -> None:
        if not self.clocks:
            return
        connection = transaction.connection
        ids = dialect.id_list(sorted({row["item_id"] for row in self.clocks}))
        await connection.execute(forget_places(ids))
        for rows, statement in (
            (self.clocks, _upsert(dialect, sla_clocks)),
            (self.places, dialect.insert(sla_due).on_conflict_do_nothing()),
            (self.breaches, _upsert(dialect, sla_breaches)),
            (self.lines, item_events.insert()),
            (self.dues, _DUE),
        ):
            for begin in range(0, len(rows), _AT_ONCE):
                await connection.execute(statement, rows[begin : begin + _AT_ONCE])


def _upsert(dialect: Dialect, table: Table) -> Any:
    made = dialect.insert(table)
    values = {each.name: made.excluded[each.name] for each in table.columns if each.name not in _KEY}
    return made.on_conflict_do_update(index_elements=list(_KEY), set_=values)


_DUE = (
    update(items)
    .where(items.c.id == bindparam("the_item", type_=BigInteger().with_variant(Integer(), "sqlite")))
    .values(sla_due_at=bindparam("the_due", type_=BigInteger()))
)


def clock_of(row: Row[Any]) -> Clock:
    """`row` has the columns of sla_clocks, and `breached_at`."""
    return Clock(
        SlaTarget(row.target),
        ClockState.BREACHED if row.breached_at is not None else ClockState(row.state),
        row.started_at,
        row.priority,
        row.total,
        row.used,
        row.since,
        row.due_at,
        row.breached_at,
        row.ended_at,
        row.responded,
        row.steps,
    )


def next_of(rules: Rules, clock: Clock) -> int | None:
    """When time alone changes something: the breach, or the next step of the escalation."""
    if clock.since is None:
        return None
    moments = [clock.due_at] if clock.state is ClockState.RUNNING else []
    steps = rules.steps[clock.target]
    if clock.steps < len(steps):
        moments.append(moment_of(rules, clock, steps[clock.steps].percent))
    return min((each for each in moments if each is not None), default=None)


def _only_breaks(rules: Rules, clock: Clock) -> bool:
    """Whether nothing but the breach is still to come."""
    return clock.state is ClockState.RUNNING and clock.steps >= len(rules.steps[clock.target])


def _row(version_id: int, rules: Rules, clock: Clock) -> dict[str, Any]:
    running = clock.state is ClockState.RUNNING
    return {
        "target": str(clock.target),
        "version_id": version_id,
        "priority": clock.priority,
        "state": str(clock.state),
        "started_at": clock.started_at,
        "total": clock.total,
        "used": clock.used,
        "since": clock.since,
        "due_at": clock.due_at,
        "soon_at": moment_of(rules, clock, rules.soon_percent) if running else None,
        "next_at": next_of(rules, clock),
        "ended_at": clock.ended_at,
        "responded": clock.responded,
        "steps": clock.steps,
    }


def _lines(owner: Owner, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """One line for all clocks of an item that say the same at the same moment."""
    said: dict[tuple[int, str], list[str]] = {}
    for each in changes:
        due = f" due {iso(each.due_at)}" if each.due_at is not None and each.word != BREACHED else ""
        said.setdefault((each.at, each.word), []).append(LABELS[each.target] + due)
    return [
        {
            "item_id": owner.item_id,
            "at": at,
            "actor": SYSTEM.actor,
            "type": word,
            "body": sentence(parts),
            "changes": None,
            "version_after": NO_VERSION,
        }
        for (at, word), parts in said.items()
    ]


def sentence(parts: list[str]) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
