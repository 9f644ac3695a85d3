"""The fields of a form under each other: what is wrong stands under its field, and lists grow a line at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widget import Widget

from quarterdeck.tui.screens.setup.entries import Entry
from quarterdeck.tui.spans import wrap
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.fields import Choice
from quarterdeck.tui.widgets.lines import LinesView, LineView
from quarterdeck.tui.widgets.text_input import TextInput

Box = TextInput | Choice
MOST_LINES = 50  # of one field
_LABEL = 15  # cells


class EntryRow(Vertical):
    """One entry: its name, its field or fields, and what is wrong with it."""

    DEFAULT_CSS = f"""
    EntryRow {{ height: auto; }}
    EntryRow Horizontal {{ height: 1; }}
    EntryRow .label {{ width: {_LABEL}; }}
    EntryRow .wrong {{ margin-left: {_LABEL}; }}
    """

    def __init__(self, entry: Entry, text: str) -> None:
        super().__init__()
        self.entry, self._given = entry, text
        self.boxes: list[Box] = []
        self._wrong: LinesView | None = None  # there as long as something is wrong

    def compose(self) -> ComposeResult:
        lines = [*self._given.splitlines(), ""] if self.entry.many else [self._given]
        for line in lines[:MOST_LINES]:
            yield self._line(line)

    def _line(self, text: str) -> Horizontal:
        entry = self.entry
        label = LineView(classes="label")
        if not self.boxes:
            label.show([(entry.title, "muted")])
        box: Box
        if entry.choices:
            box = Choice(entry.choices, text or None)
        else:
            box = TextInput(text, "" if self.boxes else entry.example or ("needed" if entry.needed else ""))
            if entry.known:
                box.suggester = SuggestFromList([name for name in entry.known if name.isprintable()])
        self.boxes.append(box)
        return Horizontal(label, box)

    @property
    def text(self) -> str:
        """What was typed or chosen; lines that are empty are left out."""
        return "\n".join(box.value.strip() for box in self.boxes if box.value.strip())

    def grow(self) -> None:
        """Another line, where the last one is used."""
        if self.entry.many and self.boxes[-1].value.strip() and len(self.boxes) < MOST_LINES:
            self.mount(self._line(""), before=self._wrong)

    async def put(self, text: str) -> None:
        """Another text in its place."""
        await self.remove_children()
        self._given, self.boxes, self._wrong = text, [], None
        await self.mount(*self.compose())

    def say_wrong(self, sentence: str) -> None:
        if self._wrong is not None:
            self._wrong.remove()
            self._wrong = None
        if sentence:
            said = f"{look_of(self.app).glyphs.failed} {sentence}"
            self._wrong = LinesView(classes="wrong")
            self._wrong.show(wrap(said, max(self.size.width - _LABEL, 20), "error"))
            self.mount(self._wrong)


class EntryFields(Vertical):
    DEFAULT_CSS = "EntryFields { height: auto; }"

    def __init__(self, entries: Sequence[Entry], texts: Mapping[str, str]) -> None:
        super().__init__()
        self.rows = [EntryRow(entry, texts[entry.at]) for entry in entries]

    def compose(self) -> ComposeResult:
        yield from self.rows

    @property
    def boxes(self) -> list[Box]:
        return [box for row in self.rows for box in row.boxes]

    def texts(self) -> dict[str, str]:
        return {row.entry.at: row.text for row in self.rows}

    def row_of(self, box: Widget | None) -> EntryRow | None:
        return next((row for row in self.rows if box in row.boxes), None)

    def step(self, box: Widget | None, by: int) -> None:
        """The focus on the field before or after."""
        boxes = self.boxes
        at = next((n for n, each in enumerate(boxes) if each is box), -1 if by > 0 else 0)
        self.screen.set_focus(boxes[(at + by) % len(boxes)])  # at once: the next key may be behind this one

    def grow(self) -> None:
        for row in self.rows:
            row.grow()

    async def put(self, texts: Mapping[str, str]) -> None:
        for row in self.rows:
            if row.text != texts[row.entry.at].strip():
                await row.put(texts[row.entry.at])

    def say_wrong(self, errors: Mapping[str, str]) -> None:
        """Sentences under the fields they belong to; the focus goes to the first of them."""
        for row in self.rows:
            row.say_wrong(errors.get(row.entry.at, ""))
        first = next((row for row in self.rows if row.entry.at in errors), None)
        if first is not None:
            self.screen.set_focus(first.boxes[0])
