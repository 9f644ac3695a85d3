"""What a table shows: rows, columns, and where the rows come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from quarterdeck.tui.glyphs import UNICODE, Glyphs

Row = Mapping[str, Any]  # as JSON from the API; "id" is an int
Cell = tuple[str, str]  # text, and the name of a style
Direction = Literal["next", "previous"]


class CellContext(NamedTuple):
    """What a cell may depend on besides its row: the time (ms), the signs, and its width in cells."""

    now: int
    width: int
    glyphs: Glyphs = UNICODE


class Column(NamedTuple):
    """`width` in cells; a `flex` column takes what is left and is never narrower than that if it can be helped.

    `hide_below`: left out where the table is narrower. `live`: the text changes with the time alone.
    """

    key: str
    title: str
    width: int
    cell: Callable[[Row, CellContext], Cell]
    flex: bool = False
    hide_below: int = 0
    right: bool = False
    live: bool = False


class Page(NamedTuple):
    """Rows in the order of the list, whichever way they were read.

    `next` is the cursor for the rows behind the last one, `previous` for those before the first one; None
    where the list ends. A cursor may be used in either direction.
    """

    rows: Sequence[Row]
    next: str | None
    previous: str | None


class RowSource(Protocol):
    """A list that can be read from both ends and on from every page.

    May raise SourceFailed, a contract Problem or an OSError; their text is shown to people. Optional:
    `async def matching(ids) -> list[Row]`: those of `ids` that are in the list, as they are now.
    `async def named(ids) -> list[Row]`: `ids` as they are now, in the list or not.
    `scope: str`: what the list is, in the words of the operator (the filter).
    `exact: int | None`: how many rows there are, once reading them has shown that the count was too low.
    """

    async def page(self, *, cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        """At most `limit` rows behind (`next`) or before (`previous`) `cursor`, after leaving out `skip` of
        them. Without a cursor: from the beginning, or from the end."""
        ...

    async def count(self) -> int:
        """How many rows the list has."""
        ...


class SourceFailed(Exception):
    """Rows cannot be had; one sentence why."""
