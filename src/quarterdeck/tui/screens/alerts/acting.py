"""What is done with alerts: acknowledge, resolve."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.operations import Operation, alerts
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count, moment, plural
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.alerts.picking import AT_ONCE, TooMany, about_lines, picked
from quarterdeck.tui.screens.alerts.words import labels_said
from quarterdeck.tui.screens.prompt import Prompt, Values
from quarterdeck.tui.screens.setup.written import MINUTES
from quarterdeck.tui.session import Act
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of

if TYPE_CHECKING:
    from quarterdeck.tui.screens.alerts.screen import AlertsScreen

Row = Mapping[str, Any]
_SPAN = re.compile(r"(\d{1,6})\s*(m|h|d)")
_MINUTES = {"m": 1, "h": 60, "d": 1_440}
MOST_MINUTES = 43_200
Mistake = tuple[str, str]  # the name of a field, or none, and a sentence
NO_MISTAKE: Mistake = ("", "")
_NOTE = Field("note", "Note", "what is being done; may stay empty", False, True)
_WHY = Field("note", "Note", "why it is over", True, False)
_FOR = Field("time", "For", "30m, 4h, 2d; empty: as the engine's setting says", False, True)


def minutes_of(text: str | None) -> int | None:
    """`30m`, `4h`, `2d`; None for nothing. Raises ValueError with a sentence."""
    if not text or not text.strip():
        return None
    match = _SPAN.fullmatch(text.strip().lower())
    minutes = int(match.group(1)) * _MINUTES[match.group(2)] if match else 0
    if not 0 < minutes <= MOST_MINUTES:
        raise ValueError(f"'{safe(text)}' is no time such as 30m, 4h or 2d, of 30 days at most.")
    return minutes


class AlertActing:
    """Every call runs beside the screen, so that keys go on working."""

    def __init__(self, screen: AlertsScreen) -> None:
        self.screen = screen

    @property
    def session(self) -> Any:
        return self.screen.console.session

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.screen.run_worker(self._told(work), group="acting")

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except TooMany as error:
            self.screen.notice(str(error), "warning")
        except FAILURES as error:
            self.screen.notice(sentence(error), "error")

    # Acknowledging

    async def acknowledge(self, opened_with: str) -> None:
        rows = await picked(self.screen, firing=True)
        if not rows:
            self.screen.notice("Nothing to acknowledge: none of them fires any more.", "warning")
            return
        about = [] if len(rows) == 1 else about_lines(rows, self._glyphs)
        what = "It stops" if len(rows) == 1 else "They stop"
        worse = "it gets" if len(rows) == 1 else "one gets"
        about.append([(f"{what} repeating, until then or until {worse} worse.", "muted")])
        title: Line = [("Acknowledge ", "title"), *self.title(rows)]
        ask = partial(self.ask, title, "acknowledge", (_NOTE, _FOR), about, opened_with)
        done, left = await self._carried_out(alerts.ACKNOWLEDGE, rows, ask)
        lasts = await self._lasts(done[0]) if done else ""
        self._tell("Acknowledged", done, left, lasts=lasts, back=partial(self._taken_back, done))

    async def _taken_back(self, ids: Sequence[int]) -> None:
        """Those that fire no more are over, and need nobody."""
        for at in range(0, len(ids), AT_ONCE):
            await self.session.client.call(alerts.UNACKNOWLEDGE, body={"ids": ids[at : at + AT_ONCE]})

    async def _lasts(self, number: int) -> str:
        """For how long it was acknowledged: the engine's setting, where nobody said."""
        try:
            alert = (await self.session.client.call(alerts.SHOW, id=number))["alert"]
        except FAILURES:
            return ""  # what was asked for is done; how long it lasts stands in the detail
        began, end = moment(alert["acknowledged_at"]), moment(alert["acknowledged_until"])
        return "" if began is None or end is None else f" for {MINUTES.write((end - began) // MINUTE)}"

    # Resolving

    async def resolve(self, opened_with: str) -> None:
        rows = await picked(self.screen, firing=True)
        if not rows:
            self.screen.notice("Nothing to resolve: none of them fires any more.", "warning")
            return
        about = [] if len(rows) == 1 else about_lines(rows, self._glyphs)
        about.append([("What is still true comes back after a time.", "muted")])
        title: Line = [("Resolve ", "title"), *self.title(rows)]
        ask = partial(self.ask, title, "resolve", (_WHY,), about, opened_with, danger=len(rows) > 1)
        done, left = await self._carried_out(alerts.RESOLVE, rows, ask)
        self._tell("Resolved", done, left, why_not="an alert that is still true comes back by itself")

    # Both

    @property
    def _glyphs(self) -> Any:
        return look_of(self.screen.app).glyphs

    def title(self, rows: Sequence[Row]) -> Line:
        if len(rows) > 1:
            return [(plural(len(rows), "alert"), "accent")]
        row = rows[0]
        return [(f"#{row['id']} ", "accent"), (safe(f"{row['name']}  {labels_said(row['labels'])}"), "")]

    async def ask(
        self,
        title: Line,
        verb: str,
        fields: tuple[Field, ...],
        about: Sequence[Line],
        opened_with: str,
        *,
        danger: bool = False,
        given: Mapping[str, object] | None = None,
        wrong: Mistake = NO_MISTAKE,
        begun: bool = False,
    ) -> tuple[Values | None, int | None]:
        """What was answered, and the minutes of its field "time"; asked again as long as that cannot be read.
        `wrong`: why it is asked once more, with what was `given` then; `begun`: something was tried by then."""
        while True:
            answer = await self.screen.app.push_screen_wait(
                Prompt(
                    title,
                    verb,
                    fields,
                    about=about,
                    given=given,
                    danger=danger,
                    opened_with=opened_with,
                    wrong=wrong,
                )
            )
            if answer is None:
                if not begun:
                    self.screen.notice("Nothing was done.")
                return None, None
            try:
                return answer, minutes_of(answer.get("time"))
            except ValueError as error:
                wrong, given = ("time", str(error)), answer

    async def _carried_out(
        self, operation: Operation, rows: Sequence[Row], ask: Callable[..., Awaitable[tuple[Values | None, int | None]]]
    ) -> tuple[list[int], int | None]:
        """What was done, and how many were in no state for it any more; None where it was broken off. Where the engine
        refuses or is gone, what was typed is asked for again, for the rest."""
        done: list[int] = []
        left, at = 0, 0
        answer, minutes = await ask()
        while answer is not None:
            body = {**answer, "minutes": minutes} if "time" in answer else dict(answer)
            body.pop("time", None)
            try:
                while at < len(rows):
                    ids = [int(row["id"]) for row in rows[at : at + AT_ONCE]]
                    found = await self.session.client.call(operation, body={**body, "ids": ids})
                    at += len(ids)
                    done += found["done"]
                    left += len(found["skipped"])
                return done, left
            except FAILURES as error:
                said = f" {plural(len(done), 'alert')} of {count(len(rows))} are done." if done else ""
                answer, minutes = await ask(given=answer, wrong=("", f"{sentence(error)}{said}"), begun=True)
        return done, None

    def _tell(
        self,
        verb: str,
        done: Sequence[int],
        left: int | None,
        *,
        lasts: str = "",
        why_not: str = "",
        back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        if left is None and not done:
            return
        what = f"#{done[0]}" if len(done) == 1 else plural(len(done), "alert")
        rest = "; the others are as they were" if left is None else f"; {count(left)} fire no more" if left else ""
        undo = f"; {self.screen.key('undo')} takes that back" if back is not None else ""
        self.screen.notice(f"{verb} {what}{lasts}{rest}{undo}." if done else "None of them fires any more.", "success")
        if done:
            self.session.did(Act(f"{verb} {what}", why_not=why_not, back=back))
        self.finished()

    def finished(self) -> None:
        """Marks have served."""
        self.screen.table.marks.clear()
        self.screen.table.marks_changed()
        self.screen.changed()
        self.screen.live.look_again()
