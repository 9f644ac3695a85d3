"""What attempts write: bounded for each of them, kept in the order written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from quarterdeck.contract.enums import LogLevel
from quarterdeck.engine.runs.outcomes import clean
from quarterdeck.engine.runs.tables import run_logs
from quarterdeck.engine.store.store import Transaction

# Of one attempt.
MOST_LINES = 10_000
MOST_CHARACTERS = 1024 * 1024
LONGEST_LINE = 100_000
DROPPED = "There is more; of one attempt 10,000 lines or 1 MiB are kept."


@dataclass(frozen=True, slots=True)
class Line:
    """`at` in ms."""

    run_id: int
    attempt: int
    at: int
    level: str
    text: str


class Measure:
    """How much an attempt has written."""

    def __init__(self, lines: int = 0, characters: int = 0) -> None:
        self.lines = lines
        self.characters = characters
        self.dropped = 0

    @property
    def is_full(self) -> bool:
        return self.lines >= MOST_LINES or self.characters >= MOST_CHARACTERS

    def take(self, level: str, text: str) -> Iterator[tuple[str, str]]:
        """(level, line) for what is kept of it; once, when there is too much, a line that says so."""
        if self.is_full:
            self.dropped += 1
            return
        text = clean(text, LONGEST_LINE) or ""
        self.lines += 1
        self.characters += len(text)
        yield level, text
        if self.is_full:
            yield str(LogLevel.WARNING), DROPPED


async def keep(transaction: Transaction, lines: Sequence[Line]) -> None:
    await transaction.connection.execute(
        run_logs.insert(),
        [
            {"run_id": line.run_id, "attempt": line.attempt, "at": line.at, "level": line.level, "text": line.text}
            for line in lines
        ],
    )


async def append(
    transaction: Transaction, run_id: int, attempt: int, lines: Sequence[tuple[int, str, str]]
) -> tuple[int, int]:
    """(kept, dropped) of (at in ms, level, text) for an attempt that writes from outside."""
    written = (
        await transaction.connection.execute(
            select(func.count(), func.coalesce(func.sum(func.length(run_logs.c.text)), 0)).where(
                run_logs.c.run_id == run_id, run_logs.c.attempt == attempt
            )
        )
    ).one()
    measure = Measure(*map(int, written))
    kept = [
        Line(run_id, attempt, at, kept_level, kept_text)
        for at, level, text in lines
        for kept_level, kept_text in measure.take(str(level), text)
    ]
    if kept:
        await keep(transaction, kept)
    return len(lines) - measure.dropped, measure.dropped
