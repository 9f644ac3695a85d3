"""How SQLite would go about the statements of a block."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from quarterdeck.engine.store.store import Store

READ = ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT INTO")


@contextmanager
def plans(store: Store) -> Iterator[list[str]]:
    """`SEARCH runs USING INDEX …`, `USE TEMP B-TREE …`, a line each, with the statement in brackets behind it."""
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(READ):
            said.append((statement, parameters))

    engines = [store._readers.sync_engine, store._writer.sync_engine]
    for each in engines:
        event.listen(each, "before_cursor_execute", note)
    lines: list[str] = []
    try:
        yield lines
    finally:
        for each in engines:
            event.remove(each, "before_cursor_execute", note)
    with sqlite3.connect(store.address) as connection:
        for statement, parameters in said:
            first = parameters[0] if isinstance(parameters, list) else parameters
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", first):
                lines.append(f"{row[3]}   [{' '.join(statement.split())[:1500]}]")
    connection.close()


def scanned(lines: list[str], *tables: str) -> list[str]:
    """Lines that read all of one of these tables, be it through an index."""
    return [line for line in lines if line.startswith(tuple(f"SCAN {table}" for table in tables))]
