"""Regular expressions that people write: whether one can be matched in a moment, whatever it is matched against.

Python's matcher tries one way after the other. How many there are at most is counted in the parsed expression, for a
text in which everything fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from re import _constants as _is  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

# What is matched is cut to so many characters.
READ = 500
_LONGEST = 200
_MOST_STEPS = 1_500_000  # some 50 ms
_MOST_COUNTED = 10_000  # nodes that are gone through

# How many ways lead to a place of the text.
_Ways = dict[int, float]
_REPEATS = (_is.MAX_REPEAT, _is.MIN_REPEAT, _is.POSSESSIVE_REPEAT)
_ONE = (_is.LITERAL, _is.NOT_LITERAL, _is.ANY, _is.IN)


@lru_cache(maxsize=2_000)
def fault_of(text: str) -> str | None:
    """The end of a sentence: why this is no expression, or none that may be used; None where it may be."""
    if len(text) > _LONGEST:
        return f"is a regular expression of more than {_LONGEST} characters; list what is meant in several"
    try:
        re.compile(text)
        parsed = _parser.parse(text)
        _Count().row(parsed, {0: 1.0})
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression: {error}"
    except _TooLongError:
        return (
            "is a regular expression that may take for ever; repeat nothing that repeats, "
            "and use * and + twice at most, or with words between them"
        )
    return None


class _TooLongError(Exception):
    """There are more ways than anybody waits for."""


class _Count:
    """The steps that are taken at most."""

    def __init__(self) -> None:
        self.steps, self.counted = 0.0, 0

    def _add(self, steps: float) -> None:
        self.steps += steps
        self.counted += 1
        if self.steps > _MOST_STEPS or self.counted > _MOST_COUNTED:
            raise _TooLongError

    def row(self, nodes: Any, ways: _Ways) -> _Ways:
        """Ways to where `nodes`, one after the other, have matched."""
        fits, word_ends = 1.0, 0
        for place, (kind, value) in enumerate(nodes):
            if kind in _REPEATS and _is_one(value[2]) and (word := _word(nodes[place + 1 :])):
                # Of all the places where it may stop, a word follows on few: it does not fit twice within its period.
                choices = max(1, min(value[1], READ) - value[0] + 1)
                fits, word_ends = -(-choices // _period(word)) / choices, place + len(word)
            ways = self._one(kind, value, ways)
            if word_ends and place == word_ends:
                ways, word_ends = {at: each * fits for at, each in ways.items()}, 0
        return ways

    def _one(self, kind: Any, value: Any, ways: _Ways) -> _Ways:
        if kind in _ONE:
            self._add(sum(ways.values()))
            return {at + 1: each for at, each in ways.items() if at < READ}
        if kind is _is.AT:
            self._add(sum(ways.values()))
            return ways
        if kind is _is.SUBPATTERN:
            return self.row(value[3], ways)
        if kind is _is.ATOMIC_GROUP:
            return self.row(value, ways)
        if kind in (_is.ASSERT, _is.ASSERT_NOT):
            self.row(value[1], ways)
            return ways
        if kind is _is.BRANCH:
            return self._branch(value[1], ways)
        if kind in _REPEATS:
            least, most, body = value
            return self._repeat(least, most, body, ways)
        raise _TooLongError  # it refers to what was matched before

    def _branch(self, branches: Sequence[Any], ways: _Ways) -> _Ways:
        found = [self.row(each, ways) for each in branches]
        self._add(sum(ways.values()) * len(found))
        begins = sorted(_word(each) for each in branches)
        # Where none begins as another does, one of them fits at most.
        apart = all(one and not two.startswith(one) for one, two in zip(begins, [*begins[1:], ""], strict=True))
        join: Callable[[list[float]], float] = max if apart else sum
        return {at: join([each.get(at, 0.0) for each in found]) for at in set().union(*found)}

    def _repeat(self, least: int, most: int, body: Any, ways: _Ways) -> _Ways:
        if _is_one(body):
            return self._run(least, most, ways)
        if most > 1 and body.getwidth()[0] == 0:
            raise _TooLongError  # it may repeat nothing
        found: _Ways = dict(ways) if least == 0 else {}
        for turn in range(1, min(most, READ) + 1):
            ways = self.row(body, ways)
            if not ways:
                break
            if turn >= least:
                for at, each in ways.items():
                    found[at] = found.get(at, 0.0) + each
        return found

    def _run(self, least: int, most: int, ways: _Ways) -> _Ways:
        """Of one character, so often."""
        until = list(accumulate((ways.get(at, 0.0) for at in range(READ + 1)), initial=0.0))
        sums = {at: until[max(0, at - least + 1)] - until[max(0, at - most)] for at in range(READ + 1)}
        found = {at: each for at, each in sums.items() if each > 0}
        self._add(sum(found.values()) + until[-1] * (1 + min(least, READ)))
        return found


def _is_one(body: Any) -> bool:
    return len(body) == 1 and body[0][0] in _ONE


def _word(nodes: Any) -> str:
    """The letters that it begins with, of which each is itself and no other, in whichever case."""

    def letters() -> Iterator[str]:
        for kind, value in nodes:
            if kind is not _is.LITERAL or value > 127:
                return
            yield chr(value).lower()

    return "".join(letters())


def _period(word: str) -> int:
    """By how much it has to be moved to fit on itself: 4 for disk, 1 for aaa."""
    return next(move for move in range(1, len(word) + 1) if word.startswith(word[move:]))
