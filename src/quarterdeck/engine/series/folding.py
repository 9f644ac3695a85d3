"""Adds what transactions said to the buckets of time: each under its tenant and under everyone, in each step."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, SmallInteger, Table, Text, case, cast, delete, func, literal, select, true

from quarterdeck.contract.clock import MINUTE, SECOND
from quarterdeck.contract.live import Message
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series.tables import EVERYONE, LONG, SHORT, run_counts, run_errors, run_latencies, run_moves
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.runs import add_runs
from quarterdeck.engine.usage.sums import tell

_AT_ONCE = 2_000  # transactions
_COLUMNS = ("enqueued", "completed", "failed", "dead")
# Under whom, in which step, and whether all queues and kinds in one.
PLACES = [(everyone, step, whole) for everyone in (0, 1) for step, whole in ((SHORT, 0), (LONG, 0), (LONG, 1))]
_SCOPE = {"at": BigInteger, "queue": Text, "kind": Text, "tenant_id": Text}
# What a row says beside its scope: names that belong to the key, and numbers that are added up.
_KEYS: dict[Table, dict[str, Any]] = {
    run_counts: {},
    run_latencies: {"measure": SmallInteger, "bucket": SmallInteger},
    run_errors: {"error_class": Text, "error_code": Text},
}
_NUMBERS: dict[Table, tuple[str, ...]] = {run_counts: _COLUMNS, run_latencies: ("number",), run_errors: ("number",)}


async def fold(engine: Engine) -> int:
    """Everything that was said until now; returns of how many transactions."""
    query = select(run_moves.c.id).limit(1)
    folded = 0
    while True:
        async with engine.store.read() as connection:
            if (await connection.execute(query)).first() is None:
                break
        async with engine.store.write() as transaction:
            metered = engine.settings.usage.metering
            found, used = await fold_some(transaction, engine.store.dialect, metered=metered)
            if used:
                tell(engine, transaction)
        folded += found
        if found < _AT_ONCE:
            break
    if folded:
        engine.hub.publish_figures(Message.QUEUES_CHANGED)
    return folded


async def fold_some(transaction: Transaction, dialect: Dialect, *, metered: bool = True) -> tuple[int, bool]:
    """What the oldest 2,000 transactions said: how many that were, and whether something was used. Two engines at once
    take different ones. With `metered` it is told as usage too."""
    first = dialect.lock_skipping(select(run_moves.c.id).order_by(run_moves.c.id).limit(_AT_ONCE))
    taken = delete(run_moves).where(run_moves.c.id.in_(first)).returning(run_moves.c.at, run_moves.c.moves)
    rows = (await transaction.connection.execute(taken)).all()
    totals: list[Counter[tuple[Any, ...]]] = [Counter(), Counter(), Counter()]
    for at, moves in rows:
        minute = at - at % MINUTE
        for total, said in zip(totals, moves, strict=True):
            for *key, number in said:
                total[minute, *key] += number
    counts, latencies, errors = totals
    for table, found in (
        (run_counts, _side_by_side(counts)),
        (run_latencies, [[*key, number] for key, number in latencies.items()]),
        (run_errors, [[*key, number] for key, number in errors.items()]),
    ):
        if found:
            places = [place for place in PLACES if table is not run_errors or not place[2]]
            # U+0000 is refused wherever names come from; should one get through, it must not stop all counting.
            said = json.dumps(found).replace("\\u0000", "\\ufffd")
            given = {"said": said, "places": json.dumps(places)}
            await transaction.connection.execute(_adding(dialect, table), given)
    used = metered and await add_runs(transaction, dialect, counts)
    return len(rows), used


def _side_by_side(counts: Counter[tuple[Any, ...]]) -> list[list[Any]]:
    """One row for all columns of the same key."""
    rows: dict[tuple[Any, ...], list[int]] = {}
    for (*key, column), number in counts.items():
        rows.setdefault(tuple(key), [0] * len(_COLUMNS))[_COLUMNS.index(column)] += number
    return [[*key, *numbers] for key, numbers in rows.items()]


@cache
def _adding(dialect: Dialect, table: Table) -> Any:
    """Each row that was said, in every place, added to what stands there.

    In the order of the key, so that two engines never wait for each other.
    """
    keys, numbers = _KEYS[table], _NUMBERS[table]
    said = dialect.listed("said", {**_SCOPE, **keys, **dict.fromkeys(numbers, Integer)})
    place = dialect.listed("places", {"everyone": SmallInteger, "step": SmallInteger, "whole": SmallInteger})
    step = cast(place.c.step, BigInteger) * SECOND
    unnamed = cast(literal(EVERYONE), Text)
    each = (
        select(
            case((place.c.everyone == 1, unnamed), else_=said.c.tenant_id).label("tenant_id"),
            place.c.step,
            place.c.whole,
            (said.c.at - said.c.at % step).label("at"),
            *(case((place.c.whole == 1, unnamed), else_=said.c[name]).label(name) for name in ("queue", "kind")),
            *(said.c[name] for name in (*keys, *numbers)),
        )
        .select_from(said.join(place, true()))
        .subquery()
    )
    key = [each.c[column.name] for column in table.primary_key]
    rows = select(*key, *(func.sum(each.c[name]) for name in numbers)).group_by(*key).order_by(*key)
    new = dialect.insert(table).from_select([*(column.name for column in table.primary_key), *numbers], rows)
    added = {name: table.c[name] + new.excluded[name] for name in numbers}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=added)
