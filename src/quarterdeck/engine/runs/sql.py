"""Pieces of SQL that the statements over runs share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Float, Integer, Text, bindparam, literal_column

from quarterdeck.engine.runs.tables import ACTIVE, LATER, WAITING

# They repeat the conditions of the indexes to the letter, or SQLite would not use them.


def waiting() -> ColumnElement[bool]:
    return literal_column(WAITING)


def later() -> ColumnElement[bool]:
    return literal_column(LATER)


def active() -> ColumnElement[bool]:
    return literal_column(ACTIVE)


def text_of(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=Text())


def number_of(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=BigInteger())


HELD = {"id": BigInteger(), "attempt": Integer(), "token": Text()}
RESULTS = {**HELD, "result": Text()}
BEATS = {**HELD, "progress": Float()}
