"""The way to the channels: what is handed over, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

_CHANNELS = "quarterdeck.engine.channels.service"


@dataclass(frozen=True)
class Notice:
    """`key` is the group's, the same for everything that is said of it. `kind`: trigger, acknowledge, resolve."""

    key: str
    tenant_id: str | None
    kind: str
    severity: str
    title: str
    alerts: tuple[dict[str, Any], ...]
    url: str | None


Notify = Callable[[Engine, Transaction, Sequence[str], Notice], Awaitable[list[int]]]


async def _by_channels(engine: Engine, transaction: Transaction, channels: Sequence[str], notice: Notice) -> list[int]:
    service: Any = import_module(_CHANNELS)
    said = {**asdict(notice), "alerts": notice.alerts}
    found: list[int] = await service.notify(engine, transaction, channels, service.Notice(**said))
    return found


@dataclass(slots=True)
class Outlet:
    """Who carries notices out; one for each engine (`engine.keep`)."""

    notify: Notify = _by_channels


async def statuses(connection: AsyncConnection, ids: Sequence[int]) -> Mapping[int, tuple[str, str | None]]:
    """What became of notifications, by id: their state, and why where they failed."""
    if not ids:
        return {}
    service: Any = import_module(_CHANNELS)
    found = await service.status_of(connection, ids)
    return {number: (str(each.state), each.error_message) for number, each in found.items()}
