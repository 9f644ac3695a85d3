"""What a parsed filter is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from quarterdeck.contract.clock import EARLIEST, LATEST, iso


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time: absolute (`at`, ms since 1970) or an offset from now (`offset`, ms; + is later).

    `text` is how it was written.
    """

    text: str
    at: int | None = None
    offset: int | None = None

    def resolve(self, now: int) -> int:
        if self.at is not None:
            return self.at
        return max(EARLIEST, min(now + (self.offset or 0), LATEST))


@dataclass(frozen=True, slots=True)
class Equals:
    """`exact`: it was quoted because it reads like a word of the grammar; somebody may be called "none"."""

    value: str
    exact: bool = False

    def text(self) -> str:
        return f'"{self.value}"' if self.exact else quoted(self.value)

    def says(self, *words: str) -> bool:
        """Whether it is one of these words of the grammar."""
        return not self.exact and self.value in words


@dataclass(frozen=True, slots=True)
class Compare:
    """`op` is one of < <= > >= and speaks about the time itself; `source` may speak about an age."""

    op: str
    instant: Instant
    source: str

    def text(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Between:
    """From `start` (included) to `end` (excluded)."""

    start: Instant
    end: Instant
    source: str

    def text(self) -> str:
        return self.source


Condition = Equals | Compare | Between


@dataclass(frozen=True, slots=True)
class Term:
    """`key` is empty for free text. `column` is where the term starts in the source, from 1; two terms
    that say the same are equal wherever they stand."""

    key: str
    conditions: tuple[Condition, ...]
    negated: bool = False
    column: int = field(default=1, compare=False)

    def text(self) -> str:
        values = ",".join(condition.text() for condition in self.conditions)
        return ("-" if self.negated else "") + (f"{self.key}:{values}" if self.key else values)


@dataclass(frozen=True, slots=True)
class Filter:
    terms: tuple[Term, ...] = ()

    @property
    def text(self) -> str:
        """The filter in the grammar again; parsing it gives an equal filter."""
        return " ".join(term.text() for term in self.terms)

    def values(self, key: str) -> tuple[Condition, ...]:
        return tuple(c for term in self.terms if term.key == key for c in term.conditions)


class FilterError(ValueError):
    """One sentence; `column` counts characters from 1; `valid` lists what would have been accepted."""

    def __init__(self, message: str, column: int, valid: tuple[str, ...] = ()) -> None:
        hint = f" Valid: {', '.join(valid)}." if valid else ""
        super().__init__(f"Column {column}: {message}{hint}")
        self.message = message
        self.column = column
        self.valid = valid


# Habits from elsewhere: refused as bare words, because they would be searched for.
JOINERS = ("AND", "OR")

_PLAIN = re.compile(r"[^\s\",:\-<>=\\][^\s\",\\]*")


def quoted(value: str) -> str:
    """The value as the grammar reads it back: bare where that is unambiguous, else in quotes."""
    if _PLAIN.fullmatch(value) and ":" not in value and ".." not in value and value not in JOINERS:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def at_text(milliseconds: int) -> str:
    return iso(milliseconds)
