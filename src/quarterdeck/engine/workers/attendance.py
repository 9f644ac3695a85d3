"""Which workers have been heard of.

Noted in memory and written together, so that a lease or a heartbeat costs no write of its own for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, select, update

from quarterdeck.contract.clock import HOUR, now_ms
from quarterdeck.contract.enums import Condition
from quarterdeck.contract.live import Message
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.workers.tables import workers

FLUSH_SECONDS = 2.0
_ADDRESSES = 5  # of one name, kept to tell whether several workers have it
_NUMBERED = re.compile(r"(?:[-_.:@#/ ]*(?:\d+|[0-9a-f]{6,}))+$")


@dataclass(slots=True)
class Note:
    """What was heard of one worker since the last write."""

    seen_at: int = 0
    type: str | None = None
    queues: dict[str, None] = field(default_factory=dict)
    url: str | None = None
    completed: int = 0
    failed: int = 0
    left: bool = False

    def add(self, earlier: Note) -> None:
        self.completed += earlier.completed
        self.failed += earlier.failed
        self.queues = {**earlier.queues, **self.queues}
        if self.type is None:
            self.type, self.url = earlier.type, earlier.url


class _Addresses:
    """Where the workers of one name say that their health is. One that starts again may have moved; one that comes
    back to an address after another has spoken is not the only one of its name."""

    def __init__(self) -> None:
        self._seen_at: dict[str, int] = {}  # the newest last
        self._back_at: dict[str, int] = {}

    @property
    def newest(self) -> int:
        return max(self._seen_at.values())

    def heard(self, url: str, now: int) -> None:
        if url in self._seen_at and next(reversed(self._seen_at)) != url:
            self._back_at[url] = now
        self._seen_at.pop(url, None)
        self._seen_at[url] = now
        for old in list(self._seen_at)[:-_ADDRESSES]:
            del self._seen_at[old]
            self._back_at.pop(old, None)

    def in_turns(self, since: int) -> list[str]:
        if all(at < since for at in self._back_at.values()):
            return []
        return sorted(url for url, at in self._seen_at.items() if at >= since)


class Attendance:
    """One for each engine."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}
        self._addresses: dict[str, _Addresses] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def waits(self, name: str) -> Iterator[asyncio.Event]:
        """Set as soon as the worker says that it leaves: nothing more is to be given to it."""
        leaving = asyncio.Event()
        others = self._waiting.setdefault(name, set())
        others.add(leaving)
        try:
            yield leaving
        finally:
            others.discard(leaving)
            if not others:
                self._waiting.pop(name, None)

    def leased(self, name: str, kind: str | None, queue: str, url: str | None) -> None:
        note = self._heard(name)
        note.type = kind or type_of(name)
        note.queues[queue] = None
        note.url = url
        note.left = False
        if url is not None:
            self._addresses.setdefault(name, _Addresses()).heard(url, note.seen_at)

    def shared(self, name: str, since: int) -> list[str]:
        """The addresses of workers that have leased in turns under one name since then (ms); empty where it is one."""
        addresses = self._addresses.get(name)
        return [] if addresses is None else addresses.in_turns(since)

    def left(self, name: str) -> None:
        self._heard(name).left = True
        self._addresses.pop(name, None)
        for leaving in self._waiting.get(name, ()):
            leaving.set()

    def beaten(self, name: str | None) -> None:
        if name is not None:
            self._heard(name)

    def ended(self, name: str | None, *, completed: int = 0, failed: int = 0) -> None:
        if name is not None:
            note = self._heard(name)
            note.completed += completed
            note.failed += failed

    def _heard(self, name: str) -> Note:
        note = self._notes.setdefault(name, Note())
        note.seen_at = now_ms()
        return note

    async def write(self, engine: Engine) -> None:
        """Puts what was heard into the table."""
        if not self._notes:
            return
        notes, self._notes = self._notes, {}
        long_ago = now_ms() - HOUR
        self._addresses = {name: each for name, each in self._addresses.items() if each.newest > long_ago}
        try:
            async with engine.store.write() as transaction:
                if await _write(engine, transaction, notes):
                    transaction.after_commit(lambda: engine.hub.publish_figures(Message.WORKERS_CHANGED))
        except BaseException:
            for name, note in self._notes.items():
                if name in notes:
                    note.add(notes[name])
            self._notes = {**notes, **self._notes}  # to be written the next time
            raise


def type_of(name: str) -> str:
    """What workers of one sort have in common: `refunds-3` and `refunds-4` are `refunds`."""
    return _NUMBERED.sub("", name) or name


async def _write(engine: Engine, transaction: Transaction, notes: dict[str, Note]) -> bool:
    """Whether somebody came, went, or changed what a person would see."""
    connection = transaction.connection
    query = select(workers.c.name, workers.c.queues, workers.c.url, workers.c.type)
    known = {row.name: row for row in await connection.execute(query.where(workers.c.name.in_(list(notes))))}
    gone = [name for name, note in notes.items() if note.left]
    if gone:
        await connection.execute(workers.delete().where(workers.c.name.in_(gone)))
    changed = bool(known.keys() & set(gone))
    for name, note in notes.items():
        if note.left:
            continue
        row = known.get(name)
        if row is None:
            # One that does not lease is none: its last run may have ended after it left.
            if note.type is not None:
                changed = True
                made = engine.store.dialect.insert(workers).values(_new(name, note))
                await connection.execute(made.on_conflict_do_nothing())
            continue
        changed |= await _update(transaction, row, note)
    return changed


async def _update(transaction: Transaction, row: Any, note: Note) -> bool:
    values: dict[str, Any] = {
        # Several engines hear of the same worker.
        "last_seen_at": case((workers.c.last_seen_at > note.seen_at, workers.c.last_seen_at), else_=note.seen_at),
        "completed": workers.c.completed + note.completed,
        "failed": workers.c.failed + note.failed,
    }
    queues = sorted({*row.queues, *note.queues})
    changed: bool = queues != row.queues
    if changed:
        values["queues"] = queues
    if note.type is not None and (note.type, note.url) != (row.type, row.url):
        changed = True
        values |= {"type": note.type, "url": note.url}
        if note.url != row.url:
            values |= {"failures": 0, "successes": 0, "checked_at": None, "response_ms": None}
    await transaction.connection.execute(update(workers).where(workers.c.name == row.name).values(**values))
    return changed


def _new(name: str, note: Note) -> dict[str, Any]:
    return {
        "name": name,
        "type": note.type,
        "queues": sorted(note.queues),
        "url": note.url,
        "last_seen_at": note.seen_at,
        "condition": str(Condition.HEALTHY),
        "completed": note.completed,
        "failed": note.failed,
    }


def attendance_of(engine: Engine) -> Attendance:
    def make() -> Attendance:
        made = Attendance()

        async def finish() -> None:
            await made.write(engine)

        engine.finishers.append(finish)
        return made

    return engine.keep(Attendance, make)
