"""The fields of a form, made from `forms.Field`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.suggester import SuggestFromList
from textual.widget import Widget

from quarterdeck.tui.forms import Field
from quarterdeck.tui.keymap import pressed
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import LinesView, LineView, strip_of
from quarterdeck.tui.widgets.text_input import TextInput


class Choice(Widget, can_focus=True):
    """One of a few words: left and right, or the first letter."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"

    def __init__(self, choices: Sequence[str], chosen: str | None = None) -> None:
        super().__init__()
        self._choices = list(choices)
        self._at = self._choices.index(chosen) if chosen in self._choices else 0

    @property
    def value(self) -> str:
        return self._choices[self._at] if self._choices else ""

    def render_line(self, y: int) -> Strip:
        line: Line = []
        for n, choice in enumerate(self._choices):
            here = n == self._at
            mark = look_of(self.app).glyphs.cursor if here else " "
            style = ("accent" if self.has_focus else "title") if here else "muted"
            line += [(f"{mark}{choice} ", style)]
        if not self._choices:
            line = [("nothing to choose from", "muted")]
        return strip_of(self, line, self.size.width)

    def on_key(self, event: events.Key) -> None:
        # What is typed behind a tab may come here still, though it is for the field that has the focus by now.
        in_dialog = getattr(self.screen, "press_in_field", None)
        if (in_dialog is None or not in_dialog(self, event)) and not self._choose(pressed(event.key, event.character)):
            return
        event.stop()
        event.prevent_default()

    def _choose(self, key: str) -> bool:
        """Whether the key chooses."""
        if key in ("left", "right"):
            self._at = (self._at + (1 if key == "right" else -1)) % max(len(self._choices), 1)
        elif len(key) == 1 and any(choice.startswith(key) for choice in self._choices):
            after = [*range(self._at + 1, len(self._choices)), *range(self._at + 1)]
            self._at = next(n for n in after if self._choices[n].startswith(key))
        else:
            return False
        self.refresh()
        self.post_message(Form.Changed())
        return True


class Form(Vertical):
    """The fields under each other; `values()` gives them, `missing()` names the first that is needed."""

    DEFAULT_CSS = """
    Form { height: auto; }
    Form Horizontal { height: 1; }
    Form .label { width: 12; }
    Form .hint, Form .wrong { margin-left: 12; }
    """

    class Changed(Message):
        """Something was typed or chosen."""

    def __init__(
        self,
        fields: Sequence[Field],
        known: Mapping[str, Sequence[str]] | None = None,
        given: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__()
        self.fields, self._known, self._given = tuple(fields), known or {}, given or {}
        self._inputs: dict[str, TextInput | Choice] = {}
        self._refused: dict[str, str | None] | None = None  # what a sentence is about that stands there

    def compose(self) -> ComposeResult:
        for field in self.fields:
            given = self._given.get(field.name)
            with Horizontal():
                yield LineView(classes="label")
                box: TextInput | Choice
                if field.choices:
                    box = Choice(field.choices, str(given) if given else None)
                else:
                    box = TextInput(str(given or ""), "needed" if field.required else field.hint)
                    if known := self._known.get(field.known):
                        box.suggester = SuggestFromList([name for name in known if name.isprintable()])
                self._inputs[field.name] = box
                yield box

    def on_mount(self) -> None:
        for field, label in zip(self.fields, self.query(".label").results(LineView), strict=True):
            label.show([(field.title, "muted")])

    def refuse(self, name: str, sentence: str) -> None:
        """Say what is wrong, under the field of that name or under all of them, until something else stands there.
        It takes the place of what was said before; empty says nothing."""
        for before in self.query(".wrong"):
            before.remove()
        self._refused = self.values() if sentence else None
        if not sentence:
            return
        said = LinesView(classes="wrong")
        cells = (self.size.width or self.app.size.width) - 16
        said.show(wrap(f"{look_of(self.app).glyphs.failed} {sentence}", max(min(cells, 70), 20), "error", most=3))
        box = self._inputs.get(name)
        self.mount(said, after=box.parent if box is not None and isinstance(box.parent, Widget) else None)

    def on_input_changed(self) -> None:
        self._judge_again()

    def on_form_changed(self) -> None:
        self._judge_again()

    def _judge_again(self) -> None:
        """News of a letter can come later than the verdict on it."""
        if self._refused is not None and self.values() != self._refused:
            self.refuse("", "")

    @property
    def boxes(self) -> list[TextInput | Choice]:
        return list(self._inputs.values())

    def values(self) -> dict[str, str | None]:
        return {field.name: field.value(self._inputs[field.name].value) for field in self.fields}

    def missing(self) -> Field | None:
        return next((f for f in self.fields if f.required and not self._inputs[f.name].value), None)

    def focus_first(self) -> None:
        for box in self._inputs.values():
            box.focus()
            return

    def focus_field(self, name: str) -> None:
        self._inputs[name].focus()
