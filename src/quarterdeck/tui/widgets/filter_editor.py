"""Editing a filter: completion of keys and values, mistakes shown at their column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from quarterdeck.contract.enums import Listed
from quarterdeck.contract.filters import Completion, FilterError, complete, parse
from quarterdeck.tui.keymap import pressed
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import LinesView, LineView
from quarterdeck.tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

_MOST_SHOWN = 8
_PROMPT = 3  # " / "


class _Box(TextInput):
    """What the editor does with a key counts at once: keys that come in the same piece are for what it leads to."""

    def __init__(self, value: str, placeholder: str, editor: FilterEditor) -> None:
        super().__init__(value, placeholder)
        self._editor = editor

    async def _on_key(self, event: events.Key) -> None:
        if self._editor.is_done:
            self._editor.pass_on(event)
        elif event.key == "enter":
            self._editor.enter()
        elif not self._editor.press(pressed(event.key, event.character)):
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()


class FilterEditor(Vertical):
    """Lies over the filter bar and the first rows. Tab takes a completion, enter applies, esc leaves."""

    DEFAULT_CSS = """
    FilterEditor { layer: over; dock: top; margin-top: 1; height: auto; background: $background; }
    FilterEditor Horizontal { height: 1; }
    FilterEditor .prompt { width: 3; }
    FilterEditor #offers { border-bottom: $stroke $line; }
    """

    class Applied(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Nothing is to change."""

    def __init__(
        self,
        text: str,
        resource: Listed,
        known: Mapping[str, Sequence[str]],
        past: Sequence[str] = (),
        *,
        example: str = "",
    ) -> None:
        """`past`: earlier filters, the last one first; the up key brings them back. `example`: of a filter, while
        nothing is typed."""
        super().__init__()
        self._resource, self._known = resource, known
        text = f"{text} " if text else ""  # the next word can be typed at once
        self._past = [text, *(earlier for earlier in past if earlier != text.strip())]
        self._past_at = 0
        self.is_done = False
        self._box = _Box(text, example, self)
        self._offers: list[Completion] = []
        self._offered_for = ""
        self._at = 0
        self._chosen = False

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield LineView(classes="prompt")
            yield self._box
        yield LinesView(id="offers")

    def on_mount(self) -> None:
        self.query_one(LineView).show([(" / ", "accent")])
        self._box.focus()
        self._box.cursor_position = len(self._box.value)
        self._complete()

    def knows(self, known: Mapping[str, Sequence[str]]) -> None:
        """Values from the store have arrived."""
        self._known = known
        if not self._chosen:
            self._complete()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._past[self._past_at]:
            self._past_at, self._past[0] = 0, event.value
        self._catch_up()

    def _catch_up(self) -> None:
        """What has been typed may be news that is still on its way."""
        if self._offered_for != self._box.value:
            self._complete()

    def _complete(self) -> None:
        text, cursor = self._box.value, self._box.cursor_position
        self._offered_for = text
        self._offers = complete(text, cursor, self._resource, self._known)
        self._at, self._chosen = 0, False
        self._show(self._mistake_before(text, cursor))

    def _mistake_before(self, text: str, cursor: int) -> FilterError | None:
        """A mistake in what is already finished; the word at the cursor may still become right."""
        word = max(text.rfind(" ", 0, cursor) + 1, 0)
        try:
            parse(text, self._resource)
        except FilterError as error:
            return error if error.column <= word else None
        return None

    def _show(self, mistake: FilterError | None) -> None:
        # What was typed may be told of when the editor is gone already: enter came right behind it.
        view = next(iter(self.query("#offers").results(LinesView)), None)
        if view is None:
            return
        if mistake is not None:
            view.show(self._pointed(mistake))
            return
        start = max(0, self._at - _MOST_SHOWN + 1)
        glyphs = look_of(self.app).glyphs
        widest = max((len(offer.text) for offer in self._offers), default=0)
        lines: list[Line] = []
        for n, offer in enumerate(self._offers[start : start + _MOST_SHOWN], start):
            here = n == self._at
            said = n > start and offer.hint == self._offers[n - 1].hint  # values share that of their key
            lines.append(
                [
                    (f"{glyphs.cursor} " if here else "  ", "accent"),
                    (safe(offer.text).ljust(min(widest, 30)), "accent" if here else ""),
                    ("" if said else f"  {safe(offer.hint)}", "muted"),
                ]
            )
        left = len(self._offers) - start - _MOST_SHOWN
        keys: Line = [("  ", ""), ("tab", "key"), (" complete  ", "muted"), ("enter", "key"), (" apply  ", "muted")]
        keys += [("esc", "key"), (" leave as it was", "muted")]
        if left > 0:
            keys.append((f"  {left} more", "muted"))
        view.show([*lines, keys])

    def _pointed(self, mistake: FilterError) -> list[Line]:
        """A caret under the column, and the sentence."""
        cells = max(self.size.width - 2, 20)
        # The box scrolls when the filter is longer than the line; then the column says where.
        column = mistake.column - 1 + _PROMPT
        lines: list[Line] = [[(" " * column + "^", "error")]] if column < cells else []
        return lines + [[("  ", ""), *line] for line in wrap(str(mistake), cells, "error", most=5)]

    def _apply(self) -> None:
        text = self._box.value.strip()
        try:
            parse(text, self._resource)
        except FilterError as error:
            self._show(error)
            self._box.cursor_position = min(error.column - 1, len(self._box.value))
            return
        self._end(self.Applied(text))

    def leave(self) -> None:
        self._end(self.Left())

    def _end(self, how: Message) -> None:
        self.is_done = True
        cast("Console", self.app).gate.close()
        self.post_message(how)

    def pass_on(self, event: events.Key) -> None:
        """A key behind the enter that ended this: it waits for what comes next."""
        cast("Console", self.app).gate.take_back(event)

    def enter(self) -> None:
        self._catch_up()
        if self._chosen:
            self._take()
        else:
            self._apply()

    def _take(self) -> None:
        if not self._offers:
            return
        offer = self._offers[self._at]
        text, cursor = self._box.value, self._box.cursor_position
        ends = "" if offer.text.endswith(":") else " "
        rest = text[cursor:].lstrip() if ends else text[cursor:]
        self._box.value = text[: offer.start] + offer.text + ends + rest
        self._box.cursor_position = offer.start + len(offer.text) + len(ends)
        self._complete()

    def press(self, key: str) -> bool:
        """A key, before the box has it. Returns whether it meant something here."""
        if key in ("up", "down", "tab"):
            self._catch_up()
        older = self._past_at + (1 if key == "up" else -1)
        if key in ("up", "down") and not self._chosen and (key == "up" or self._past_at):
            if older < len(self._past):
                self._past_at = older
                self._box.value = self._past[older]
                self._box.cursor_position = len(self._box.value)
        elif key in ("up", "down"):
            if key == "up" and self._at == 0:
                self._chosen = False
            elif self._offers:
                self._at = (self._at + (1 if key == "down" else -1)) % len(self._offers)
                self._chosen = True
                self._show(None)
        elif key == "tab":
            self._take()
        elif key == "escape":
            self.leave()
        else:
            return False
        return True
