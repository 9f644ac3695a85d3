"""The way to the channels: what is handed over, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.channels.service import Notice, NotificationStatus, notify, owners, status_of
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

__all__ = ["Notice", "NotificationStatus", "Outlet", "owners", "statuses"]

Notify = Callable[[Engine, Transaction, Sequence[str], Notice], Awaitable[list[int]]]


@dataclass(slots=True)
class Outlet:
    """Who carries notices out; one for each engine (`engine.keep`)."""

    notify: Notify = notify


async def statuses(connection: AsyncConnection, ids: Sequence[int]) -> Mapping[int, NotificationStatus]:
    """What became of notifications, by id."""
    return await status_of(connection, ids) if ids else {}
