"""A run that is done again by hand takes its dead letter along."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select, update

from quarterdeck.contract.enums import DeadLetterStatus, ItemStatus
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import exceptions, news
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.dead_letters.tallying import headings_of, record_all
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.store import Transaction

_RETRYING = str(DeadLetterStatus.RETRYING)


async def run_retried(
    engine: Engine,
    transaction: Transaction,
    scope: ColumnElement[bool],
    actor: str,
    body: str | None,
    operation_id: int | None,
) -> None:
    """`scope` holds the runs, dead or cancelled still."""
    connection, dialect, columns = transaction.connection, engine.store.dialect, dead_letters.c
    # The run that died, or the newest retry of it.
    own = columns.run_id.is_not(None) & columns.run_id.in_(select(runs.c.id).where(scope))
    retries = select(runs.c.dead_letter_id).where(scope, runs.c.dead_letter_id.is_not(None))
    newest = columns.id.in_(retries) & columns.retry_run_id.in_(select(runs.c.id).where(scope))
    moved: list[tuple[int, str]] = []
    for before in (DeadLetterStatus.PENDING, DeadLetterStatus.DISCARDED):
        ids: set[int] = set()
        for which in (own, newest):
            query = select(columns.id, columns.tenant_id).where(which, columns.status == str(before))
            for row in await connection.execute(dialect.lock(query.order_by(columns.id))):
                if row.id not in ids:
                    ids.add(row.id)
                    moved.append((row.id, row.tenant_id))
        if not ids:
            continue
        letters = columns.id.in_(dialect.id_list(sorted(ids)))
        again = (
            select(runs.c.id)
            .where(scope, or_(runs.c.id == columns.run_id, runs.c.id == columns.retry_run_id))
            .order_by(runs.c.id.desc())
            .limit(1)
            .correlate(dead_letters)
            .scalar_subquery()
        )
        headings = await headings_of(transaction, letters)
        await record_all(transaction, dialect, headings, str(before), _RETRYING)
        await connection.execute(
            update(dead_letters)
            .where(letters)
            .values(status=_RETRYING, retry_run_id=again, updated_at=transaction.now, version=columns.version + 1)
        )
        of_run = select(columns.id).where(letters, columns.retry_run_id == runs.c.id).correlate(runs)
        await connection.execute(
            update(runs).where(scope, of_run.exists()).values(dead_letter_id=of_run.limit(1).scalar_subquery())
        )
        behind = await exceptions.behind(transaction, dialect, letters)
        if behind is not None:
            await exceptions.follow(
                engine,
                transaction,
                behind,
                ItemStatus.RETRYING,
                "retrying",
                body=body,
                actor=actor,
                operation_id=operation_id,
            )
            exceptions.look_again(engine, transaction)
    news.touched(engine, transaction, moved)
