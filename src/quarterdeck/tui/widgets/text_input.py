"""One line of typed text. Still while idle, and whatever is pasted is shown as safe text."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widgets import Input

from quarterdeck.tui.text import safe


class TextInput(Input):
    """An input without a blinking cursor, without a border, one line high.

    Keys that edit count at once, as letters do: Textual carries out bindings later than it inserts letters, so that
    a ctrl+u would take away what was typed after it.
    """

    DEFAULT_CSS = """
    TextInput, TextInput:focus { height: 1; border: none; padding: 0; background: $background; color: $foreground; }
    TextInput:focus { text-style: none; }
    TextInput:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    """

    def __init__(self, value: str = "", placeholder: str = "", *, id: str | None = None, limit: int = 8_000) -> None:
        super().__init__(value, placeholder, id=id, max_length=limit, select_on_focus=False, compact=True)
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        """What is painted; the value itself stays as it was typed."""
        return Text("".join(safe(letter) for letter in self.value), no_wrap=True, overflow="ignore", end="")

    async def _on_key(self, event: events.Key) -> None:
        in_dialog = getattr(self.screen, "press_in_field", None)
        if in_dialog is None or not in_dialog(self, event):
            bound = self._bindings.key_to_bindings.get(event.key)
            if bound is None:
                return
            await self.run_action(bound[0].action)
        event.stop()
        event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        # A pasted line break would submit, a pasted control character would be sent on as text. Several lines are one.
        lines = event.text.splitlines()
        line = " ".join(filter(None, map(str.strip, lines))) if len(lines) > 1 else event.text
        cleaned = "".join(letter for letter in line.replace("\t", " ") if letter.isprintable())
        if cleaned:
            self.insert_text_at_cursor(cleaned)
        event.stop()
        event.prevent_default()


class CountInput(TextInput):
    """Takes digits; every other letter goes on to the dialog."""

    async def _on_key(self, event: events.Key) -> None:
        await super()._on_key(event)
        if event.character and event.character.isprintable() and not event.character.isdigit():
            event.prevent_default()
