"""Carries out the runs of notifications: one message an attempt, and what became of it in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Row, func, literal, or_, select, update

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AttemptOutcome, ChannelKind, ErrorClass, NotificationState, RunStatus
from quarterdeck.engine.channels import mail, pagerduty, schedule, slack, webhook
from quarterdeck.engine.channels.managing import disable
from quarterdeck.engine.channels.messages import Gone, Message, Told
from quarterdeck.engine.channels.secrets import scrubbed, secret_of
from quarterdeck.engine.channels.service import KIND, message_of, off
from quarterdeck.engine.channels.tables import notification_channels, notifications
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.runs import pace
from quarterdeck.engine.runs import service as machine
from quarterdeck.engine.runs.endings import EndedRun
from quarterdeck.engine.runs.executors import Failure, Released
from quarterdeck.engine.runs.outcomes import Cancelled, Claimed, Completed, Failed, GivenBack, Outcome, as_result
from quarterdeck.engine.runs.service import OURS, lease_lost
from quarterdeck.engine.runs.tables import run_attempts
from quarterdeck.engine.store.store import Transaction

Send = Callable[[Engine, dict[str, Any], str | None, Message, float], Awaitable[Told]]

SENDERS: dict[ChannelKind, Send] = {
    ChannelKind.WEBHOOK: webhook.send,
    ChannelKind.EMAIL: mail.send,
    ChannelKind.SLACK: slack.send,
    ChannelKind.PAGERDUTY: pagerduty.send,
}
# How a test is sent, where that is not how anything is sent.
VERIFIERS: dict[ChannelKind, Send] = {**SENDERS, ChannelKind.PAGERDUTY: pagerduty.verify}
# Messages a second, of kinds that have a limit.
RATES: dict[ChannelKind, float] = {ChannelKind.SLACK: slack.RATE}
# A turn that was missed by so much (ms) is over: many may have missed theirs, and must not come together.
_LATE = 2 * SECOND
# What is on its way when the engine stops gets so long (s).
_GRACE = 2.0
_LONGEST_NOTE = 2_000


class _Later(Exception):
    """Its channel's rate lets it go at `at` (ms)."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class _Overtaken(Exception):
    """A later message of the same group was taken first; this one would say what is no longer so."""


async def work(engine: Engine, run: Claimed) -> None:
    """One attempt. What fails is tried again by the schedule, not by the queue's backoff."""
    row, channel, refused = await _look(engine, run)
    failure: Failure | None = None
    outcome: Outcome
    try:
        told = await _until_the_engine_stops(engine, _attempt(engine, run, row, channel))
        outcome = Completed(*run.held, as_result({"said": told.said, "answer": told.detail}))
    except Failure as error:
        failure = error
        outcome = _failed(run, error, refused)
    except _Later as later:
        outcome = GivenBack(*run.held, later.at)
    except _Overtaken:
        outcome = Cancelled(*run.held)
    async with engine.store.write() as transaction:
        if await machine.finish(engine, transaction, [outcome]):
            raise lease_lost(run.id, run.attempt)
        if isinstance(failure, Gone) and channel is not None:
            await disable(engine, transaction, channel, failure.message)
        if row is not None and not isinstance(outcome, GivenBack):
            await (
                _skip(transaction, row.id) if isinstance(outcome, Cancelled) else _note(transaction, row.id, failure)
            )


async def told_by(
    engine: Engine, channel: Row[Any], message: Message, seconds: float, senders: dict[ChannelKind, Send]
) -> Told:
    """The message sent through a channel. Raises Failure, in which no secret is left."""
    kept: list[str] = []
    try:
        secret = await secret_of(channel)
        kept += [] if secret is None else [secret]
        told = await senders[ChannelKind(channel.kind)](engine, channel.settings, secret, message, seconds)
    except Failure as error:
        error.message = scrubbed(error.message, kept) or ""
        error.detail = scrubbed(error.detail, kept)
        error.args = (error.message,)
        error.__cause__ = error.__context__ = None
        raise
    return Told(scrubbed(told.said, kept) or "", scrubbed(told.detail, kept))


async def ended(engine: Engine, transaction: Transaction, dead: Sequence[EndedRun]) -> None:
    """However its run has died, a notification has failed."""
    ids = [run.id for run in dead if run.kind == KIND and run.status is RunStatus.DEAD]
    letters = [run.dead_letter_id for run in dead if run.id in ids and run.dead_letter_id is not None]
    if not ids:
        return
    which = or_(notifications.c.run_id.in_(ids), notifications.c.run_id.in_(await _first_runs(transaction, letters)))
    await transaction.connection.execute(
        update(notifications)
        .where(which, notifications.c.state != str(NotificationState.DELIVERED))
        .values(state=str(NotificationState.FAILED), ended_at=transaction.now)
    )


async def _first_runs(transaction: Transaction, letters: Sequence[int]) -> list[int]:
    query = select(dead_letters.c.run_id).where(dead_letters.c.id.in_(letters), dead_letters.c.run_id.is_not(None))
    return list((await transaction.connection.execute(query)).scalars()) if letters else []


