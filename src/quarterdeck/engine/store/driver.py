"""aiosqlite with one trip to its thread for each statement.

A statement through SQLAlchemy is four trips, for cursor, execution, rows and closing, at some 50 µs each:
most of what a small transaction costs. SQLAlchemy takes all rows at once anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from quarterdeck.engine.store.secrets import open_text

T = TypeVar("T")
_Said = tuple[Any, list[Any], int, int | None]


class Cursor:
    """As much of aiosqlite's cursor as SQLAlchemy uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Cursor:
        return await self._run("execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Cursor:
        return await self._run("executemany", sql, parameters)

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    async def _run(self, how: str, sql: str, parameters: Iterable[Any]) -> Cursor:
        run = self._connection._execute
        said: _Said = await run(_in_thread, self._connection._conn, how, sql, parameters)
        self.description, self._rows, self.rowcount, self.lastrowid = said
        return self


def _in_thread(connection: sqlite3.Connection, how: str, sql: str, parameters: Iterable[Any]) -> _Said:
    cursor = connection.cursor()
    try:
        getattr(cursor, how)(sql, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, rows, cursor.rowcount, cursor.lastrowid
    finally:
        cursor.close()


def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    work.close()
    raise RuntimeError("work in one trip waited for something besides its connection")


class Connection(aiosqlite.Connection):
    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == self._thread.ident:  # see `in_one_trip`
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    async def in_one_trip(self, work: Coroutine[Any, Any, T]) -> T:
        """Run in the connection's own thread what waits for nothing but this connection.

        Goes on to its end even when whoever waits is cancelled: the connection is not free before.
        """
        trip = asyncio.ensure_future(self._execute(_to_its_end, work))
        try:
            return cast(T, await asyncio.shield(trip))
        except asyncio.CancelledError:
            while not trip.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({trip})
            trip.exception()
            raise

    async def _connect(self) -> aiosqlite.Connection:
        try:
            return await super()._connect()
        except BaseException:
            # The thread says its last word to this loop, which may close as soon as the failure is known.
            await asyncio.to_thread(self._thread.join, 5)
            raise


def _open(path: Path) -> sqlite3.Connection:
    opened = sqlite3.connect(path)
    opened.create_function("open_text", 2, open_text, deterministic=True)
    return opened


def connect(path: Path) -> Connection:
    """To be awaited; its thread does not keep the process alive."""
    made = Connection(partial(_open, path), iter_chunk_size=64)
    made._thread.daemon = True
    return made
