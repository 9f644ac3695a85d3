"""Writing the result of an operation to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.contract.operations import bulk

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console


async def export_results(console: Console, number: int) -> None:
    """`operation-12.csv` in the current folder, whole or not at all. Raises Problem and Unreachable."""
    path = free_name(Path.cwd(), f"operation-{number}")
    beside = path.with_suffix(".csv.part")
    try:
        try:
            with beside.open("wb") as file:
                async for chunk in console.session.client.stream(bulk.EXPORT, query={"format": "csv"}, id=number):
                    file.write(chunk)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        console.notice(f"The result could not be written to {path}: {error.strerror}.", "error")
        return
    console.notice(f"The result of every item is in {path}.", "success")


def free_name(folder: Path, stem: str) -> Path:
    """A name that is not taken: nothing is overwritten."""
    path, number = folder / f"{stem}.csv", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.csv", number + 1
    return path
