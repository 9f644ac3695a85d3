"""Rows that were not imported, with the reason, in a CSV file made when the first one turns up."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from quarterdeck.cli.importing.values import show
from quarterdeck.contract.cells import neutral

_KEPT = 5


@dataclass(frozen=True, slots=True)
class Reject:
    """`line` is None where the file has no lines; `record` counts from 1."""

    line: int | None
    record: int
    column: str
    value: str
    reason: str

    def sentence(self) -> str:
        place = f"line {self.line}" if self.line is not None else f"record {self.record}"
        what = f"{self.column} '{show(self.value, 60)}' {self.reason}" if self.column else self.reason
        return f"{place}: {what}"


class Rejects:
    """Counts them, keeps the first few for the summary, writes them all. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.first: list[Reject] = []
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, reject: Reject) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", "record", "column", "value", "reason"])
        self.count += 1
        if len(self.first) < _KEPT:
            self.first.append(reject)
        line = "" if reject.line is None else reject.line
        cells = [neutral(show(text)) for text in (reject.column, reject.value, reject.reason)]
        self._writer.writerow([line, reject.record, *cells])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
