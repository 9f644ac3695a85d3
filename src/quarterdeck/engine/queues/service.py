"""What is known of queues. Read from their table each time, so that a change applies at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import HandlerKind, Priority
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.queues.tables import queues

# Batches of bulk operations. SQLite has one writer, so one at a time is the fastest there.
BULK = "bulk"
# Notifications that go out through channels. Most of the time they wait for somebody else's answer.
NOTIFICATIONS = "notifications"
BUILT_IN = (BULK, NOTIFICATIONS)


@dataclass(frozen=True, slots=True)
class KnownQueue:
    """`settings` are shared with others; copy them before a change. `paused_at` in milliseconds."""

    name: str
    settings: QueueSettings
    from_config: bool = False
    paused: bool = False
    paused_by: str | None = None
    paused_at: int | None = None
    pause_reason: str | None = None
    version: int = 0  # 0: it has no row; the engine brings it along

    @property
    def is_built_in(self) -> bool:
        return self.settings.handler is HandlerKind.ENGINE


_QUERY: Select[Any] = select(
    *(each for each in queues.c if each.name != "settings"), type_coerce(queues.c.settings, Text).label("said")
)


async def known_queues(connection: AsyncConnection) -> dict[str, KnownQueue]:
    """Every queue by its name, in the order of names."""
    found = {row.name: _known(row) for row in await connection.execute(_QUERY)}
    return dict(sorted({**_built_in(connection.dialect.name), **found}.items()))


async def find_queue(
    connection: AsyncConnection, name: str, *, lock: Callable[[Select[Any]], Select[Any]] | None = None
) -> KnownQueue | None:
    """With `lock` (of the store's dialect), nobody else who wants it so goes on before this transaction ends."""
    query = _QUERY.where(queues.c.name == name)
    row = (await connection.execute(query if lock is None else lock(query))).one_or_none()
    return _known(row) if row is not None else _built_in(connection.dialect.name).get(name)


async def get_queue(connection: AsyncConnection, name: str) -> KnownQueue:
    """Raises Problem(NOT_FOUND) that says which names are close."""
    found = await find_queue(connection, name)
    return found if found is not None else await _missing(connection, name)


async def settings_of(connection: AsyncConnection, name: str) -> QueueSettings:
    """Raises Problem(NOT_FOUND) that says which names are close."""
    return (await get_queue(connection, name)).settings


async def _missing(connection: AsyncConnection, name: str) -> Any:
    names = list(await known_queues(connection))
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else "It has to be made first."
    raise Problem(Code.NOT_FOUND, f"There is no queue {name}. {hint}")


def _known(row: Row[Any]) -> KnownQueue:
    return KnownQueue(
        row.name,
        read_settings(row.said),
        row.from_config,
        row.paused,
        row.paused_by,
        row.paused_at,
        row.pause_reason,
        row.version,
    )


@lru_cache(maxsize=1_000)
def read_settings(said: str) -> QueueSettings:
    """From the JSON that is kept; the same object for the same text."""
    return QueueSettings.model_validate_json(said)


@lru_cache
def _built_in(store: str) -> dict[str, KnownQueue]:
    """The engine's own queues, until somebody changes one."""
    at_once = 1 if store == "sqlite" else 4
    bulk = QueueSettings(
        handler=HandlerKind.ENGINE, concurrency=at_once, priority=Priority.HIGH, timeout_seconds=3_600, exceptions=False
    )
    # As many attempts as their schedule has; nobody is handed an exception for a message about one.
    notifications = QueueSettings(
        handler=HandlerKind.ENGINE,
        concurrency=50,
        max_attempts=10,
        timeout_seconds=20,
        priority=Priority.HIGH,
        exceptions=False,
    )
    return {BULK: KnownQueue(BULK, bulk), NOTIFICATIONS: KnownQueue(NOTIFICATIONS, notifications)}


def is_unknown(queue: ColumnElement[str]) -> ColumnElement[bool]:
    """There is no such queue (any more)."""
    return queue.not_in([*BUILT_IN]) & queue.not_in(select(queues.c.name))
