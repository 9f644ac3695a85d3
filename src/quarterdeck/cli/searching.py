"""Lists that come in pages, and text searches that come in slices."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli.runtime import Cli
from quarterdeck.contract.operations import Operation

_PAGE = 500


async def all_pages(
    cli: Cli, operation: Operation, query: dict[str, Any], limit: int, cursor: str | None
) -> dict[str, Any]:
    """`limit` rows (0: all) as one page. A search that is not over goes on until it has found enough."""
    shown: list[dict[str, Any]] = []
    searched = 1.0
    while True:
        size = min(_PAGE, limit - len(shown)) if limit else _PAGE
        page = await cli.call(operation, query={**query, "limit": size, "cursor": cursor})
        shown += page["items"]
        cursor, searched = page["next"], page.get("searched", 1.0)
        if cursor is None or (limit and len(shown) >= limit):
            return {"items": shown, "next": cursor, "searched": searched}


def searched_note(cli: Cli, found: dict[str, Any], noun: str, query: str) -> None:
    """What a person should know about a list that is empty, or not all there is."""
    if cli.json:
        return
    if not found["items"]:
        cli.out.note(f"No {noun} match this filter." if query else f"There are no {noun}.")
    elif found["next"] is not None:
        cli.out.note("There are more; --limit 0 lists all of them.")