async def _look(engine: Engine, run: Claimed) -> tuple[Row[Any] | None, Row[Any] | None, int]:
    """(the notification, its channel, how often the run was refused so far: an attempt that was lost with its engine
    says nothing of the other side)."""
    said = run.payload.get("notification") if isinstance(run.payload, dict) else None
    number = said if isinstance(said, int) and not isinstance(said, bool) else 0
    async with engine.store.read() as connection:
        failed = (run_attempts.c.run_id == run.id, run_attempts.c.outcome == str(AttemptOutcome.FAILED))
        found = select(func.count()).select_from(run_attempts).where(*failed)
        refused = int((await connection.execute(found)).scalar_one())
        query = select(notifications).where(notifications.c.id == number)
        row = (await connection.execute(query)).one_or_none()
        # A payload may have been edited by somebody who sees one tenant only.
        if row is None or (row.tenant_id or OURS) != run.tenant_id:
            return None, None, refused
        query = select(notification_channels).where(notification_channels.c.id == row.channel_id)
        return row, (await connection.execute(query)).one_or_none(), refused


async def _attempt(engine: Engine, run: Claimed, row: Row[Any] | None, channel: Row[Any] | None) -> Told:
    if row is None:
        said = "The run names no notification of its tenant; there is nothing to send."
        raise Failure(ErrorClass.VALIDATION, "no_notification", said, retryable=False)
    if channel is None:
        said = f"There is no channel {row.channel} any more."
        raise Failure(ErrorClass.VALIDATION, "no_channel", said, retryable=False)
    if not channel.enabled:
        raise Failure(ErrorClass.PERMISSION, "channel_off", off(channel), retryable=False)
    if (row.attempts or run.attempt > 1) and await _is_overtaken(engine, row):
        raise _Overtaken
    rate = RATES.get(ChannelKind(channel.kind))
    if rate is not None:
        await _wait_for_turn(engine, row, rate)
    seconds = run.timeout_ms / SECOND
    return await told_by(engine, channel, message_of(row), seconds, SENDERS)


async def _is_overtaken(engine: Engine, row: Row[Any]) -> bool:
    """An incident would be opened again that is over, or closed though it has begun anew."""
    c = notifications.c
    same = (c.id > row.id, c.channel_id == row.channel_id, c.state == str(NotificationState.DELIVERED))
    key = engine.store.dialect.part(c.content, "key")
    later = select(literal(1)).where(*same, key == row.content["key"]).limit(1)
    async with engine.store.read() as connection:
        return (await connection.execute(later)).first() is not None


async def _wait_for_turn(engine: Engine, row: Row[Any], rate: float) -> None:
    """A turn for every message, one after the other; kept in the store, so that several engines share it.

    Raises _Later where it is not yet this one's.
    """
    name = f"channel:{row.channel_id}"  # no queue can be called so
    async with engine.store.write() as transaction:
        now, connection = transaction.now, transaction.connection
        slot = row.slot_at
        if slot is None or not slot <= now <= slot + _LATE:
            if slot is not None and now < slot:
                raise _Later(slot)
            slot = await pace.next_slot(transaction, engine.store.dialect, name, rate)
        values = {"slot_at": None if slot <= now else slot}
        await connection.execute(update(notifications).where(notifications.c.id == row.id).values(**values))
    if slot > now:
        raise _Later(slot)


async def _until_the_engine_stops(engine: Engine, sending: Awaitable[Told]) -> Told:
    """Raises Released where the engine stops meanwhile: the message will be sent again, with the same id."""
    task = asyncio.ensure_future(sending)
    stopping = asyncio.ensure_future(engine.stopping.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=_GRACE)
        if not task.done():
            raise Released
        return task.result()
    finally:
        for each in (task, stopping):
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError, Failure, _Later, _Overtaken):
                await each


def _failed(run: Claimed, error: Failure, refused: int) -> Failed:
    retryable = error.error_class.retryable if error.retryable is None else error.retryable
    wait = schedule.wait(refused, error.retry_after) if retryable else None
    return Failed(*run.held, error.error_class, error.code, error.message, error.detail, retryable, wait)


async def _skip(transaction: Transaction, number: int) -> None:
    said = "A later message of the same group was taken first; this one would say what is no longer so."
    values = {"state": str(NotificationState.SKIPPED), "ended_at": transaction.now}
    skipped = update(notifications).where(notifications.c.id == number)
    await transaction.connection.execute(skipped.values(**values, error_code="overtaken", error_message=said))


async def _note(transaction: Transaction, number: int, failure: Failure | None) -> None:
    values: dict[str, Any] = {"attempts": notifications.c.attempts + 1}
    if failure is None:
        values |= {"state": str(NotificationState.DELIVERED), "ended_at": transaction.now}
        values |= {"error_code": None, "error_message": None}
    else:
        values |= {"error_code": failure.code, "error_message": failure.message[:_LONGEST_NOTE]}
    await transaction.connection.execute(update(notifications).where(notifications.c.id == number).values(**values))
