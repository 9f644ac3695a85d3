"""Dead letters as JSON lines that can be posted again, here or elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, select

from quarterdeck.contract.clock import iso
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.listing.matching import read_filter, scanning

# Rows in a page, which are more as long as they are small: payloads may be a megabyte each.
_FIRST_PAGE, _LARGEST_PAGE, _SMALLEST_PAGE = 50, 1_000, 5
_LITTLE, _MUCH = 1_000_000, 8_000_000  # bytes
_AS_THEY_ARE = (
    "tenant_id", "queue", "event_type", "payload", "metadata", "error_class", "error_code", "error_message", "detail",
    "attempts",
)  # fmt: skip


def export_dead_letters(engine: Engine, principal: Principal, filter_text: str) -> AsyncIterator[bytes]:
    """Raises Problem(FILTER_INVALID) before the first byte."""
    filter_ = read_filter(filter_text, DEAD_LETTERS.resource, principal)
    return _lines(engine, scanning(DEAD_LETTERS, filter_, principal, engine.store.dialect))


async def _lines(engine: Engine, where: list[Any]) -> AsyncIterator[bytes]:
    """In order of id; what comes meanwhile comes at the end."""
    last, size = 0, _FIRST_PAGE
    while True:
        query = select(dead_letters).where(*where, dead_letters.c.id > last).order_by(dead_letters.c.id).limit(size)
        async with engine.store.read() as connection:
            found = list((await connection.execute(query)).all())
        if not found:
            return
        last = found[-1].id
        written = b"".join(_line(row) for row in found)
        yield written
        if len(found) < size:
            return
        if len(written) < _LITTLE:
            size = min(_LARGEST_PAGE, size * 2)
        elif len(written) > _MUCH:
            size = max(_SMALLEST_PAGE, size // 4)


def _line(row: Row[Any]) -> bytes:
    """The members of a NewDeadLetter. What had no id where it came from gets one, so that a second import of it
    changes nothing."""
    values = {name: getattr(row, name) for name in _AS_THEY_ARE}
    values["source_id"] = row.source_id or f"dead-letter-{row.id}"
    values["died_at"] = iso(row.created_at if row.died_at is None else row.died_at)
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
