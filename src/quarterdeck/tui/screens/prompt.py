"""The compact dialog: one action on one item, or one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult

from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.dialog import Dialog
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.fields import Choice, Form
from quarterdeck.tui.widgets.lines import LinesView

Values = dict[str, str | None]


class Prompt(Dialog[Values]):
    """Fields, enter carries out, esc does not.

    `danger`: Cancel has the focus, and only `confirm` (never the key that opened the dialog) carries out; enter
    in a field goes on to the next one, and from the last back to Cancel. `enter_says`: what enter does, where
    the verb alone would be misread.
    """

    AUTO_FOCUS = ""
    SCROLLS = True

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
        enter_says: str = "",
        wrong: tuple[str, str] = ("", ""),
    ) -> None:
        """`wrong`: the name of a field, or none, and what was wrong with it the last time."""
        super().__init__()
        self._mistake = wrong
        self._enter_says = enter_says or verb
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
        self._keys()
        name, sentence = self._mistake
        self._form.refuse(name, sentence)
        if name:
            self._form.focus_field(name)
        elif not self._danger:
            self._form.focus_first()

    def _keys(self) -> None:
        """What enter and esc do from where the focus is."""
        if self._danger:
            self._danger_keys()
        else:
            line: Line = [
                ("enter", "key"),
                (f" {self._enter_says} · ", "muted"),
                ("esc", "key"),
                (" goes back", "muted"),
            ]
            if len(self._form.fields) > 1:
                line += [(" · ", "muted"), ("tab", "key"), (" next field", "muted")]
            self.say_keys(line)

    def _danger_keys(self) -> None:
        carry_out = f"{self._confirm} {self._verb}"
        if self.focused is not None:
            last = self.focused is self._form.boxes[-1]
            where = f" goes to Cancel, where {carry_out} is" if last else " next field"
            self.say_keys([("enter", "key"), (where, "muted")], [("esc", "key"), (" goes back", "muted")])
            return
        buttons: Line = [(" Cancel ", "button-focus"), ("  ", ""), (f" {carry_out} ", "button-danger")]
        note: Line = [("tab", "key"), (f" {self._form.fields[0].title} · ", "muted")] if self._form.fields else []
        note += [("enter", "key"), (" or ", "muted"), ("esc", "key"), (" cancels", "muted")]
        self.say_keys(buttons, note)

    def on_descendant_focus(self) -> None:
        self._keys()

    def on_descendant_blur(self) -> None:
        self._keys()

    def entered(self) -> None:
        """Enter in a field: carries out, but never what is dangerous."""
        if not self._danger:
            self._submit()
            return
        boxes = self._form.boxes
        after = next((n + 1 for n, box in enumerate(boxes) if box is self.focused), len(boxes))
        self.set_focus(boxes[after] if after < len(boxes) else None)

    def _submit(self) -> None:
        missing = self._form.missing()
        if missing is not None:
            self._form.refuse(missing.name, f"{missing.title} is needed.")
            self._form.focus_field(missing.name)
            return
        self.dismiss(self._form.values())

    def press(self, key: str) -> bool:
        nothing_to_fill_in = not self._danger and not self._form.fields
        if key == "enter" and (isinstance(self.focused, Choice) or nothing_to_fill_in):
            self.entered()
        elif self._danger and self.focused is None and key in ("enter", self._confirm):
            if key == "enter":
                self.dismiss(None)
            else:
                self._submit()
        else:
            return super().press(key)
        return True
