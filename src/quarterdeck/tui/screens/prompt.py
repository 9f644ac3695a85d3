"""The compact dialog: one action on one item, or one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.widgets import Input

from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.dialog import Dialog
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.fields import Choice, Form
from quarterdeck.tui.widgets.lines import LinesView

Values = dict[str, str | None]


class Prompt(Dialog[Values]):
    """Fields, enter carries out, esc does not.

    `danger`: Cancel has the focus, and only `confirm` (never the key that opened the dialog) carries out.
    """

    AUTO_FOCUS = ""

    def __init__(
        self,
        title: Line,
        verb: str,
        fields: Sequence[Field],
        *,
        about: Sequence[Line] = (),
        known: Mapping[str, Sequence[str]] | None = None,
        given: Mapping[str, object] | None = None,
        danger: bool = False,
        opened_with: str = "",
    ) -> None:
        super().__init__()
        self._title, self._verb, self._about, self._danger = title, verb, list(about), danger
        self._form = Form(fields, known, given)
        self._confirm = "y" if opened_with != "y" else "Y"

    def body(self) -> ComposeResult:
        if self._about:
            yield LinesView(id="about")
        yield self._form

    def on_mount(self) -> None:
        self.say_title(self._title)
        if self._about:
            self.query_one("#about", LinesView).show(self._about)
        self._first_keys()
        if not self._danger:
            self._form.focus_first()

    def _first_keys(self) -> None:
        if self._danger:
            self.say_keys(
                [(" Cancel ", "button-focus"), ("  ", ""), (f" {self._confirm} {self._verb} ", "button-danger")],
                [("enter", "key"), (" or ", "muted"), ("esc", "key"), (" cancels", "muted")],
            )
            return
        line: Line = [("enter", "key"), (f" {self._verb}  ", "muted"), ("esc", "key"), (" cancel  ", "muted")]
        if len(self._form.fields) > 1:
            line += [("tab", "key"), (" next field", "muted")]
        self.say_keys(line)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._submit()

    def _submit(self) -> None:
        missing = self._form.missing()
        if missing is not None:
            self.say_keys([(f"{safe(missing.title)} is needed.", "error")], [("esc", "key"), (" cancel", "muted")])
            self._form.focus_field(missing.name)
            return
        self.dismiss(self._form.values())

    def press(self, key: str) -> bool:
        if key == "enter" and isinstance(self.focused, Choice):
            self._submit()
        elif self._danger and self.focused is None and key in ("enter", self._confirm):
            if key == "enter":
                self.dismiss(None)
            else:
                self._submit()
        else:
            return super().press(key)
        return True
