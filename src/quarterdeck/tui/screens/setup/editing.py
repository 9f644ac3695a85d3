"""Something that is set up while somebody changes it: what was read of it, and what is sent of what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.screens.setup.entries import Entry, Texts, changes_of, texts_of

Row = Mapping[str, Any]
UNCHANGED: dict[str, Any] = {}  # what a form answers with that has nothing to send


class ReadAnew(NamedTuple):
    """`texts` for the fields: what was typed stays, what was not is as it is now. `before`: all of it as it is now.
    `errors`: where somebody else has changed what was typed too. `told`: what became of it, as a sentence."""

    texts: Texts
    before: Texts
    errors: Mapping[str, str]
    told: str


Save = Callable[[Texts], Awaitable[dict[str, Any]]]
Again = Callable[[Texts], Awaitable[ReadAnew]]


def is_conflict(problem: Problem) -> bool:
    return problem.code is Code.CHANGED_SINCE


class Editing:
    """`send` takes a body and answers with the row as it is then; `read` answers with it as it is now. Both raise
    Problem and Unreachable."""

    def __init__(
        self,
        entries: Sequence[Entry],
        row: Row,
        send: Callable[[dict[str, Any]], Awaitable[Row]],
        read: Callable[[], Awaitable[Row]],
        fixed: Mapping[str, Any],
    ) -> None:
        self._entries, self._row, self._send, self._read, self._fixed = entries, row, send, read, fixed
        self.before = texts_of(entries, row)

    async def save(self, texts: Texts) -> dict[str, Any]:
        """Only what is different is sent, for the version that was read. Raises Wrong besides."""
        body = changes_of(self._entries, texts, self.before, self._row, self._fixed)
        if not body.keys() - {"reason"}:
            return UNCHANGED
        return dict(await self._send({**body, "version": self._row["version"]}))

    async def again(self, texts: Texts) -> ReadAnew:
        old, self._row = self.before, await self._read()
        self.before = texts_of(self._entries, self._row)
        return read_anew(self._entries, texts, old, self.before, str(self._row["updated_by"]))


def read_anew(entries: Sequence[Entry], texts: Texts, old: Texts, now: Texts, by: str) -> ReadAnew:
    """`old`: as it was when `texts` were typed over it; `by` made it what it is `now`."""
    merged, errors, others = {}, {}, []
    for entry in entries:
        at = entry.at
        typed, theirs = texts[at].strip() != old[at].strip(), now[at].strip() != old[at].strip()
        merged[at] = texts[at] if typed else now[at]
        if theirs:
            others.append(entry.title)
        if typed and theirs and texts[at].strip() != now[at].strip():
            errors[at] = f"is {' / '.join(now[at].splitlines()) or 'empty'} by now; enter saves yours"
    what = ", ".join(others) or "nothing that stands here"
    return ReadAnew(merged, now, errors, f"Read anew: {by} has changed {what}. What you typed stays; enter saves it.")
