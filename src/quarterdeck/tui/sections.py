"""A list made of parts that follow each other: each is read on its own, the table sees one."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from quarterdeck.tui.widgets.rows import Direction, Page, Row

Read = Callable[[str | None, Direction, int, int], Awaitable[Page]]
"""cursor, direction, limit, skip → page of one part."""


@dataclass(frozen=True, slots=True)
class Section:
    """`place` orders the parts and names this one; `count` is how many rows it had when that was asked."""

    place: tuple[int, ...]
    count: int
    read: Read


def fixed(place: tuple[int, ...], rows: Sequence[Row]) -> Section:
    """Rows that are known already."""

    async def read(cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        if direction == "next":
            start = (int(cursor) if cursor is not None else 0) + skip
            end = min(start + limit, len(rows))
        else:
            end = max((int(cursor) if cursor is not None else len(rows)) - skip, 0)
            start = max(end - limit, 0)
        part = list(rows[start:end])
        return Page(part, str(end) if end < len(rows) else None, str(start) if start > 0 else None)

    return Section(place, len(rows), read)


@dataclass(frozen=True, slots=True)
class _At:
    """Where to read on: behind (or before) `inner` in a part; `inner` None: from its beginning (or its end).
    `offset` counts the rows before it in the part."""

    number: int
    inner: str | None
    offset: int


async def page_of(sections: Sequence[Section], cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
    """A page as a RowSource gives it. Parts may have come and gone since the cursor was made."""
    forwards = direction == "next"
    at = _start(sections, forwards) if cursor is None else _found(sections, cursor, forwards)
    pages: list[tuple[int, int, Page]] = []  # number of the part, rows before the page in it, the page
    left = limit
    while 0 <= at.number < len(sections) and left > 0:
        section = sections[at.number]
        inside = max(section.count - at.offset if forwards else at.offset, 0)
        if skip and skip >= inside:
            skip, at = skip - inside, _beyond(sections, at.number, forwards)
            continue
        page = await section.read(at.inner, direction, left, skip)
        first = at.offset + skip if forwards else max(at.offset - skip - len(page.rows), 0)
        if page.rows:
            pages.append((at.number, first, page))
        left, skip = left - len(page.rows), 0
        on = page.next if forwards else page.previous
        if on is not None:
            break
        at = _beyond(sections, at.number, forwards)
    return _joined(sections, pages if forwards else pages[::-1])


def _start(sections: Sequence[Section], forwards: bool) -> _At:
    return _At(0, None, 0) if forwards else _end_of(sections, len(sections) - 1)


def _end_of(sections: Sequence[Section], number: int) -> _At:
    return _At(number, None, sections[number].count if 0 <= number < len(sections) else 0)


def _beyond(sections: Sequence[Section], number: int, forwards: bool) -> _At:
    return _At(number + 1, None, 0) if forwards else _end_of(sections, number - 1)


def _found(sections: Sequence[Section], cursor: str, forwards: bool) -> _At:
    place, offset, inner = json.loads(cursor)
    number = bisect_left(sections, tuple(place), key=lambda section: section.place)
    if number < len(sections) and sections[number].place == tuple(place):
        if inner is None:  # its very beginning
            return _At(number, None, 0) if forwards else _end_of(sections, number - 1)
        return _At(number, inner, offset)
    return _At(number, None, 0) if forwards else _end_of(sections, number - 1)


def _joined(sections: Sequence[Section], pages: Sequence[tuple[int, int, Page]]) -> Page:
    if not pages:
        return Page([], None, None)
    rows: list[Row] = [row for _, _, page in pages for row in page.rows]
    number, before, page = pages[0]
    previous = None
    if page.previous is not None:
        previous = _cursor(sections, number, before, page.previous)
    elif number > 0:
        previous = _cursor(sections, number, 0, None)
    number, before, page = pages[-1]
    following = None
    if page.next is not None:
        following = _cursor(sections, number, before + len(page.rows), page.next)
    elif number < len(sections) - 1:
        following = _cursor(sections, number + 1, 0, None)
    return Page(rows, following, previous)


def _cursor(sections: Sequence[Section], number: int, offset: int, inner: Any) -> str:
    return json.dumps([sections[number].place, offset, inner])
