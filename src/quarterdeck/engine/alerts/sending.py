"""The way to the channels: what is handed over, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.channels.service import Notice, notify, status_of
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

__all__ = ["Notice", "Outlet", "statuses"]

Notify = Callable[[Engine, Transaction, Sequence[str], Notice], Awaitable[list[int]]]


@dataclass(slots=True)
class Outlet:
    """Who carries notices out; one for each engine (`engine.keep`)."""

    notify: Notify = notify


async def statuses(connection: AsyncConnection, ids: Sequence[int]) -> Mapping[int, tuple[str, str | None]]:
    """What became of notifications, by id: their state, and why where they failed."""
    found = await status_of(connection, ids) if ids else {}
    return {number: (str(each.state), each.error_message) for number, each in found.items()}
