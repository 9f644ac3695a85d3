"""aiosqlite with one trip to its thread for each statement.

A statement through SQLAlchemy is four trips, for cursor, execution, rows and closing, at some 50 µs each:
most of what a small transaction costs. SQLAlchemy takes all rows at once anyway.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite

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
        said: _Said = await run(_in_thread, self._connection._conn, how, sql, parameters)  # type: ignore[no-untyped-call]
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


class Connection(aiosqlite.Connection):
    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    async def _connect(self) -> aiosqlite.Connection:
        try:
            return await super()._connect()
        except BaseException:
            # The thread says its last word to this loop, which may close as soon as the failure is known.
            await asyncio.to_thread(self._thread.join, 5)
            raise


def connect(path: Path) -> Connection:
    """To be awaited; its thread does not keep the process alive."""
    made = Connection(partial(sqlite3.connect, path), iter_chunk_size=64)
    made._thread.daemon = True
    return made
