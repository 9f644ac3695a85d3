"""What differs between SQLite and PostgreSQL, in one place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Subquery,
    Table,
    Text,
    TextClause,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from quarterdeck.engine.store.secrets import secret_values


class json_object(FunctionElement[Any]):
    """A JSON object as text, from alternating keys (str) and SQL values."""

    type = Text()
    inherit_cache = True


class json_pair(FunctionElement[Any]):
    """A JSON array of two SQL values; for use inside `json_object`."""

    type = Text()
    inherit_cache = True


class json_part(FunctionElement[Any]):
    """The text at a path of a JSON text column: column, then keys (str) and positions (int)."""

    type = Text()
    inherit_cache = True


@compiles(json_object, "sqlite")
def _sqlite_object(element: json_object, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_object({compiler.process(element.clauses, **kw)})"


@compiles(json_object, "postgresql")
def _postgres_object(element: json_object, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(json_build_object({compiler.process(element.clauses, **kw)}) AS TEXT)"


@compiles(json_pair, "sqlite")
def _sqlite_pair(element: json_pair, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **kw)})"


@compiles(json_pair, "postgresql")
def _postgres_pair(element: json_pair, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **kw)})"


@compiles(json_part, "sqlite")
def _sqlite_part(element: json_part, compiler: SQLCompiler, **kw: Any) -> str:
    # As PostgreSQL's #>> says it: `true` is a word, and 12 is equal to '12'.
    at = compiler.process(element.clauses, **kw)
    kind, found = f"json_type({at})", f"CAST(json_extract({at}) AS TEXT)"
    return f"CASE {kind} WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE {found} END"


@compiles(json_part, "postgresql")
def _postgres_part(element: json_part, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = list(element.clauses)
    return f"(CAST({compiler.process(column, **kw)} AS jsonb) #>> CAST({compiler.process(path, **kw)} AS text[]))"


class plain(FunctionElement[Any]):
    """A column that SQLite's planner must not use to enter an index; PostgreSQL plans for itself."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.type = column.type
        super().__init__(column)


