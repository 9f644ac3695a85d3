"""What a bulk operation would do, said before it does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.widgets import Input

from quarterdeck.tui.detail import reasons
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import badge, count, duration, plural
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.dialog import Dialog
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.fields import Choice, Form
from quarterdeck.tui.widgets.lines import LinesView
from quarterdeck.tui.widgets.text_input import CountInput

Preview = Mapping[str, Any]
_MOST_REASONS = 4
_MOST_FIRST = 3


class BulkDialog(Dialog[Mapping[str, Any]]):
    """Fields first, if the action has any; then the verdict, with the focus on Cancel.

    The key that confirms is never the one that opened the dialog. High risk asks for the count.
    """

    DEFAULT_CSS = """
    BulkDialog #context { margin-bottom: 1; }
    BulkDialog #verdict { max-height: 14; }
    BulkDialog Form { margin-bottom: 1; }
    BulkDialog #typed { display: none; width: 24; }
    BulkDialog.-count #typed { display: block; margin-top: 1; }
    """
    AUTO_FOCUS = ""

    def __init__(
        self,
        *,
        verb: str,
        count: int,
        context: Sequence[tuple[str, str]],
        fields: Sequence[Field],
        known: Mapping[str, Sequence[str]],
        draft: Callable[[Mapping[str, Any]], Awaitable[Preview]],
        confirm: Callable[[Preview], Awaitable[Mapping[str, Any]]],
        discard: Callable[[Preview], Awaitable[None]],
        opened_with: str,
    ) -> None:
        super().__init__()
        self._verb, self._count, self._about = verb, count, list(context)
        self._fields, self._known = tuple(fields), known
        self._draft, self._confirm_call, self._discard = draft, confirm, discard
        self._key = "y" if opened_with != "y" else "Y"
        self._preview: Preview | None = None
        self._busy = False

    def body(self) -> ComposeResult:
        yield LinesView(id="context")
        if self._fields:
            yield Form(self._fields, self._known)
        yield LinesView(id="verdict")
        yield CountInput(id="typed", placeholder="type the count")

    def on_mount(self) -> None:
        self.say_title([(f"{self._verb}: ", "title"), (plural(self._count, "item"), "accent")])
        cells = self._cells
        lines: list[Line] = []
        for name, value in self._about:
            for n, rest in enumerate(wrap(value, cells - 9, "", most=2)):
                lines.append([(name.ljust(9) if n == 0 else " " * 9, "muted"), *rest])
        self.query_one("#context", LinesView).show(lines)
        if self._fields:
            self.query_one(Form).focus_first()
            self._field_keys()
        else:
            self._ask({})

    def _field_keys(self) -> None:
        line: Line = [("enter", "key"), (" see what would happen  ", "muted")]
        if len(self._fields) > 1:
            line += [("tab", "key"), (" next field  ", "muted")]
        self.say_keys([*line, ("esc", "key"), (" cancel", "muted")])

    @property
    def _cells(self) -> int:
        return max(20, min(86, self.app.size.width) - 4)

    # The verdict

    def _ask(self, params: Mapping[str, Any]) -> None:
        self._busy = True
        self.set_focus(None)
        self.query_one("#verdict", LinesView).show([[(f"Looking at {plural(self._count, 'item')}…", "muted")]])
        self.say_keys([("esc", "key"), (" cancel", "muted")])
        self.run_worker(self._look(params), group="draft", exclusive=True)

    async def _look(self, params: Mapping[str, Any]) -> None:
        try:
            self._preview = await self._draft(params)
        except FAILURES as error:
            self._fail(error)
            return
        self._busy = False
        self._show_verdict(self._preview)

    def _fail(self, error: BaseException) -> None:
        self._busy = False
        self.query_one("#verdict", LinesView).show(wrap(sentence(error), self._cells, "error", most=6))
        self.say_keys([("esc", "key"), (" close", "muted")])
        if self._fields and self._preview is None:
            self.query_one(Form).focus_first()

    def _show_verdict(self, preview: Preview) -> None:
        operation = preview["operation"]
        eligible = operation["eligible"]
        self.query_one("#verdict", LinesView).show(verdict_lines(preview, self._cells, look_of(self.app).glyphs))
        self.set_class(bool(eligible) and operation["risk"] == "high", "-count")
        if not eligible:
            self.say_keys([(" Cancel ", "button-focus")], [("nothing to act on", "warning")])
            return
        self._buttons()

    def _buttons(self, wrong: str = "") -> None:
        if self._preview is None:
            return
        eligible = self._preview["operation"]["eligible"]
        needs_count = self.has_class("-count")
        note: Line = [("enter", "key"), (" or ", "muted"), ("esc", "key"), (" cancels", "muted")]
        if needs_count:
            note = [(f"type {eligible} to allow it", "warning")]
        if wrong:
            note = [(wrong, "error")]
        self.say_keys(
            [
                (" Cancel ", "button-focus"),
                ("  ", ""),
                (f" {self._key} {self._verb} {count(eligible)} ", "button-danger"),
            ],
            note,
        )

    # Keys

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id != "typed":
            self._take_verdict_back()

    def on_form_changed(self) -> None:
        self._take_verdict_back()

    def _take_verdict_back(self) -> None:
        """The verdict was about other values."""
        if self._preview is not None and not self._busy:
            self.app.run_worker(self._give_back(self._preview), group="discard")
            self._preview = None
            self.set_class(False, "-count")
            self.query_one("#verdict", LinesView).show([])
            self._field_keys()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "typed":
            self._go()
        else:
            self._submit_form()

    def _submit_form(self) -> None:
        form = self.query_one(Form)
        missing = form.missing()
        if missing is not None:
            self.say_keys([(f"{safe(missing.title)} is needed.", "error")], [("esc", "key"), (" cancel", "muted")])
            form.focus_field(missing.name)
            return
        self._ask(form.values())

    def press(self, key: str) -> bool:
        in_field = self.focused is not None and self.focused.id != "typed"
        if key == "escape":
            self._leave()
        elif key == "enter" and isinstance(self.focused, Choice):
            self._submit_form()
        elif self._preview is None or self._busy or in_field:
            return False
        elif key == self._key:
            self._go()
        elif key == "enter":
            self._leave()
        elif key.isdigit() and self.has_class("-count") and self.focused is None:
            self._type(key)
        else:
            return False
        return True

    def _type(self, digit: str) -> None:
        """The count can be typed without leaving Cancel first."""
        box = self.query_one("#typed", CountInput)
        box.value += digit
        box.focus()
        box.cursor_position = len(box.value)

    def _go(self) -> None:
        if self._preview is None or self._busy or not self._preview["operation"]["eligible"]:
            return
        eligible = self._preview["operation"]["eligible"]
        if self.has_class("-count"):
            typed = self.query_one("#typed", CountInput).value.replace(",", "").strip()
            if typed != str(eligible):
                self._buttons(f"{safe(typed) or 'Nothing'} is not {eligible}; type the count to allow it")
                return
        self._busy = True
        self.run_worker(self._start(self._preview), group="draft", exclusive=True)

    async def _start(self, preview: Preview) -> None:
        try:
            operation = await self._confirm_call(preview)
        except FAILURES as error:
            self._fail(error)
            return
        self.dismiss(operation)

    def _leave(self) -> None:
        """Cancel. A draft that is not wanted is given back, so that no frozen selection stays behind."""
        if self._preview is not None and not self._busy:
            self.app.run_worker(self._give_back(self._preview), group="discard")
        self.dismiss(None)

    async def _give_back(self, preview: Preview) -> None:
        try:
            await self._discard(preview)
        except FAILURES:
            return  # the engine forgets drafts by itself


def verdict_lines(preview: Preview, cells: int, glyphs: Any) -> list[Line]:
    """Eligible and skipped with reasons, states, the first rows, risk, batches, time, undo."""
    operation = preview["operation"]
    eligible, skipped = operation["eligible"], operation["skipped"]
    first: Line = [(f"{count(eligible)}", "title"), (" will be acted on" if eligible else " can be acted on", "")]
    if skipped:
        first.append((f" · {count(skipped)} will be skipped", "warning"))
    lines: list[Line] = [first]
    lines += reasons(list(preview["skip_reasons"])[:_MOST_REASONS], cells)
    states: Line = []
    for state, number in preview["states"].items():
        states += [badge(state, glyphs), (f" {count(number)}   ", "muted")]
    if states:
        lines.append(states)
    for item in list(preview["first"])[:_MOST_FIRST]:
        why = f" · {safe(item['sentence'])}" if item["code"] else ""
        lines.append(
            [
                (f"{'#' + str(item['item_id']):>9} ", "muted"),
                (safe(item["title"]), "muted" if why else ""),
                (why, "warning"),
            ]
        )
    more = operation["total"] - min(len(preview["first"]), _MOST_FIRST)
    if more > 0:
        lines.append([(f"{'':>9} … and {count(more)} more", "muted")])
    lines += [[], _costs(preview)]
    return lines


def _costs(preview: Preview) -> Line:
    operation = preview["operation"]
    risk = operation["risk"]
    style = {"high": "error", "medium": "warning"}.get(risk, "success")
    seconds = preview["estimated_seconds"]
    time = "under a second" if seconds < 1 else f"about {duration(int(seconds * 1_000))}"
    undo = ("can be undone", "success") if operation["undoable"] else ("cannot be undone", "error")
    batches = f" · {plural(operation['batches'], 'batch', 'batches')} of {count(operation['batch_size'])} · {time} · "
    return [(f"{risk} risk", style), (batches, "muted"), undo]
