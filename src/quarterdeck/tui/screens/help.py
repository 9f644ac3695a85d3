"""Every key and what it does here, made from the same declarations that do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult

from quarterdeck.tui.commands import Scope
from quarterdeck.tui.keymap import Bound, shown
from quarterdeck.tui.screens.dialog import Dialog
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.widgets.lines import LinesView

_HEADINGS = {
    Scope.ACTION: "act on what is under the cursor, or on what is marked",
    Scope.LIST: "this list",
    Scope.QUEUE: "this queue",
    Scope.DONE: "what you did",
    Scope.MACHINES: "look into it",
    Scope.RUNS: "this run",
    Scope.DEAD_LETTERS: "these dead letters",
    Scope.HAS_RUN: "its run",
    Scope.HAS_DEAD_LETTER: "its dead letter",
    Scope.HAS_EXCEPTION: "its exception",
    Scope.GROUPS: "this group",
    Scope.GROWTH: "this chart",
    Scope.READING: "look for words",
    Scope.PAYLOAD: "this value",
    Scope.LOG: "this log",
    Scope.OPERATIONS: "operations",
    Scope.TABLE: "move",
    Scope.EVERYWHERE: "everywhere",
}
_SCROLL = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "space": 10, "g": -9999, "G": 9999}


class HelpScreen(Dialog[None]):
    """Scrolls with the keys that move; anything else closes it."""

    IS_QUESTION = False

    DEFAULT_CSS = """
    HelpScreen Frame { height: 100%; max-width: 100; }
    HelpScreen LinesView { height: 1fr; }
    """

    def __init__(self, where: str, bound: Sequence[Bound], why_not: Callable[[Bound], str | None]) -> None:
        super().__init__()
        self._where, self._bound, self._why_not = where, list(bound), why_not

    def body(self) -> ComposeResult:
        yield LinesView(id="keys-list")

    def on_mount(self) -> None:
        self.say_title([(f"Keys in {self._where}", "title")])
        self.say_keys([("j k", "key"), (" scroll  ", "muted"), ("esc", "key"), (" close", "muted")])

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        view = self.query_one("#keys-list", LinesView)
        view.show(help_lines(self._bound, self._why_not, view.size.width or 76), keep=True)

    def press(self, key: str) -> bool:
        if key in _SCROLL:
            self.query_one("#keys-list", LinesView).scroll_lines(_SCROLL[key])
        elif key in ("escape", "q", "?", "f1", "enter"):
            self.dismiss(None)
        return True


def _headings(bound: Sequence[Bound]) -> dict[Scope, str]:
    """What acts comes first, then what only this screen has, then the rest."""
    first = Scope.ACTION
    own = {each.command.scope: str(each.command.scope) for each in bound if each.command.scope not in _HEADINGS}
    return {first: _HEADINGS[first], **own, **_HEADINGS}


def help_lines(bound: Sequence[Bound], why_not: Callable[[Bound], str | None], cells: int) -> list[Line]:
    """Grouped by where a key works; what is off says why."""
    lines: list[Line] = []
    for scope, heading in _headings(bound).items():
        members = [each for each in bound if each.command.scope is scope]
        if not members:
            continue
        if lines:
            lines.append([])
        lines.append([(heading, "heading")])
        for each in members:
            keys = " ".join(shown(key) for key in each.command.keys)
            reason = why_not(each)
            label = f"{each.command.label:<14.14} "
            text = wrap(reason or each.command.summary, max(cells - 26, 20), "faint" if reason else "muted")
            for n, rest in enumerate(text):
                head: Line = (
                    [(f"{keys:>9}  ", "key"), (label, "faint" if reason else "")] if n == 0 else [(" " * 26, "")]
                )
                lines.append([*head, *rest])
    return lines