@compiles(plain, "sqlite")
def _sqlite_plain(element: plain, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(plain, "postgresql")
def _postgres_plain(element: plain, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


class Dialect:
    """Chosen once, when the store opens."""

    name: str
    # Whether the planner knows how many rows a condition leaves; else `items.access` looks first.
    knows_statistics: bool
    # Rows locked by a claim are passed over by the next one; SQLite has one writer and needs none.
    skips_locked: bool
    # Whether a statement may hold others that write.
    nests_writes: bool
    # Names in payloads whose values only an admin sees.
    secret_keys: tuple[str, ...] = ()

    def changes(self, pairs: Sequence[tuple[str, ColumnElement[Any], ColumnElement[Any]]]) -> ColumnElement[str]:
        """`{"field": [before, after], …}` as text."""
        parts: list[ColumnElement[Any]] = []
        for name, before, after in pairs:
            parts += [cast(literal(name), Text), json_pair(self._typed(before), self._typed(after))]
        return json_object(*parts)

    def _typed(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        return value

    def part(self, column: ColumnElement[Any], *path: str | int) -> ColumnElement[str]:
        raise NotImplementedError

    def open_text(self, column: ColumnElement[Any], names: Sequence[str]) -> ColumnElement[str]:
        """A column of JSON text without the values under such names."""
        raise NotImplementedError

    def insert(self, table: Any) -> Any:
        """An INSERT that knows ON CONFLICT."""
        raise NotImplementedError

    async def next_ids(self, connection: AsyncConnection, table: Table, count: int) -> list[int]:
        """Ids for rows about to be inserted, in order, never given twice."""
        raise NotImplementedError

    def id_list(self, ids: Sequence[int]) -> Select[Any]:
        """A table of one column `id`; any number of ids is one parameter."""
        raise NotImplementedError

    def listed(self, parameter: str, columns: Mapping[str, Any]) -> Subquery:
        """A table named like `parameter`, whose rows are the lists of a JSON list bound to it; columns by position."""
        raise NotImplementedError

    def size(self, text_: ColumnElement[Any]) -> ColumnElement[int]:
        """How long a text is, without reading it where that can be."""
        return func.octet_length(text_)

    def least(self, *values: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.least(*values)

    def greatest(self, *values: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.greatest(*values)

    def through(self, table: Table, index: str) -> TextClause:
        """The table, to be read through this index and no other. Name columns by `literal_column`."""
        return text(table.name)

    def lock_skipping(self, query: Select[Any]) -> Select[Any]:
        return query

    def lock(self, query: Select[Any]) -> Select[Any]:
        return query


class SqliteDialect(Dialect):
    name = "sqlite"
    knows_statistics = False
    skips_locked = False
    nests_writes = False

    def part(self, column: ColumnElement[Any], *path: str | int) -> ColumnElement[str]:
        steps = "".join(f"[{step}]" if isinstance(step, int) else '."' + step.replace('"', "") + '"' for step in path)
        return json_part(type_coerce(column, Text), literal("$" + steps))

    def open_text(self, column: ColumnElement[Any], names: Sequence[str]) -> ColumnElement[str]:
        return func.open_text(column, literal(json.dumps(list(names)), Text), type_=Text)

    def insert(self, table: Any) -> Any:
        return sqlite.insert(table)

    def id_list(self, ids: Sequence[int]) -> Select[Any]:
        each = func.json_each(_json_list(ids)).table_valued("value")
        return select(cast(each.c.value, BigInteger).label("id"))

    def listed(self, parameter: str, columns: Mapping[str, Any]) -> Subquery:
        each = func.json_each(bindparam(parameter, type_=Text)).table_valued("value")
        parts = (
            type_coerce(func.json_extract(each.c.value, literal_column(f"'$[{number}]'")), kind).label(name)
            for number, (name, kind) in enumerate(columns.items())
        )
        return select(*parts).subquery(parameter)

    def size(self, text_: ColumnElement[Any]) -> ColumnElement[int]:
        return super().size(text_) if sqlite3.sqlite_version_info >= (3, 43) else func.length(text_)

    def least(self, *values: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.min(*values)

    def greatest(self, *values: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.max(*values)

    def through(self, table: Table, index: str) -> TextClause:
        return text(f"{table.name} INDEXED BY {index}")

    async def next_ids(self, connection: AsyncConnection, table: Table, count: int) -> list[int]:
        # There is one writer, and inserting moves the sequence along.
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last = (await connection.execute(query, {"name": table.name})).scalar() or 0
        return list(range(last + 1, last + count + 1))


class PostgresDialect(Dialect):
    name = "postgresql"
    knows_statistics = True
    skips_locked = True
    nests_writes = True

    def _typed(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        # json_build_array cannot guess the type of a bare parameter.
        return cast(value, value.type)

    def part(self, column: ColumnElement[Any], *path: str | int) -> ColumnElement[str]:
        steps = ",".join(str(step) if isinstance(step, int) else _quoted_step(step) for step in path)
        return json_part(type_coerce(column, Text), literal("{" + steps + "}", Text))

    def open_text(self, column: ColumnElement[Any], names: Sequence[str]) -> ColumnElement[str]:
        secret = secret_values(tuple(names))
        some = func.regexp_replace(column, literal(secret.value, Text), literal(r"\1\2", Text), literal("g", Text))
        none = func.regexp_replace(some, literal(secret.rest, Text), literal("", Text), type_=Text)
        return case((column.regexp_match(literal(secret.likely, Text)), none), else_=column)

    def insert(self, table: Any) -> Any:
        return postgresql.insert(table)

    def id_list(self, ids: Sequence[int]) -> Select[Any]:
        each = func.jsonb_array_elements_text(cast(_json_list(ids), JSONB)).table_valued("value")
        return select(cast(each.c.value, BigInteger).label("id"))

    def listed(self, parameter: str, columns: Mapping[str, Any]) -> Subquery:
        each = func.jsonb_array_elements(cast(bindparam(parameter, type_=Text), JSONB)).table_valued("value")
        parts = (
            cast(each.c.value.op("->>")(literal_column(str(number))), kind).label(name)
            for number, (name, kind) in enumerate(columns.items())
        )
        return select(*parts).subquery(parameter)

    async def next_ids(self, connection: AsyncConnection, table: Table, count: int) -> list[int]:
        # The sequence is looked up once, not for every row.
        query = text(
            "SELECT nextval(found.sequence) FROM (SELECT CAST(pg_get_serial_sequence(:name, :key) AS regclass)"
            " AS sequence OFFSET 0) AS found, generate_series(1, :count)"
        )
        key = table.primary_key.columns[0].name
        found = await connection.execute(query, {"name": table.name, "key": key, "count": count})
        return sorted(found.scalars())

    def lock_skipping(self, query: Select[Any]) -> Select[Any]:
        return query.with_for_update(skip_locked=True)

    def lock(self, query: Select[Any]) -> Select[Any]:
        return query.with_for_update()


def _json_list(ids: Sequence[int]) -> ColumnElement[str]:
    return literal(json.dumps(list(ids)), Text)


def _quoted_step(step: str) -> str:
    return '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'


class contains(FunctionElement[bool]):
    """Whether a column contains a text; ASCII letters match in either case."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], words: str) -> None:
        # Bytes know ASCII letters only.
        super().__init__(column, literal(_pattern(words.encode().lower().decode()), Text))


@compiles(contains, "sqlite")
def _sqlite_contains(element: contains, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = (compiler.process(each, **kw) for each in element.clauses)
    return f"({column} LIKE {pattern} ESCAPE '\\')"  # takes ASCII letters in either case by itself


@compiles(contains, "postgresql")
def _postgres_contains(element: contains, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = (compiler.process(each, **kw) for each in element.clauses)
    # ILIKE takes three times as long: it goes by the letters of all languages.
    return f"(lower({column} COLLATE \"C\") LIKE {pattern} ESCAPE '\\')"


def _pattern(words: str) -> str:
    """`%` and `_` in the text mean themselves."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class holds(FunctionElement[bool]):
    """Whether a column contains a text, letter by letter."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], words: str) -> None:
        super().__init__(type_coerce(column, Text), literal(words, Text))


@compiles(holds, "sqlite")
def _sqlite_holds(element: holds, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(holds, "postgresql")
def _postgres_holds(element: holds, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"
