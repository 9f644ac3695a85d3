"""The schema's registry and the column types every table uses."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows only in a column declared INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class JsonText(TypeDecorator[Any]):
    """JSON kept as text, so that both databases build and read it with their own functions."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else _encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def moment(name: str, *, nullable: bool = False, **options: Any) -> Column[int]:
    """A point in time: milliseconds since 1970, UTC."""
    return Column(name, BigInteger, nullable=nullable, **options)
