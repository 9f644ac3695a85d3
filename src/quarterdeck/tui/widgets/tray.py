"""The line on every screen that says what goes on: the engine, running operations, what just happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.message import Message
from textual.timer import Timer

from quarterdeck.tui.format import bar, count, duration, percent
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import LineView

NOTICE_SECONDS = 8.0
_BAR = 10


class Tray(LineView):
    """An unreachable engine first, then the notice, then running operations."""

    class Forgot(Message):
        """The notice has been there for long enough."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._notice: list[Line] = []
        self.rest: Line = []  # what did not fit; the screen says it in its footer
        self._timer: Timer | None = None
        self._session: Session | None = None
        self._lost = False  # whether no engine answered when the session was last told
        self._lasting = False  # else the notice goes with the next key that does something

    def tell(self, session: Session) -> None:
        """Say the newest state of the session."""
        self._session = session
        before, self._lost = self._lost, bool(session.lost) and not session.starting
        if self._lost and not before:
            self._drop()  # it was about an engine that was there
        self._say()

    def notice(self, sentence: str, style: str = "", *, lasting: bool = True) -> None:
        """For a while; where it is not `lasting`, no longer than until a key does something."""
        self._drop()
        self._lasting = lasting
        self._notice = [[(" ", ""), *line] for line in wrap(sentence, max(self.size.width - 2, 20), style, most=2)]
        self._timer = self.set_timer(NOTICE_SECONDS, self._forget)
        self._say()

    def pass_on(self) -> bool:
        """A key does something. Returns whether a notice has gone with it."""
        gone = bool(self._notice) and not self._lasting
        if gone:
            self._drop()
            self._say()
        return gone

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._notice, self._timer = [], None

    def _forget(self) -> None:
        self._drop()
        self._say()
        self.post_message(self.Forgot())

    def _say(self) -> None:
        session, sign = self._session, look_of(self.app).glyphs.failed
        lost = self._lost
        self.rest = []
        if self._notice:
            first, *more = self._notice
            self.rest = more[0] if more else []
            self.show(first, [(f" {sign} no engine ", "error")] if lost and not more else self._brief())
        elif session is None:
            self.show([])
        elif lost:
            assert session is not None
            stop = "" if session.lost.endswith(".") else " ·"
            sentence = f"{sign} No engine: {session.lost}{stop} Trying again; your place is kept."
            first, *more = wrap(sentence, max(self.size.width - 2, 20), "lost", most=2)
            self.rest = [(" ", "lost"), *more[0]] if more else []
            self.show([(" ", ""), *first], base="lost")
        elif session.starting:
            self.show([(f" {safe(session.lost[:1].upper() + session.lost[1:])}", "muted")])
        else:
            self.show(self._operations(session))

    def _brief(self) -> Line:
        running = self._session.running if self._session else {}
        return [(f"{len(running)} running ", "badge-active")] if running else []

    def _operations(self, session: Session) -> Line:
        line: Line = []
        for operation in session.running.values():
            if line:
                line.append(("   ", ""))
            line += progress(operation, look_of(self.app).glyphs)
        return [(" ", ""), *line] if line else []


def done_of(operation: Mapping[str, Any]) -> int:
    """Items of an operation that have met their fate."""
    return int(operation["succeeded"]) + int(operation["failed"]) + int(operation["cancelled"])


def progress(operation: Mapping[str, Any], glyphs: Glyphs, cells: int = _BAR) -> Line:
    """`Assign #12 ████░░░░░░ 41% 41,000/100,000 · 3 failed · 12s left`"""
    eligible, done = int(operation["eligible"]), done_of(operation)
    filled = bar(done, eligible, cells, glyphs)
    empty = filled.lstrip(glyphs.bar_full)
    line: Line = [
        (f"{safe(operation['label'])} #{operation['id']} ", ""),
        (filled[: len(filled) - len(empty)], "badge-active"),
        (empty, "line"),
        (f" {percent(done, eligible)}", ""),
        (f" {count(done)}/{count(eligible)}", "muted"),
    ]
    if operation["failed"]:
        line.append((f" · {count(operation['failed'])} failed", "error"))
    if operation["cancel_requested"]:
        line.append((" · stopping", "warning"))
    elif operation["eta_seconds"] is not None:
        line.append((f" · {duration(int(operation['eta_seconds'] * 1_000))} left", "muted"))
    return line
