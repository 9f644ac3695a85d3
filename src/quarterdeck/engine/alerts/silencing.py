"""Silences: alerts that match are kept and shown, and not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, now_ms, to_datetime, to_ms
from quarterdeck.contract.enums import AlertState, SilenceState
from quarterdeck.contract.models.alert_rules import AS_KEPT, Matcher
from quarterdeck.contract.models.alerts import (
    HistoryQuery,
    NewSilence,
    Silence,
    SilenceList,
    SilencePreview,
    SilenceQuery,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.alerts.history import history, mine
from quarterdeck.engine.alerts.matching import matchers_of, matches
from quarterdeck.engine.alerts.tables import alerts, silences
from quarterdeck.engine.alerts.telling import tell
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

_LONGEST_DAYS = 366
_AT_ONCE = 5_000
_MOST_SHOWN = 3
_OPEN = (str(AlertState.FIRING), str(AlertState.PENDING))
_S = silences.c


@dataclass(frozen=True, slots=True)
class Quieted:
    """A silence as it is applied."""

    id: int
    tenant_id: str | None
    matchers: tuple[Matcher, ...]

    def quiets(self, tenant: str | None, labels: Mapping[str, str]) -> bool:
        return (self.tenant_id is None or self.tenant_id == tenant) and matches(self.matchers, labels)


async def active_silences(connection: AsyncConnection, now: int) -> list[Quieted]:
    query = select(silences).where(_S.next_at.is_not(None), _S.starts_at <= now, _S.ends_at > now).order_by(_S.id)
    rows = (await connection.execute(query)).all()
    return [Quieted(row.id, row.tenant_id, tuple(matchers_of(row.matchers))) for row in rows]


async def silence(engine: Engine, principal: Principal, new: NewSilence) -> Silence:
    """Raises Problem: INVALID_INPUT, FORBIDDEN."""
    may_set_up(principal, new.tenant_id)
    async with engine.store.write() as transaction:
        now = transaction.now
        starts, ends = _times(new, now)
        values = {
            "tenant_id": new.tenant_id,
            "matchers": [each.model_dump(mode="json") for each in new.matchers],
            "starts_at": starts,
            "ends_at": ends,
            "next_at": ends if starts <= now else starts,
            "comment": new.comment,
            "created_by": principal.actor,
            "created_at": now,
        }
        inserted = await transaction.connection.execute(silences.insert().values(**values).returning(_S.id))
        silence_id = int(inserted.scalar_one())
        if starts <= now:
            await _apply(engine, transaction, await active_silences(transaction.connection, now))
        await _audit(engine, transaction, principal, "create", silence_id, new.tenant_id, values)
        tell(engine, transaction)
        return _shown(await _find(transaction.connection, principal, silence_id), now)


def _times(new: NewSilence, now: int) -> tuple[int, int]:
    """From when to when (ms). Raises Problem(INVALID_INPUT) for what would silence nothing, too much or too long."""
    starts = now if new.starts_at is None else max(now, to_ms(new.starts_at))
    ends = to_ms(new.ends_at)
    if ends <= starts:
        raise _refuse("/ends_at", "must be in the future, and after starts_at")
    if ends - starts > _LONGEST_DAYS * DAY:
        raise _refuse("/ends_at", f"is more than {_LONGEST_DAYS} days after the start; switch the rule off instead")
    if all(matches([each], {}) for each in new.matchers):
        raise _refuse("/matchers", "would match alerts without any label, which is all of them; name a value")
    return starts, ends


async def preview(engine: Engine, principal: Principal, new: NewSilence) -> SilencePreview:
    """Raises Problem: INVALID_INPUT, FORBIDDEN."""
    may_set_up(principal, new.tenant_id)
    _times(new, now_ms())
    wanted = Quieted(0, new.tenant_id, tuple(new.matchers))
    c, open_ = alerts.c, alerts.c.state.in_(_OPEN)
    numbers, quiet, first = dict.fromkeys(_OPEN, 0), 0, list[int]()
    async with engine.store.read() as connection:
        query = select(c.id, c.tenant_id, c.labels, c.state, c.silenced_by, c.inhibited_by).where(open_)
        for row in await connection.execute(query.where(*mine(principal)).order_by(c.id.desc())):
            if wanted.quiets(row.tenant_id, row.labels):
                numbers[row.state] += 1
                quiet += row.silenced_by is not None or row.inhibited_by is not None
                first += [row.id] if len(first) < _MOST_SHOWN else []
    found = HistoryQuery(ids=",".join(map(str, first)) if first else "0")
    return SilencePreview(
        firing=numbers[str(AlertState.FIRING)],
        pending=numbers[str(AlertState.PENDING)],
        quiet=quiet,
        first=(await history(engine, principal, found)).items,
    )


async def end_silence(engine: Engine, principal: Principal, silence_id: int) -> Silence:
    """Raises Problem: NOT_FOUND, FORBIDDEN, UNCHANGED where it is over."""
    async with engine.store.write() as transaction:
        now = transaction.now
        before = await _find(transaction.connection, principal, silence_id)
        may_set_up(principal, before.tenant_id)
        if before.ends_at <= now:
            raise Problem(Code.UNCHANGED, f"Silence {silence_id} is over already.")
        over = {"ends_at": now, "starts_at": min(before.starts_at, now), "next_at": None, "ended_by": principal.actor}
        await transaction.connection.execute(update(silences).where(_S.id == silence_id).values(**over))
        await _lift(engine, transaction, [silence_id])
        await _audit(engine, transaction, principal, "end", silence_id, before.tenant_id, {"comment": before.comment})
        tell(engine, transaction)
        return _shown(await _find(transaction.connection, principal, silence_id), now)


async def list_silences(engine: Engine, principal: Principal, query: SilenceQuery) -> SilenceList:
    now = now_ms()
    wanted = _with_counts().order_by(_S.id.desc()).limit(query.limit)
    if principal.tenants is not None:
        wanted = wanted.where(_S.tenant_id.in_(sorted(principal.tenants)) | _S.tenant_id.is_(None))
    if query.state is SilenceState.PENDING:
        wanted = wanted.where(_S.starts_at > now)
    elif query.state is SilenceState.ACTIVE:
        wanted = wanted.where(_S.starts_at <= now, _S.ends_at > now)
    elif query.state is SilenceState.EXPIRED:
        wanted = wanted.where(_S.ends_at <= now)
    async with engine.store.read() as connection:
        return SilenceList(items=[_shown(row, now) for row in await connection.execute(wanted)])


async def turn(engine: Engine, transaction: Transaction) -> bool:
    """Silences whose time has begun or ended."""
    connection, now = transaction.connection, transaction.now
    query = select(_S.id, _S.ends_at).where(_S.next_at.is_not(None), _S.next_at <= now)
    due = (await connection.execute(engine.store.dialect.lock_skipping(query))).all()
    if not due:
        return False
    following = case((_S.ends_at > now, _S.ends_at), else_=None)
    await connection.execute(update(silences).where(_S.id.in_([row.id for row in due])).values(next_at=following))
    await _lift(engine, transaction, [row.id for row in due if row.ends_at <= now])
    if any(row.ends_at > now for row in due):
        await _apply(engine, transaction, await active_silences(connection, now))
    tell(engine, transaction)
    return True


async def _lift(engine: Engine, transaction: Transaction, ids: Sequence[int]) -> None:
    """Their alerts are heard again, unless another silence keeps them quiet."""
    if not ids:
        return
    heard = update(alerts).where(alerts.c.silenced_by.in_(ids)).values(silenced_by=None)
    await transaction.connection.execute(heard)
    await _apply(engine, transaction, await active_silences(transaction.connection, transaction.now))


async def _apply(engine: Engine, transaction: Transaction, active: Sequence[Quieted]) -> None:
    """To everything that is open and not silenced."""
    if not active:
        return
    columns = (alerts.c.id, alerts.c.tenant_id, alerts.c.labels)
    last = 0
    while True:
        query = select(*columns).where(
            alerts.c.state.in_(_OPEN),
            alerts.c.silenced_by.is_(None),
            alerts.c.id > last,
        )
        rows = (await transaction.connection.execute(query.order_by(alerts.c.id).limit(_AT_ONCE))).all()
        for each in active:
            ids = [row.id for row in rows if each.quiets(row.tenant_id, row.labels)]
            if ids:
                mine = (alerts.c.id.in_(engine.store.dialect.id_list(ids)), alerts.c.silenced_by.is_(None))
                await transaction.connection.execute(update(alerts).where(*mine).values(silenced_by=each.id))
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id


def _with_counts() -> Any:
    number = select(func.count()).where(alerts.c.silenced_by == _S.id).scalar_subquery().label("number")
    return select(silences, number)


async def _find(connection: AsyncConnection, principal: Principal, silence_id: int) -> Row[Any]:
    row: Row[Any] | None = (await connection.execute(_with_counts().where(_S.id == silence_id))).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise Problem(Code.NOT_FOUND, f"There is no silence {silence_id}; the list says which there are.")
    return row


def _shown(row: Row[Any], now: int) -> Silence:
    state = SilenceState.PENDING if row.starts_at > now else SilenceState.ACTIVE
    shown = {
        "id": row.id,
        "tenant_id": row.tenant_id,
        "state": SilenceState.EXPIRED if row.ends_at <= now else state,
        "matchers": matchers_of(row.matchers),
        "starts_at": to_datetime(row.starts_at),
        "ends_at": to_datetime(row.ends_at),
        "comment": row.comment,
        "created_by": row.created_by,
        "alerts": row.number,
    }
    return Silence.model_validate(shown, context=AS_KEPT)


def _refuse(pointer: str, sentence: str) -> Problem:
    return Problem(Code.INVALID_INPUT, f"{pointer.lstrip('/')}: {sentence}.", errors=((pointer, sentence),))


async def _audit(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    verb: str,
    silence_id: int,
    tenant: str | None,
    details: dict[str, Any],
) -> None:
    await audit.append(
        transaction,
        engine.store,
        principal,
        f"alerts.silences.{verb}",
        tenant_id=tenant,
        resource="silences",
        target=str(silence_id),
        details=details,
    )
