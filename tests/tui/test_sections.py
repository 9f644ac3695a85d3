"""Parts that follow each other read as one list, whichever way one goes through it."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.tui.sections import fixed, page_of
from quarterdeck.tui.widgets.rows import Page

_SIZES = st.lists(st.integers(0, 7), max_size=6)


@settings(max_examples=150, deadline=None)
@given(_SIZES, st.integers(1, 9), st.integers(0, 12), st.booleans())
def test_pages_meet_without_gap_or_repetition(sizes: list[int], limit: int, skip: int, forwards: bool) -> None:
    rows = [[{"id": 100 * part + n} for n in range(size)] for part, size in enumerate(sizes)]
    sections = [fixed((part,), own) for part, own in enumerate(rows)]
    whole = [row["id"] for own in rows for row in own]
    direction = "next" if forwards else "previous"

    async def through() -> None:
        seen: list[int] = []
        pages: list[Page] = []
        cursor = None
        while True:
            page = await page_of(sections, cursor, direction, limit, 0 if pages else skip)  # type: ignore[arg-type]
            pages.append(page)
            ids = [row["id"] for row in page.rows]
            seen = seen + ids if forwards else ids + seen
            cursor = page.next if forwards else page.previous
            if cursor is None:
                break
            # A cursor may be used in either direction.
            back = await page_of(sections, cursor, "previous" if forwards else "next", len(ids), 0)
            if ids:
                assert [row["id"] for row in back.rows] == ids
        assert seen == (whole[skip:] if forwards else whole[: max(len(whole) - skip, 0)])

    asyncio.run(through())


async def test_a_part_that_is_gone_leaves_its_neighbours() -> None:
    parts = [fixed((n,), [{"id": 10 * n + each} for each in range(3)]) for n in range(4)]
    first = await page_of(parts, None, "next", 4, 0)
    assert [row["id"] for row in first.rows] == [0, 1, 2, 10]
    without = [parts[0], *parts[2:]]
    assert [row["id"] for row in (await page_of(without, first.next, "next", 2, 0)).rows] == [20, 21]
    assert [row["id"] for row in (await page_of(without, first.next, "previous", 2, 0)).rows] == [1, 2]
