"""Writing what the engine streams to a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.contract.operations import Operation, bulk
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console


async def export_results(console: Console, number: int) -> None:
    """`operation-12.csv` in the current folder. Raises Problem and Unreachable."""
    what = "The result of every item"
    await write_file(console, bulk.EXPORT, {"format": "csv"}, f"operation-{number}", "csv", what, id=number)


async def write_file(
    console: Console,
    operation: Operation,
    query: Mapping[str, object],
    stem: str,
    suffix: str,
    what: str,
    **path: object,
) -> None:
    """A file in the current folder, whole or not at all; says where it is. `what`: what is in it.

    Raises Problem and Unreachable.
    """
    target = free_name(Path.cwd(), stem, suffix)
    beside = target.with_suffix(f".{suffix}.part")
    try:
        try:
            with beside.open("wb") as file:
                async for chunk in console.session.client.stream(operation, query=query, **path):
                    file.write(chunk)
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        console.notice(f"{what} could not be written to {safe(target)}: {error.strerror}.", "error")
        return
    console.notice(f"{what} is in {safe(target.name)}, in the folder {safe(target.parent)}.", "success")


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """A name that is not taken: nothing is overwritten."""
    path, number = folder / f"{stem}.{suffix}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.{suffix}", number + 1
    return path
