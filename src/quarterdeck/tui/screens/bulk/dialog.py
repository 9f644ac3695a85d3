"""What a bulk operation would do, said before it does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from textual._time import get_time
from textual.app import ComposeResult
from textual.widgets import Input

from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.dialog import Dialog, Middle
from quarterdeck.tui.screens.prompt import Prompt
from quarterdeck.tui.screens.verdict import Preview, risk_span, verdict_lines
from quarterdeck.tui.spans import Line, width, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.fields import Choice, Form
from quarterdeck.tui.widgets.lines import LinesView, LineView
from quarterdeck.tui.widgets.text_input import CountInput

_SAVE = "s"


class BulkDialog(Dialog[Mapping[str, Any]]):
    """Fields first, if the action has any; then the verdict, with the focus on Cancel.

    The key that confirms is never the one that opened the dialog. High risk asks for the count.
    """

    DEFAULT_CSS = """
    BulkDialog #context { margin-bottom: 1; }
    BulkDialog Form { margin-bottom: 1; }
    BulkDialog #typed { display: none; width: 24; }
    BulkDialog.-count #typed { display: block; margin-top: 1; }
    BulkDialog #note { display: none; margin-top: 1; }
    BulkDialog.-note #note { display: block; }
    BulkDialog.-short #note, BulkDialog.-short #typed, BulkDialog.-short #context { margin: 0; }
    """
    AUTO_FOCUS = ""
    SCROLLS = True

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
        noun: str = "item",
        given: Mapping[str, Any] | None = None,
        wrong: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _: None,
        save: Callable[[Mapping[str, Any], str], Awaitable[None]] | None = None,
    ) -> None:
        """`given`: what the fields hold at first. `wrong`: a field and a sentence, if what it holds cannot be.

        `save` keeps what the verdict is about under a name, to be used again; None where it cannot be.
        """
        super().__init__()
        self._given, self._wrong, self._save = given or {}, wrong, save
        self._verb, self._count, self._about = verb, count, list(context)
        self._fields, self._known = tuple(fields), known
        self._draft, self._confirm_call, self._discard = draft, confirm, discard
        self._noun = noun
        self._key = "y" if opened_with != "y" else "Y"
        self._preview: Preview | None = None
        self._asked: Mapping[str, Any] = {}  # what the verdict is about
        self._busy = False

    def body(self) -> ComposeResult:
        yield LinesView(id="context")
        if self._fields:
            yield Form(self._fields, self._known, self._given)
        yield LinesView(id="verdict")

    def foot(self) -> ComposeResult:
        yield CountInput(id="typed", placeholder="type the count")
        yield LineView(id="note")

    def on_mount(self) -> None:
        self._title()
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

    def _title(self) -> None:
        """The count of the preview where there is one, and the risk, which may be scrolled out of sight below."""
        preview = self._preview
        items = self._count if preview is None else preview["operation"]["total"]
        left: Line = [(f"{self._verb}: ", "title"), (plural(items, self._noun), "accent")]
        right: Line = [] if preview is None else [risk_span(preview)]
        more: Line = [("pgdn", "key"), (" more  ", "muted")]
        if self.query_one(Middle).max_scroll_y and width([*left, *more, *right]) < self._cells:
            right = [*more, *right]
        self.say_title(left, right)

    def _laid_out(self) -> None:
        self.fit()
        self.call_after_refresh(self._title)

    def on_resize(self) -> None:
        self._laid_out()
        if self._preview is not None and not self._busy:
            self._show_verdict(self._preview)

    def _field_keys(self) -> None:
        line: Line = [("enter", "key"), (" see what would happen  ", "muted")]
        if len(self._fields) > 1:
            line += [("tab", "key"), (" next field  ", "muted")]
        self.say_keys([*line, ("esc", "key"), (" cancel", "muted")])

    @property
    def _cells(self) -> int:
        return max(20, min(86, self.app.size.width) - 5)  # a cell for the bar of what scrolls

    # The verdict

    def _ask(self, params: Mapping[str, Any]) -> None:
        self._busy, self._asked = True, params
        self.set_focus(None)
        self.query_one("#verdict", LinesView).show([[(f"Looking at {plural(self._count, self._noun)}…", "muted")]])
        self.say_keys([("esc", "key"), (" cancel", "muted")])
        self.run_worker(self._look(params), group="draft", exclusive=True)

    async def _look(self, params: Mapping[str, Any]) -> None:
        try:
            self._preview = await self._draft(params)
        except FAILURES as error:
            self._fail(error)
            return
        self._busy, self.seen_at = False, get_time()
        self.query_one("#typed", CountInput).value = ""
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
        lines = verdict_lines(preview, self._cells, look_of(self.app).glyphs, self.console.session.now())
        if self._save is not None:
            lines.append([(_SAVE, "key"), (" saves this under a name, to be used again", "muted")])
        since = operation["total"] - self._count
        if since:
            said = f"{count(abs(since))} {'more' if since > 0 else 'fewer'} than when you marked them."
            lines.insert(0, [(said, "warning")])
        self.query_one("#verdict", LinesView).show(lines)
        self.set_class(bool(eligible) and operation["risk"] == "high", "-count")
        if eligible:
            self._buttons()
        else:
            self.say_keys([(" Cancel ", "button-focus")], [("nothing to act on", "warning")])
        self._laid_out()
        if self.has_class("-short"):
            middle, verdict = self.query_one(Middle), self.query_one("#verdict", LinesView)
            self.call_after_refresh(middle.scroll_to_widget, verdict, animate=False, top=True)

    def _buttons(self, said: str = "", style: str = "error") -> None:
        if self._preview is None:
            return
        eligible = self._preview["operation"]["eligible"]
        needs_count = self.has_class("-count")
        note: Line = [("enter", "key"), (" or ", "muted"), ("esc", "key"), (" cancels", "muted")]
        if needs_count:
            right = self._typed == str(eligible)
            note = [(f"type {eligible} to allow it", "warning")]
            if right:
                note = [(f"{self._key} {self._verb.lower()}s {count(eligible)}", "success")]
        if said:
            note = [(said, style)]
        buttons: Line = [(" Cancel ", "button-focus"), ("  ", "")]
        carry_out = f" {self._key} {self._verb} {count(eligible)} "
        if width(buttons) + len(carry_out) > self._cells:
            carry_out = f" {self._key} do it: {count(eligible)} "
        buttons.append((carry_out, "button-danger"))
        # The right end of a line takes its cells from the left one, and the buttons must stay whole.
        beside = width(buttons) + width(note) < self._cells
        self.say_keys(buttons, note if beside else None)
        self.set_class(not beside, "-note")
        self.query_one("#note", LineView).show([] if beside else note)
        self.fit()

    @property
    def _typed(self) -> str:
        """The count that was typed, as plain digits."""
        return self.query_one("#typed", CountInput).value.replace(",", "").strip()

    # Keys

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id != "typed":
            self._take_verdict_back()
        elif self._preview is not None and not self._busy:
            self._buttons()

    def on_form_changed(self) -> None:
        self._take_verdict_back()

    def _take_verdict_back(self) -> None:
        """The verdict was about other values. News of a letter can come later than the verdict on it."""
        if self._preview is not None and not self._busy and self.query_one(Form).values() != self._asked:
            self.app.run_worker(self._give_back(self._preview), group="discard")
            self._preview = None
            self.remove_class("-count", "-note")
            self.query_one("#verdict", LinesView).show([])
            self._field_keys()
            self._laid_out()

    def entered(self) -> None:
        if self.focused is not None and self.focused.id == "typed":
            self.press("enter")
        else:
            self._submit_form()

    def _submit_form(self) -> None:
        form = self.query_one(Form)
        missing = form.missing()
        if missing is not None:
            self._refuse(missing.name, f"{missing.title} is needed.")
            return
        values = form.values()
        if mistake := self._wrong(values):
            self._refuse(*mistake)
            return
        self._ask(values)

    def _refuse(self, name: str, said: str) -> None:
        form = self.query_one(Form)
        form.refuse(name, said)
        form.focus_field(name)
        self._field_keys()
        self._laid_out()

    def press(self, key: str) -> bool:
        in_field = self.focused is not None and self.focused.id != "typed"
        if key == "escape":
            self._leave()
        elif key == "enter" and isinstance(self.focused, Choice):
            self._submit_form()
        elif self._preview is None or self._busy or in_field:
            return super().press(key)
        elif key == self._key:
            self._go()
        elif key == "enter":
            self._entered()
        elif key == _SAVE and self._save is not None:
            self.run_worker(self._keep(), group="saving", exclusive=True)
        elif key.isdigit() and self.has_class("-count") and self.focused is None:
            self._type(key)
        else:
            return super().press(key)
        return True

    def _entered(self) -> None:
        """Enter is Cancel, unless a count stands there: then somebody wants to go on, which is another key."""
        if not self.has_class("-count") or not self._typed or self._preview is None:
            self._leave()
            return
        eligible = self._preview["operation"]["eligible"]
        if self._typed == str(eligible):
            self._buttons(f"{self._key} carries it out, not enter")
        else:
            self._wrong_count(eligible)

    def _wrong_count(self, eligible: int) -> None:
        self._buttons(f"{safe(self._typed) or 'Nothing'} is not {eligible}; type the count to allow it")

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
        if self.room < 1:
            self._buttons("Make the terminal taller first")
            return
        if self.has_class("-count") and self._typed != str(eligible):
            self._wrong_count(eligible)
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

    async def _keep(self) -> None:
        """Save it under a name; nothing is carried out by that."""
        asked = await self.app.push_screen_wait(
            Prompt([("Save ", "title"), (self._verb, "accent")], "save", [Field("name", "Name", "", True, False)])
        )
        if asked is None or self._save is None:
            return
        name = str(asked["name"])
        try:
            await self._save(self._asked, name)
        except FAILURES as error:
            self._buttons(sentence(error))
        else:
            self._buttons(f"Saved as {safe(name)}", "success")

    def _leave(self) -> None:
        """Cancel. A draft that is not wanted is given back, so that no frozen selection stays behind."""
        if self._preview is not None and not self._busy:
            self.app.run_worker(self._give_back(self._preview), group="discard")
        self.dismiss(None)
        self.console.notice("Nothing was done.")

    async def _give_back(self, preview: Preview) -> None:
        try:
            await self._discard(preview)
        except FAILURES:
            return  # the engine forgets drafts by itself
