"""Making, changing, pausing and deleting queues. Claims read the table, so that each applies at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete

from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.live import Message
from quarterdeck.contract.models.queues import QUEUE_NAME, Pause, Queue, QueueChange, QueueSettings
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.checks import check
from quarterdeck.engine.queues.figures import describe, show_queue
from quarterdeck.engine.queues.service import KnownQueue, find_queue, get_queue
from quarterdeck.engine.queues.tables import queues
from quarterdeck.engine.series.reading import Scope, tallies
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

# Where no limit can be told, so that null is a value.
_LIMITS = ("tenant_concurrency", "rate_per_second")
_UNDONE = (RunStatus.WAITING, RunStatus.SCHEDULED, RunStatus.FAILED, RunStatus.ACTIVE)


async def put_queue(engine: Engine, principal: Principal, name: str, settings: QueueSettings) -> Queue:
    """Make a queue, or give one these settings. Raises Problem."""
    _see_all(principal, name)
    if not re.fullmatch(QUEUE_NAME, name):
        sentence = "must begin with a letter or a digit"
        raise Problem(Code.INVALID_INPUT, f"The name of a queue {sentence}.", errors=(("/path/queue", sentence),))
    async with engine.store.write() as transaction:
        before = await find_queue(transaction.connection, name)
        await check(engine, name, settings, built_in=before is not None and before.is_built_in)
        await settle(engine, transaction, principal, name, before, settings)
    return await show_queue(engine, principal, name)


async def change_queue(engine: Engine, principal: Principal, name: str, change: QueueChange) -> Queue:
    """Raises Problem: NOT_FOUND, INVALID_INPUT for settings that do not go together."""
    _see_all(principal, name)
    async with engine.store.write() as transaction:
        before = await get_queue(transaction.connection, name)
        wanted = merged(before.settings, change.model_dump(mode="json", exclude_unset=True, exclude={"reason"}))
        await check(engine, name, wanted, built_in=before.is_built_in)
        await settle(engine, transaction, principal, name, before, wanted, reason=change.reason)
    return await show_queue(engine, principal, name)


async def pause_queue(engine: Engine, principal: Principal, name: str, pause: Pause) -> Queue:
    """Start nothing new. Raises Problem: NOT_FOUND, UNCHANGED."""
    return await _turn(engine, principal, name, pause, paused=True)


async def resume_queue(engine: Engine, principal: Principal, name: str, pause: Pause) -> Queue:
    """Raises Problem: NOT_FOUND, UNCHANGED."""
    return await _turn(engine, principal, name, pause, paused=False)


async def delete_queue(engine: Engine, principal: Principal, name: str) -> Queue:
    """Forget it; the answer is as it was. Raises Problem: NOT_FOUND, WRONG_STATE."""
    _see_all(principal, name)
    async with engine.store.write() as transaction:
        connection = transaction.connection
        queue = await get_queue(connection, name)
        if queue.is_built_in:
            raise Problem(Code.WRONG_STATE, f"{name} is the engine's own queue and stays; pause it instead.")
        if queue.from_config:
            raise Problem(
                Code.WRONG_STATE,
                f"Queue {name} is named in config.toml; take its section out, start the engine again, then delete it.",
            )
        counts = (await tallies(connection, Scope(queue=name))).get(name, {})
        undone = sum(counts.get(status, 0) for status in _UNDONE)
        if undone:
            raise Problem(
                Code.WRONG_STATE, f"Queue {name} still has {undone:,} runs to do; cancel them or wait, then delete it."
            )
        (last,) = await describe(engine, connection, principal, [queue])
        await connection.execute(delete(queues).where(queues.c.name == name))
        await audit.append(transaction, engine.store, principal, "queues.delete", resource="queues", target=name)
        _tell(engine, transaction)
    return last


def merged(settings: QueueSettings, named: Mapping[str, Any]) -> QueueSettings:
    """`settings` with what is named changed; of a group such as `backoff` only its named members."""
    values = settings.model_dump(mode="json")
    for name, value in named.items():
        if isinstance(value, dict):
            values[name] |= value
        elif value is not None or name in _LIMITS:
            values[name] = value
    return QueueSettings.model_validate(values)


async def write_settings(
    transaction: Transaction, dialect: Dialect, name: str, settings: QueueSettings, *, from_config: bool
) -> None:
    """A new row, or new settings in the one that is there; whether it is paused stays."""
    values = {
        "settings": settings.model_dump(mode="json"),
        "from_config": from_config,
        "updated_at": transaction.now,
    }
    new = dialect.insert(queues).values(name=name, created_at=transaction.now, **values)
    await transaction.connection.execute(
        new.on_conflict_do_update(
            index_elements=[queues.c.name],
            set_={**{column: new.excluded[column] for column in values}, "version": queues.c.version + 1},
        )
    )


async def settle(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    name: str,
    before: KnownQueue | None,
    wanted: QueueSettings,
    *,
    reason: str | None = None,
    from_config: bool | None = None,
) -> None:
    """Keeps the settings with their audit entry. `from_config` None leaves that as it was."""
    if from_config is None:
        from_config = before is not None and before.from_config
    if before is not None and (before.settings, before.from_config) == (wanted, from_config):
        return
    await write_settings(transaction, engine.store.dialect, name, wanted, from_config=from_config)
    if before is not None and before.settings == wanted:
        return
    then = {} if before is None else before.settings.model_dump(mode="json")
    now = wanted.model_dump(mode="json")
    changes = {key: [then.get(key), value] for key, value in now.items() if then.get(key) != value}
    action = "queues.create" if before is None else "queues.change"
    await audit.append(
        transaction,
        engine.store,
        principal,
        action,
        resource="queues",
        target=name,
        reason=reason,
        details={"changes": changes},
    )
    _tell(engine, transaction)


async def _turn(engine: Engine, principal: Principal, name: str, pause: Pause, *, paused: bool) -> Queue:
    _see_all(principal, name)
    async with engine.store.write() as transaction:
        queue = await get_queue(transaction.connection, name)
        if queue.paused == paused:
            said = "is paused already" if paused else "is not paused"
            raise Problem(Code.UNCHANGED, f"Queue {name} {said}; there is nothing to do.")
        if not queue.version:
            await write_settings(transaction, engine.store.dialect, name, queue.settings, from_config=False)
        values = {
            "paused": paused,
            "paused_by": principal.actor if paused else None,
            "paused_at": transaction.now if paused else None,
            "pause_reason": pause.reason if paused else None,
            "updated_at": transaction.now,
            "version": queues.c.version + 1,
        }
        await transaction.connection.execute(queues.update().where(queues.c.name == name).values(**values))
        action = "queues.pause" if paused else "queues.resume"
        await audit.append(
            transaction, engine.store, principal, action, resource="queues", target=name, reason=pause.reason
        )
        _tell(engine, transaction)
    return await show_queue(engine, principal, name)


def _see_all(principal: Principal, name: str) -> None:
    """A queue is shared by tenants; who answers for some of them does not decide for the others."""
    if principal.tenants is not None:
        raise Problem(
            Code.FORBIDDEN,
            f"Queue {name} is shared by all tenants; only somebody who sees all of them may change it.",
        )


def _tell(engine: Engine, transaction: Transaction) -> None:
    transaction.after_commit(engine.wake_worker)
    transaction.after_commit(lambda: engine.hub.publish_figures(Message.QUEUES_CHANGED))
