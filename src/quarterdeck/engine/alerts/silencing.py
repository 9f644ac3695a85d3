"""Silences: alerts that match are kept and shown, and not sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, MINUTE, now_ms, to_datetime, to_ms
from quarterdeck.contract.enums import AlertState, SilenceState
from quarterdeck.contract.models.alert_rules import AS_KEPT
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
from quarterdeck.engine.alerts.reaching import OPEN, Quieted, apply, keep_quiet, reached
from quarterdeck.engine.alerts.tables import alerts, silences
from quarterdeck.engine.alerts.telling import SENT_FIRING, tell
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

MOST_SILENCES = 1_000  # at a time: what begins is compared with each
_LONGEST_DAYS = 366
_MOST_SHOWN = 3
_A, _S = alerts.c, silences.c


async def active_silences(connection: AsyncConnection, now: int) -> list[Quieted]:
    query = select(silences).where(_S.next_at.is_not(None), _S.starts_at <= now, _S.ends_at > now).order_by(_S.id)
    rows = (await connection.execute(query)).all()
    return [Quieted(row.id, row.tenant_id, tuple(matchers_of(row.matchers))) for row in rows]


async def silence(engine: Engine, principal: Principal, new: NewSilence) -> Silence:
    """Raises Problem: INVALID_INPUT, FORBIDDEN."""
    may_set_up(principal, new.tenant_id)
    starts, ends = _times(new, now_ms())
    # Sought before others have to wait for it; what begins or comes back meanwhile is sought then.
    wanted, since, ids = Quieted(0, new.tenant_id, tuple(new.matchers)), now_ms() - MINUTE, list[int]()
    if new.starts_at is None or starts <= now_ms():
        async with engine.store.read() as connection:
            async for found in reached(connection, [wanted], _A.silenced_by.is_(None)):
                ids += [row.id for row, _ in found]
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
        lasting = select(func.count()).select_from(silences).where(_S.next_at.is_not(None))
        if (await transaction.connection.execute(lasting)).scalar_one() >= MOST_SILENCES:
            raise Problem(Code.INVALID_INPUT, f"{MOST_SILENCES:,} silences are not over yet; end some first.")
        inserted = await transaction.connection.execute(silences.insert().values(**values).returning(_S.id))
        silence_id = int(inserted.scalar_one())
        if starts <= now:
            await keep_quiet(engine, transaction, silence_id, ids)
            await apply(engine, transaction, [replace(wanted, id=silence_id)], _A.updated_at >= since)
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
    numbers, quiet, first = dict.fromkeys(OPEN, 0), 0, list[int]()
    async with engine.store.read() as connection:
        async for page in reached(connection, [wanted], *mine(principal)):
            for row, _ in page:
                numbers[row.state] += 1
                quiet += row.silenced_by is not None or row.inhibited_by is not None
            first = sorted([*first, *(row.id for row, _ in page)], reverse=True)[:_MOST_SHOWN]
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
    wanted = _with_counts(principal).order_by(_S.id.desc()).limit(query.limit)
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
    begun = {row.id for row in due if row.ends_at > now}
    await _lift(engine, transaction, [row.id for row in due if row.id not in begun])
    if begun:
        active = await active_silences(connection, now)
        await apply(engine, transaction, [each for each in active if each.id in begun])
    tell(engine, transaction)
    return True


async def _lift(engine: Engine, transaction: Transaction, ids: Sequence[int]) -> None:
    """Their alerts are heard again, unless another silence keeps them quiet."""
    if not ids:
        return
    theirs = update(alerts).where(_A.silenced_by.in_(ids)).values(silenced_by=None).returning(_A.id)
    heard = (await transaction.connection.execute(theirs)).scalars().all()
    if heard:
        active = await active_silences(transaction.connection, transaction.now)
        await apply(engine, transaction, active, _A.id.in_(engine.store.dialect.id_list(heard)))


async def reach(engine: Engine, transaction: Transaction, group_ids: Sequence[int]) -> None:
    """What these groups are about to tell for the first time. Where several write at once, a silence and an alert that
    were made at the same moment have not seen each other."""
    if not engine.store.dialect.skips_locked or not group_ids:
        return
    active = await active_silences(transaction.connection, transaction.now)
    untold = or_(_A.sent.is_(None), _A.sent != SENT_FIRING)
    await apply(engine, transaction, active, _A.group_id.in_(engine.store.dialect.id_list(group_ids)), untold)


def _with_counts(principal: Principal) -> Any:
    """How many alerts each keeps quiet, of those that `principal` sees."""
    kept = (_A.silenced_by == _S.id, _A.state.in_(OPEN), *mine(principal))
    return select(silences, select(func.count()).select_from(alerts).where(*kept).scalar_subquery().label("number"))


async def _find(connection: AsyncConnection, principal: Principal, silence_id: int) -> Row[Any]:
    query = _with_counts(principal).where(_S.id == silence_id)
    row: Row[Any] | None = (await connection.execute(query)).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise Problem(Code.NOT_FOUND, f"There is no silence {silence_id}; the list says which there are.")
    return row


def _shown(row: Row[Any], now: int) -> Silence:
    state = SilenceState.PENDING if row.starts_at > now else SilenceState.ACTIVE
    matchers = matchers_of(row.matchers)
    fault = next(
        (
            f"The matcher on {each.name} {each.fault}. It keeps nothing quiet; make it anew."
            for each in matchers
            if each.fault
        ),
        None,
    )
    shown = {
        "id": row.id,
        "tenant_id": row.tenant_id,
        "state": SilenceState.EXPIRED if row.ends_at <= now else state,
        "matchers": matchers,
        "starts_at": to_datetime(row.starts_at),
        "ends_at": to_datetime(row.ends_at),
        "comment": row.comment,
        "created_by": row.created_by,
        "alerts": row.number,
        "error": fault,
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
