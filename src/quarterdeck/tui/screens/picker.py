"""Choosing one of several by name: the palette, go-to, sort order, theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.widgets import Input

from quarterdeck.tui.screens.dialog import Dialog
from quarterdeck.tui.spans import Line, both_ends, width
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import LinesView
from quarterdeck.tui.widgets.text_input import TextInput

_MOST_SHOWN = 14
_MOVES = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}


@dataclass(frozen=True, slots=True)
class Option:
    """`off` says why it cannot be chosen now; choosing it says so."""

    value: str
    label: str
    hint: str = ""
    key: str = ""
    off: str = ""


class Picker(Dialog[str]):
    """Type to narrow, arrows to choose, enter to take. `free`: what was typed is an answer too."""

    IS_QUESTION = False

    def __init__(
        self,
        title: str,
        options: Sequence[Option],
        *,
        chosen: str = "",
        free: bool = False,
        placeholder: str = "",
        typed: bool = True,
    ) -> None:
        """`typed` False: a few options that are only chosen, with j and k too."""
        super().__init__()
        self._typed = typed
        self._title, self._all, self._free, self._placeholder = title, list(options), free, placeholder
        self._shown = self._all
        self._at = next((n for n, option in enumerate(self._all) if option.value == chosen), 0)
        self._moved = False
        self._narrowed = ""  # the text that what is shown fits to

    def body(self) -> ComposeResult:
        if self._typed:
            yield TextInput(placeholder=self._placeholder or "type to narrow")
        yield LinesView(id="options")

    def on_mount(self) -> None:
        self.say_title([(self._title, "title")])
        verb = "go" if self._free else "choose"
        self.say_keys(
            [
                ("enter", "key"),
                (f" {verb}  ", "muted"),
                ("tab", "key"),
                (" complete  ", "muted"),
                ("esc", "key"),
                (" close", "muted"),
            ]
            if self._typed
            else [
                ("j k", "key"),
                (" move  ", "muted"),
                ("enter", "key"),
                (" choose  ", "muted"),
                ("esc", "key"),
                (" close", "muted"),
            ]
        )
        self._list()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, text: str) -> None:
        """Offer what fits. A key can be quicker than the news of what was typed before it."""
        if text == self._narrowed:
            return
        self._narrowed = text
        wanted, first = text.lower().split(), text.lower().strip()
        self._shown = [o for o in self._all if all(word in f"{o.label} {o.value} {o.hint}".lower() for word in wanted)]
        self._shown.sort(key=lambda o: not o.label.lower().startswith(first))
        if self._free and wanted and not self._shown:
            head = wanted[0]
            self._shown = [o for o in self._all if o.value.startswith(head)]
        self._at, self._moved = 0, False
        self._list()

    def entered(self) -> None:
        self._take()

    def _take(self) -> None:
        text = self.query_one(TextInput).value if self._typed else ""
        self._narrow(text)
        text = text.strip()
        if self._free and text and not self._moved:
            exact = len(self._shown) == 1 and self._shown[0].value.startswith(text)
            self.dismiss(self._shown[0].value if exact else text)
            return
        if not self._shown:
            return
        option = self._shown[self._at]
        if option.off:
            self.say_keys([(safe(option.off), "warning")])
            return
        self.dismiss(option.value)

    def press(self, key: str) -> bool:
        if not self._typed:
            key = {"j": "down", "k": "up"}.get(key, key)
            if key == "enter":
                self._take()
                return True
        elif key == "tab":
            self._complete()
            return True
        if key in _MOVES:
            self._move(_MOVES[key])
            return True
        return super().press(key)

    def _complete(self) -> None:
        box = self.query_one(TextInput)
        self._narrow(box.value)
        if self._shown:
            box.value = self._shown[self._at].value if self._free else self._shown[self._at].label
            box.cursor_position = len(box.value)

    def _move(self, by: int) -> None:
        if self._shown:
            self._at = max(0, min(self._at + by, len(self._shown) - 1))
            self._moved = True
            self._list()

    def _list(self) -> None:
        room = max(3, min(_MOST_SHOWN, self.app.size.height - 8))
        cells = min(86, self.app.size.width) - 4
        start = max(0, min(self._at - room // 2, len(self._shown) - room))
        cursor = look_of(self.app).glyphs.cursor
        lines: list[Line] = []
        widest = max((width([(safe(o.label), "")]) for o in self._all), default=0)
        for n, option in enumerate(self._shown[start : start + room], start):
            here = n == self._at
            label = safe(option.label)
            left: Line = [
                (f"{cursor} " if here else "  ", "accent"),
                (
                    label + " " * (min(widest, 28) - width([(label, "")])),
                    "accent" if here else ("muted" if option.off else ""),
                ),
                (f"  {safe(option.off or option.hint)}", "muted"),
            ]
            lines.append(both_ends(left, [(option.key, "key")] if option.key else [], cells))
        if not lines:
            lines = [[("  Enter looks for it." if self._free else "  Nothing has that name.", "muted")]]
        # One height for all states, so that the box does not jump while one types.
        tall = min(room, max(len(self._all), 1))
        self.query_one("#options", LinesView).show(lines + [[] for _ in range(tall - len(lines))], keep=True)
