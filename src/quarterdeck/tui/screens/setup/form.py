"""The dialog of a form: it stays, with all that was typed, until the engine has taken it or somebody gives it up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.failures import sentence
from quarterdeck.tui.format import plural
from quarterdeck.tui.screens.dialog import Dialog, Frame
from quarterdeck.tui.screens.prompt import Prompt
from quarterdeck.tui.screens.setup.editing import Again, Save, is_conflict
from quarterdeck.tui.screens.setup.entries import Entry, TakenBack, Wrong, placed
from quarterdeck.tui.screens.setup.form_fields import EntryFields
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.widgets.fields import Form
from quarterdeck.tui.widgets.lines import LinesView

Row = dict[str, Any]
_MOVES = {"tab": 1, "shift+tab": -1, "down": 1, "up": -1}
_HINT_LINES = 2
WIDE = 76  # cells


class SetupForm(Dialog[Row]):
    """`save` sends what was typed and answers with what became of it; it raises Wrong, Problem and Unreachable."""

    AUTO_FOCUS = ""
    SCROLLS = True
    AT_ONCE = ("escape", *_MOVES)
    DEFAULT_CSS = f"""
    SetupForm #hint {{ height: {_HINT_LINES}; margin-top: 1; }}
    SetupForm.-short #hint {{ height: 1; margin: 0; }}
    """

    def __init__(
        self,
        title: Line,
        entries: Sequence[Entry],
        texts: Mapping[str, str],
        save: Save,
        about: str = "",
        again: Again | None = None,
    ) -> None:
        """`about`: what is to be known before it is saved. `again` reads what somebody else has changed meanwhile."""
        super().__init__()
        self._title, self._entries, self._save, self._about = title, entries, save, about
        self._again = again
        self._conflict = ""  # what somebody else has done meanwhile; it is to be read, or to be left
        self._told = ""  # what came of reading it
        self._read: Mapping[str, str] = {}  # what stood in the fields then
        self._before = dict(texts)
        self._fields = EntryFields(entries, texts)
        self._hint = LinesView(id="hint")
        self._trouble = ""  # what the engine said that belongs to no field
        self._errors: dict[str, str] = {}
        self._sending = False
        self._asks = False  # whether what was typed may be lost
        self._left: Widget | None = None  # the field that was left to ask that

    def body(self) -> ComposeResult:
        if self._about:
            yield LinesView(id="about")
        yield self._fields

    def foot(self) -> ComposeResult:
        yield self._hint

    @property
    def room(self) -> int:
        return super().room - (_HINT_LINES - 1 if self.app.size.height >= 20 else 0)

    def on_mount(self) -> None:
        self.say_title(self._title)
        self._say_about()
        self._fields.boxes[0].focus()
        self._say()

    @property
    def is_touched(self) -> bool:
        """Whether something would be lost."""
        return {at: text.strip() for at, text in self._fields.texts().items()} != {
            at: text.strip() for at, text in self._before.items()
        }

    # What it says

    def _say(self) -> None:
        self._say_hint()
        if self._sending:
            self.say_keys([("Reading…" if self._conflict else "Saving…", "muted")])
        elif self._conflict:
            left: Line = [(" Read anew ", "button-focus"), ("  what you typed stays", "muted")]
            self.say_keys(left, [("enter", "key"), (" reads · ", "muted"), ("esc", "key"), (" goes on", "muted")])
        elif self._asks:
            buttons: Line = [(" Go on ", "button-focus"), ("  ", ""), (" y lose it ", "button-danger")]
            self.say_keys(buttons, [("enter", "key"), (" or ", "muted"), ("esc", "key"), (" goes on", "muted")])
        else:
            wrong = len(self._errors)
            keys: Line = [("enter", "key"), (" saves · ", "muted"), ("tab", "key"), (" next · ", "muted")]
            if not wrong and self.app.size.width >= WIDE:  # there is room for it
                keys += [("shift+tab", "key"), (" before · ", "muted")]
            keys += [("esc", "key"), (" goes back", "muted")]
            what, style = ("look at", "warning") if self._told else ("put right", "error")
            right: Line = [(f"{plural(wrong, 'field')} to {what}", style)] if wrong else []
            self.say_keys(keys, right)

    def _say_about(self) -> None:
        cells = min(self.app.size.width, 86) - 5
        for each in self.query("#about").results(LinesView):
            each.show([*wrap(self._about, cells, "muted"), []])

    def _say_hint(self) -> None:
        cells = max(self._hint.content_size.width, 20)
        if self._asks:
            lines = wrap("What you have typed here is not saved yet, and would be lost.", cells, "warning")
        elif self._conflict:
            lines = wrap(self._conflict, cells, "warning", most=_HINT_LINES)
        elif self._trouble:
            lines = wrap(self._trouble, cells, "error", most=_HINT_LINES)
        elif self._told:
            lines = wrap(self._told, cells, "warning", most=_HINT_LINES)
        else:
            row = self._fields.row_of(self.focused)
            remark = row.entry.remark(row.text) if row is not None and row.entry.remark is not None else ""
            said = self._said_of(row.entry) if row is not None else ""
            lines = wrap(remark or said, cells, "warning" if remark else "muted", _HINT_LINES)
        self._hint.show(lines)

    def _said_of(self, entry: Entry) -> str:
        hint = entry.hint if entry.hint_by is None else entry.hint_by(self._fields.texts())
        limits = entry.limits()
        return f"{hint} ({limits})" if limits else hint

    def on_resize(self) -> None:
        self._say_about()
        self.call_after_refresh(self._say)

    def on_descendant_focus(self) -> None:
        self._say()

    def on_input_changed(self, _event: Input.Changed) -> None:
        self._typed()

    def on_form_changed(self, _event: Form.Changed) -> None:
        self._typed()

    def _typed(self) -> None:
        self._fields.grow()
        if self._told and self._fields.texts() == self._read:
            return  # fields say so of the texts that they begin with
        row = self._fields.row_of(self.focused)
        if row is not None and self._errors.pop(row.entry.at, ""):
            row.say_wrong("")
        self._trouble = self._told = ""
        self._say()

    # Keys

    def entered(self) -> None:
        if not self._sending:
            self._sending, self.is_ready, self._trouble, self._told = True, False, "", ""
            self._say()
            self.run_worker(self._send(), group="sending")

    def press(self, key: str) -> bool:
        if self._asks:
            if key == "y":
                self.dismiss(None)
            elif key in ("enter", "escape", "n", *_MOVES):
                self._go_on()
            return True
        if self._conflict:
            if self._sending:
                return True
            if key == "enter":
                self._sending, self.is_ready = True, False
                self.run_worker(self._read_anew(), group="sending")
            elif key in ("escape", *_MOVES):
                self._go_on()
            return True
        if key == "escape":
            self._leave()
        elif key in _MOVES:
            self._fields.step(self.focused, _MOVES[key])
            self.console.gate.close()
        elif key == "enter" and self.focused is not None:  # typed when no field had the focus yet
            self.entered()
            self.console.gate.close()
        else:
            return super().press(key)
        return True

    def _leave(self) -> None:
        if self._sending:
            return
        if not self.is_touched:
            self.dismiss(None)
            return
        self._asks = True
        self._stop()

    def _stop(self) -> None:
        """Nothing is typed before an answer."""
        self._left = self.focused
        self.set_focus(None)
        self._say()

    def _go_on(self) -> None:
        self._asks, self._conflict = False, ""
        self.set_focus(self._left if self._left is not None and self._left.is_attached else self._fields.boxes[0])
        self._say()

    # Saving

    async def agrees(self, question: Prompt) -> bool:
        """Asked by `save` before it sends: the form is not seen meanwhile, for it saves nothing yet."""
        frame, left, gone = self.query_one(Frame), self.focused, asyncio.Event()
        frame.visible = False
        self.call_after_refresh(gone.set)  # what lies beneath another screen is not laid out again
        await gone.wait()
        answer = await self.app.push_screen_wait(question)
        frame.visible = True
        self.set_focus(left)
        return answer is not None

    async def _send(self) -> None:
        try:
            saved = await self._save(self._fields.texts())
        except TakenBack:
            self._refused({}, "")
        except Wrong as wrong:
            self._refused(wrong.errors, "")
        except Problem as problem:
            if self._again is not None and is_conflict(problem):
                self._sending, self.is_ready, self._conflict = False, True, problem.detail
                self._stop()
            else:
                self._refused(*placed(self._entries, problem))
        except Unreachable as error:
            self._refused({}, f"{error} What you typed stays here; enter tries again.")
        else:
            self.dismiss(saved)

    async def _read_anew(self) -> None:
        assert self._again is not None
        try:
            found = await self._again(self._fields.texts())
        except (Problem, Unreachable) as error:
            self._conflict = ""
            self._refused({}, sentence(error))
        else:
            self._before = dict(found.before)
            await self._fields.put(found.texts)
            self._told, self._read = found.told, self._fields.texts()
            self._conflict = ""
            self._refused(dict(found.errors), "")
        if self.focused is None:
            self._go_on()

    def _refused(self, errors: dict[str, str], trouble: str) -> None:
        self._sending, self.is_ready = False, True
        self._errors, self._trouble = errors, trouble
        self._fields.say_wrong(errors)
        self._say()
