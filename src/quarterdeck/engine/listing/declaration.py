"""What a listed table says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table

from quarterdeck.contract.enums import AnyResource, Listed, read_resource
from quarterdeck.contract.filters import Condition, Filter
from quarterdeck.engine.store.dialect import Dialect

# How a column stands in a condition: itself, or `plain` where an index must not be entered by it.
Wrap = Callable[[ColumnElement[Any]], ColumnElement[Any]]


def itself(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column


@dataclass(frozen=True, slots=True)
class Clause:
    """One term in SQL. `column` is the column it speaks about alone, None where it is anything else.

    `words` are the values of a plain equality, None for any other condition. `span`: from when to when (ms), for
    a condition on a time. `built_in`: it belongs to every filter.
    """

    sql: Callable[[Wrap], ColumnElement[bool]]
    column: str | None
    words: tuple[Any, ...] | None = None
    span: tuple[int | None, int | None] | None = None
    built_in: bool = False


# key, condition, dialect, wrap, names of values that must not be found → SQL
Special = Callable[[str, Condition, Dialect, Wrap, tuple[str, ...]], ColumnElement[bool] | None]


def _nothing_special(
    _key: str, _condition: Condition, _dialect: Dialect, _wrap: Wrap, _secret: tuple[str, ...]
) -> None:
    return None


def _nothing_more(_filter: Filter) -> list[Clause]:
    return []


def _as_it_is(_key: str, value: str) -> Any:
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """A table and what leads into it. Its key is `id`, and `tenant_id` says whose a row is.

    `columns`: key of the grammar → column. `special`: the SQL of a condition that is no comparison with a
    column, None for all others; it is told the names whose values stay hidden from whoever asks.
    `always`: what every filter asks for. `word`: a value as the column holds it.
    `orders`: sort key → the columns an index is read by.
    `indexes`: column that leads an index → what that index holds besides; `lead` stands before it in each.
    `by_equality`: those an index serves by equality only. `streams`: sort key → columns, the most telling
    first, behind one value of which an index is in the order of that key. `widest`: what the index holds that
    is read where none is entered.
    `slices`: rows that no index leads to are looked for a slice of ids at a time, within a budget of time.
    `timed`: a column of times whose order is that of the ids, but for transactions that overlap.
    `tallies`: a table of differences that counts rows by the columns it has. `told_by`: column of the rows that is not
    in there → what its words come to in terms of those that are. `absent`: keys that can be `none` or
    `any`. `shown`: what a page reads. `facets`: key → column whose values help a person to complete, read from
    the rows that come last by `newest`.
    """

    resource: Listed
    table: Table
    columns: Mapping[str, str]
    orders: Mapping[str, tuple[str, ...]]
    indexes: Mapping[str, frozenset[str]]
    by_equality: frozenset[str]
    streams: Mapping[str, tuple[str, ...]]
    shown: tuple[ColumnElement[Any], ...]
    facets: Mapping[str, str]
    newest: tuple[str, ...]
    lead: str | None = None
    widest: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    slices: bool = False
    timed: str | None = None
    tallies: Table | None = None
    told_by: Mapping[str, Callable[[Sequence[Any]], ColumnElement[bool]]] = field(default_factory=dict)
    special: Special = field(default=_nothing_special)
    always: Callable[[Filter], list[Clause]] = field(default=_nothing_more)
    word: Callable[[str, str], Any] = field(default=_as_it_is)

    @property
    def acted_on(self) -> AnyResource:
        """What actions and bulk operations call it. Raises ValueError for a list that has none."""
        return read_resource(str(self.resource))
