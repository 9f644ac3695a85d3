"""Usage: how much of what was used, by whom, against what limit; and the same as a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.timer import Timer
from textual.widget import Widget

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Role
from quarterdeck.contract.live import Message
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.charted import ChartedScreen
from quarterdeck.tui.screens.usage.cards import card_lines
from quarterdeck.tui.screens.usage.figures import NEAR, Asked, Figures, fetch
from quarterdeck.tui.screens.usage.narrowing import Step, UsageNarrowing
from quarterdeck.tui.screens.usage.plots import plots
from quarterdeck.tui.screens.usage.rows import View
from quarterdeck.tui.screens.usage.tables import UsageTables
from quarterdeck.tui.screens.usage.words import FULL, asked_line
from quarterdeck.tui.session import Act, Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import LinesView, LineView
from quarterdeck.tui.widgets.window_table import WindowTable

MIDDLING = 30  # lines
LONGEST_WAIT = 3_600  # seconds; then it is looked whether the period has ended


class UsageScreen(ChartedScreen):
    DEFAULT_CSS = """
    UsageScreen #cards { height: auto; max-height: 5; }
    UsageScreen.-short #cards { max-height: 2; }
    UsageScreen.-middling #cards { max-height: 8; }
    UsageScreen.-tall #cards { max-height: 9; margin: 1 0; }
    UsageScreen ChartBoard { height: 7; padding: 0 1; }
    UsageScreen.-tall ChartBoard { height: 10; }
    UsageScreen.-tall.-beside ChartBoard { height: 20; }
    UsageScreen UsageTables { border-top: $stroke $line; }
    """
    NAME = "usage"
    HERE = "This is usage already."
    AUTO_FOCUS = "#tenants WindowTable"
    LABELS: ClassVar[Mapping[str, str]] = {
        "clear": "Back",
        "open": "Narrow",
        "window": "Period",
        "detail-down": "Cards down",
        "detail-up": "Cards up",
    }
    SUMMARIES: ClassVar[Mapping[str, str]] = {
        "clear": "Every resource type again, then every tenant; then back.",
        "open": "Only the tenant of the row; then only its resource type.",
        "window": "A month, a week or a day.",
        "copy": "Copy the row to the clipboard.",
        "detail-down": "More resource types, where not all of them fit.",
        "detail-up": "The resource types before.",
    }

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.cards = LinesView(id="cards")
        self.narrowed = UsageNarrowing(session)
        self.tables = UsageTables(session, session.keymap.key)
        self._from: object = None  # the row that was narrowed to its tenant
        self._turn: Timer | None = None

    @property
    def place(self) -> Scope:
        return Scope.USAGE

    @property
    def table(self) -> WindowTable:
        """The one that has the keys."""
        return self.tables.table

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield self.cards
        yield self.board
        yield self.tables

    def breadcrumb(self) -> tuple[Line, Line]:
        right: Line = []
        if self.figures is not None:
            full = sum(limit["percent"] >= FULL for limit in self.figures.limits)
            near = sum(limit["percent"] >= NEAR for limit in self.figures.limits) - full
            if full:
                right.append((f"{plural(full, 'limit')} used up ", "error"))
            if near:
                right.append((f" {near} nearly ", "warning"))
        return self.console.place_line("usage"), right

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "detail-down": lambda: self._scroll(1),
            "detail-up": lambda: self._scroll(-1),
            "open": self.narrow,
            "window": self.next_period,
            "usage-other": self.other,
            "usage-tenant": self.choose_tenant,
            "usage-type": self.choose_kind,
            "usage-earlier": lambda: self.go_back(1),
            "usage-later": lambda: self.go_back(-1),
            "usage-sort": self.next_order,
            "usage-export": self.export,
            "usage-limit": self.set_limit,
        }

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == "usage-later" and not self.narrowed.back:
            return "What is to come has not been used yet."
        if bound.name == "usage-tenant":
            return self.why_one_tenant()
        if bound.name == "usage-limit":
            return why_not_change(bound.command.label, self.console.session.standing, Role.ADMIN) or (
                "A limit is set by somebody who sees every tenant."
                if self.console.session.own_tenants is not None
                else None
            )
        return super().why_not(bound)

    # Showing

    def fit(self) -> None:
        super().fit()
        wide = self.has_class("-beside")
        self.set_class(self.size.height >= MIDDLING, "-middling")
        if wide and not self.tables.is_wide and self.figures is not None:
            self.soon()  # there is another table to fill
        self.tables.is_wide = wide
        self.tables.place()
        self._tell()
        self._paint_cards()

    @property
    def asked(self) -> Asked:
        return self.narrowed.asked

    def _tell(self) -> None:
        """Which time, whose, of what."""
        if self.stands:
            asked = self.asked
            self.query_one("#line", LineView).show(
                asked_line(asked, self.whose(asked.tenant, "usage-tenant"), self.key)
            )

    def _paint_cards(self) -> None:
        if self.figures is None or not self.stands:
            return
        glyphs = look_of(self.app).glyphs
        lines = card_lines(self.figures, self.size.width, glyphs, boxes=self.has_class("-tall"))
        self.cards.show(lines, keep=True)

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] in (Message.USAGE_CHANGED, Message.RESYNC):
            self.soon()

    def ask(self, *, keep: bool) -> None:
        if self.figures is None and self.narrowed.only:
            self.tables.go(View.STEPS)  # by tenant there would be one
        self._tell()
        self.ask_for_figures(keep=keep)

    async def fetch(self) -> Figures:
        session = self.console.session
        return await fetch(session.client, self.asked, session.now(), by_tenant=self.tables.needs_tenants)

    async def show_figures(self, *, keep: bool) -> None:
        self.narrowed.learn(self.figures)
        shown = plots(self.figures)
        if shown:
            self.board.show_plots(shown)
        else:
            self.board.say("Nothing was used in this time.")
        self._paint_cards()
        await self.tables.show(self.figures, keep=keep)
        self._wait_for_the_next()

    def _wait_for_the_next(self) -> None:
        """A day that begins is looked at, though nothing was used in it yet."""
        if self._turn is not None:
            self._turn.stop()
        left = (self.asked.time.end - self.console.session.now()) / SECOND
        self._turn = self.set_timer(min(max(left, 1), LONGEST_WAIT), self._turned) if not self.narrowed.back else None

    def _turned(self) -> None:
        self._turn = None
        if self.figures is not None and self.figures.asked.time != self.asked.time:
            self.soon()
        else:
            self._wait_for_the_next()

    def on_window_table_count_known(self) -> None:
        self.tables.head()
        self.chrome()

    def on_window_table_opened(self) -> None:
        self.narrow()

    # Commands

    def narrow(self) -> None:
        row = self.current_row()
        if row is None:
            return
        step, key = self.narrowed.narrow(row), self.tables.view.key(row)
        if step is Step.NONE:
            self.notice(f"Nothing to narrow further; {self.key('clear')} goes back.")
            return
        if step is Step.TENANT:
            self._from = key
            self.tables.go(View.STEPS)
        self._changed()

    def widen(self) -> None:
        step = self.narrowed.widen()
        if step is Step.NONE:
            self.console.back()
            return
        if step is Step.TENANT:
            self.tables.go(View.TENANTS, self._from)
            self._from = None
        self._changed()

    def _changed(self) -> None:
        """Something else is asked for."""
        self._tell()
        self.look(keep=False)

    def _scroll(self, direction: int) -> None:
        if not self.cards.scroll_lines(direction):
            self.notice("All resource types stand here.")

    def copy(self) -> None:
        row = self.current_row()
        if row is not None:
            text = "\t".join(
                str(row[name]) for name in ("tenant_id", "resource_type", "quantity", "used") if row.get(name)
            )
            self.console.copy_text(text, text.replace("\t", " "))

    def other(self) -> None:
        self.tables.go_on()
        self._show_again()

    def next_order(self) -> None:
        self.tables.reorder()
        self._show_again()

    def _show_again(self) -> None:
        """The same figures, where they are there."""
        figures = self.figures
        if figures is None or (self.tables.needs_tenants and figures.tenants is None):
            self.look(keep=False)
        else:
            self.run_worker(self.tables.show(figures, keep=False), group="rows", exclusive=True)

    def next_period(self) -> None:
        self.narrowed.next_period()
        self._changed()

    def go_back(self, by: int) -> None:
        self.narrowed.go_back(by)
        self._changed()

    def choose_tenant(self) -> None:
        def chosen(tenant: str) -> None:
            self.narrowed.tenant = tenant
            if tenant and self.tables.view is View.TENANTS:
                self.tables.go(View.STEPS)
            self._changed()

        self.ask_for_tenant("Whose usage", self.narrowed.tenant, chosen, self.narrowed.tenants)

    def choose_kind(self) -> None:
        from quarterdeck.tui.screens.picker import Option, Picker

        kind = self.narrowed.kind
        options = [Option("*", "everything"), *(Option(f"={each}", each) for each in self.narrowed.kinds)]

        def chosen(value: str | None) -> None:
            if value is not None and value[1:] != kind:
                self.narrowed.kind = value[1:]
                self._changed()

        self.console.push_screen(Picker("Usage of", options, chosen=f"={kind}" if kind else "*"), chosen)

    def set_limit(self) -> None:
        from quarterdeck.tui.screens.usage.limit import begin_with, set_limit

        given = begin_with(self.current_row() or {}, self.asked)
        self.run_worker(set_limit(self, given), group="acting")

    def taken_back(self, act: Act, row: Mapping[str, Any] | None) -> None:
        self.look()

    def export(self) -> None:
        from quarterdeck.tui.screens.usage.export import ask_and_export

        self.run_worker(
            ask_and_export(self.console, self.asked, by_tenant=self.tables.view is not View.STEPS), group="export"
        )
