"""Rows of one case, wherever they stand in the file, brought together on disk."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row of a case: what the mapping made of it, with where it stood."""

    case: str
    order: Any
    number: int
    line: int | None
    item: dict[str, Any]
    event: dict[str, Any]


class CaseStore:
    """A temporary SQLite file: memory stays flat however many rows there are. Raises sqlite3.Error, OSError."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="qd-import-")
        self._db = sqlite3.connect(Path(self._folder.name) / "cases.db", check_same_thread=False)
        self._db.executescript(
            # Nobody needs this file after a crash.
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; PRAGMA cache_size=-16000;"
            "CREATE TABLE rows(number INTEGER PRIMARY KEY, line INT, grouping TEXT, ord, payload TEXT);"
        )

    def __enter__(self) -> CaseStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()
        self._folder.cleanup()

    def add(self, rows: Iterable[CaseRow]) -> None:
        with self._db:
            self._db.executemany(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?)",
                ((row.number, row.line, row.case, row.order, json.dumps([row.item, row.event])) for row in rows),
            )

    def count(self) -> int:
        """How many cases."""
        found = self._db.execute("SELECT count(DISTINCT grouping) FROM rows").fetchone()
        return int(found[0])

    def cases(self, newest_first: bool = False) -> Iterator[list[CaseRow]]:
        """Cases in the order of their first row; the rows of each by `order`, ties as they stood in the file
        (turned round where the file lists the newest first)."""
        self._db.execute(
            "CREATE TABLE firsts AS SELECT grouping AS name, min(number) AS first FROM rows GROUP BY grouping"
        )
        self._db.execute("CREATE UNIQUE INDEX firsts_name ON firsts(name)")
        found = self._db.execute(
            "SELECT r.grouping, r.ord, r.number, r.line, r.payload FROM rows r JOIN firsts f ON f.name = r.grouping"
            f" ORDER BY f.first, r.ord, r.number {'DESC' if newest_first else ''}"
        )
        case: list[CaseRow] = []
        for name, order, number, line, payload in found:
            if case and case[0].case != name:
                yield case
                case = []
            item, event = json.loads(payload)
            case.append(CaseRow(name, order, number, line, item, event))
        if case:
            yield case


class SeenIds:
    """Which external ids a file has had already; on disk too. Answers with the record that had it first."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="qd-import-")
        self._db = sqlite3.connect(Path(self._folder.name) / "seen.db", check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000;"
            "CREATE TABLE seen(id TEXT PRIMARY KEY, number INT) WITHOUT ROWID;"
        )
        self._db.isolation_level = None
        self._db.execute("BEGIN")

    def __enter__(self) -> SeenIds:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()
        self._folder.cleanup()

    def first_use(self, tenant: str, external_id: str, number: int) -> int | None:
        """None for an id not seen before, else the number of the record that had it."""
        key = f"{tenant}\x00{external_id}"
        cursor = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, number))
        if cursor.rowcount:
            return None
        return int(self._db.execute("SELECT number FROM seen WHERE id = ?", (key,)).fetchone()[0])
