"""Changing a payload: an editor that accepts only JSON, then the difference, then yes or no."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.widgets import TextArea

from quarterdeck.tui.screens.dialog import Dialog
from quarterdeck.tui.spans import Line, both_ends
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.json_words import written
from quarterdeck.tui.widgets.lines import LinesView, LineView

MOST_EDITED = 200_000  # letters
_MOST_COMPARED = 1_500  # lines that differ, for a difference line by line
_AROUND = 2  # lines that are the same, shown around those that are not


def too_large(payload: Any) -> str:
    """Why a payload cannot be edited here; empty if it can."""
    try:
        text = written(payload)
    except RecursionError:
        return "This payload is nested too deeply to be edited here."
    if len(text) > MOST_EDITED:
        return f"This payload has {len(text):,} letters, too many to be edited here."
    return ""


def read(text: str) -> Any:
    """The JSON value; raises ValueError with a sentence that says line and column where there is one."""
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError:
        raise ValueError("This is nested too deeply.") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"The name “{double[:60]}” stands twice in the same object.")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON.")


def difference(before: str, after: str) -> list[Line]:
    """Lines that went (-) and came (+), with a few of those around them."""
    old, new = before.split("\n"), after.split("\n")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    lines = _same(old[max(0, head - _AROUND) : head])
    if max(len(gone), len(come)) > _MOST_COMPARED:
        lines.append([(f"  {len(gone):,} lines give way to {len(come):,}", "warning")])
    else:
        lines += _compared(gone, come)
    return lines + _same(old[len(old) - tail :][:_AROUND])


def _same(lines: Sequence[str]) -> list[Line]:
    return [[("  ", ""), (safe(line), "muted")] for line in lines]


def _compared(gone: Sequence[str], come: Sequence[str]) -> list[Line]:
    from difflib import SequenceMatcher

    lines: list[Line] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, gone, come, autojunk=False).get_opcodes():
        if what == "equal":
            same = gone[i1:i2]
            if len(same) > 2 * _AROUND + 1:
                left_out = len(same) - 2 * _AROUND
                lines += [
                    *_same(same[:_AROUND]),
                    [(f"  … {left_out} lines the same", "faint")],
                    *_same(same[-_AROUND:]),
                ]
            else:
                lines += _same(same)
            continue
        lines += [[("- ", "error"), (safe(line), "error")] for line in gone[i1:i2]]
        lines += [[("+ ", "success"), (safe(line), "success")] for line in come[j1:j2]]
    return lines


class _Editor(TextArea):
    """JSON only holds what `written` lets through; what is pasted goes the same way.

    Keys that edit count at once, as letters do: Textual carries out bindings later than it inserts letters, so that
    a backspace would come behind what was typed after it.
    """

    async def _on_key(self, event: events.Key) -> None:
        dialog = self.screen
        assert isinstance(dialog, PayloadEditor)
        if dialog.asks or dialog.is_done:
            dialog.console.gate.take_back(event)
        elif event.key in (dialog.GO_ON, "escape"):
            dialog.press(event.key)
        elif bound := self._bindings.key_to_bindings.get(event.key):
            await self.run_action(bound[0].action)
        else:
            return
        event.stop()
        event.prevent_default()

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        lines = event.text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(2).split("\n")
        self.insert("\n".join("".join(c for c in line if safe(c) == c) for line in lines))


class PayloadEditor(Dialog[tuple[Any]]):
    """Ends with the new payload, alone in a tuple (it may be null), or None."""

    DEFAULT_CSS = """
    PayloadEditor Frame { height: 100%; max-width: 120; }
    PayloadEditor TextArea, PayloadEditor TextArea:focus {
        height: 1fr; border: none; padding: 0; background: $background; color: $foreground; scrollbar-size: 0 0;
    }
    PayloadEditor Frame > #keys { margin-top: 0; }
    PayloadEditor #difference { display: none; height: 1fr; }
    PayloadEditor.-asks TextArea { display: none; }
    PayloadEditor.-asks #difference { display: block; }
    """
    AUTO_FOCUS = "TextArea"
    GO_ON = "f2"

    def __init__(self, title: Line, payload: Any) -> None:
        super().__init__()
        self._title = title
        self._before = written(payload)
        self._after: tuple[Any] | None = None
        self._warned: str | None = None  # the text that the last sentence was about
        self._leaving = False

    def body(self) -> ComposeResult:
        yield _Editor(self._before, soft_wrap=False, tab_behavior="focus", show_line_numbers=True, theme="css")
        yield LinesView(id="difference")

    def foot(self) -> ComposeResult:
        yield LineView(id="wrong")

    @property
    def asks(self) -> bool:
        """Whether the difference is shown, and keys answer."""
        return self.has_class("-asks")

    @property
    def _editor(self) -> TextArea:
        return self.query_one(TextArea)

    def on_mount(self) -> None:
        self._editor.cursor_blink = False
        self.say_title(self._title)
        self._editing_keys()

    def _editing_keys(self) -> None:
        self._leaving = False
        self.query_one("#wrong", LineView).show([])
        self.say_keys(
            [(self.GO_ON.upper(), "key"), (" see the difference  ", "muted"), ("esc", "key"), (" leave", "muted")]
        )

    def _say_wrong(self, sentence: str) -> None:
        self._leaving, self._warned = False, self._editor.text
        self.query_one("#wrong", LineView).show([(safe(sentence), "error")])

    def on_text_area_changed(self) -> None:
        # It may come late, when something has been said about the change already.
        if not self.asks and self._editor.text != self._warned:
            self._warned = None
            self._editing_keys()

    def press(self, key: str) -> bool:
        if self.asks:
            return self._answer(key)
        if key == self.GO_ON:
            self._go_on()
        elif key == "escape":
            self._leave()
        else:
            return False
        return True

    def _leave(self) -> None:
        """What was changed is not thrown away by one key."""
        if self._editor.text != self._before and not self._leaving:
            self._say_wrong("What you changed is lost with another esc.")
            self._leaving = True
        else:
            self.dismiss(None)

    def _go_on(self) -> None:
        text = self._editor.text
        try:
            value = read(text)
        except ValueError as error:
            self._say_wrong(str(error))
            cause = error.__cause__
            if isinstance(cause, json.JSONDecodeError):
                self._editor.move_cursor((cause.lineno - 1, cause.colno - 1))
            return
        after = written(value)
        if after == self._before:
            self._say_wrong("Nothing is different.")
            return
        self._after = (value,)
        self.query_one("#wrong", LineView).show([])
        self.set_class(True, "-asks")
        self.set_focus(None)
        self.query_one("#difference", LinesView).show(difference(self._before, after))
        buttons: Line = [(" Cancel ", "button-focus"), ("  ", ""), (" y Retry with this payload ", "button-danger")]
        self.say_keys(
            both_ends(buttons, [("esc", "key"), (" edit on", "muted")], max(20, min(120, self.app.size.width) - 4))
        )

    def _answer(self, key: str) -> bool:
        view = self.query_one("#difference", LinesView)
        by = {"pagedown": view.size.height - 1, "pageup": 1 - view.size.height, "down": 1, "up": -1, "j": 1, "k": -1}
        if key == "y":
            self.dismiss(self._after)
        elif key == "enter":
            self.dismiss(None)
        elif key == "escape":
            self.set_class(False, "-asks")
            self._editor.focus()
            self._editing_keys()
        elif key in by:
            view.scroll_lines(by[key])
        return True
