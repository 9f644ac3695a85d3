"""Service levels: how promises were kept, what falls due soon, what was broken; from a row straight to its item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from textual.containers import Container
from textual.widget import Widget

from quarterdeck.contract.enums import Resource, SlaTarget
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import Operation, sla
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import count, per_cent
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.charted import ChartedScreen
from quarterdeck.tui.screens.sla import series
from quarterdeck.tui.screens.sla.columns import BREACH_COLUMNS, RISK_COLUMNS
from quarterdeck.tui.session import Session
from quarterdeck.tui.sources import ListedSource
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.rows import Page
from quarterdeck.tui.widgets.table_messages import CountKnown
from quarterdeck.tui.widgets.titled_table import TitledTable
from quarterdeck.tui.widgets.window_table import WindowTable

# Time alone brings items near their end, and nobody says so.
EACH_SECONDS = 60.0
_TARGETS = tuple(SlaTarget)


class ClockSource(ListedSource):
    """Promises as the engine lists them; each gets a number of its own, for an item may have two."""

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        found = await super().page(cursor=cursor, direction=direction, limit=limit, skip=skip)
        rows = [
            {**row, "id": row["item_id"] * len(_TARGETS) + _TARGETS.index(SlaTarget(row["target"]))}
            for row in found.rows
        ]
        return Page(rows, found.next, found.previous)


class SlaScreen(ChartedScreen):
    DEFAULT_CSS = """
    SlaScreen ChartBoard { height: 7; padding: 0 1; }
    SlaScreen.-tall ChartBoard { height: 18; }
    SlaScreen.-tall.-beside ChartBoard { height: 16; }
    SlaScreen #tables { height: 1fr; layout: horizontal; border-top: $stroke $line; }
    SlaScreen TitledTable { display: none; }
    SlaScreen TitledTable.-current, SlaScreen.-beside TitledTable { display: block; }
    SlaScreen.-beside #broken { border-left: $stroke $line; }
    """
    NAME = "sla"
    HERE = "These are the service levels already."
    AUTO_FOCUS = "#risk WindowTable"
    LABELS: ClassVar[Mapping[str, str]] = {"clear": "Back", "open": "Item", "window": "Period"}
    SUMMARIES: ClassVar[Mapping[str, str]] = {
        "clear": "Every tenant again; then back.",
        "open": "Go to the item.",
        "copy": "Copy the number of the item to the clipboard.",
    }

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.risk = TitledTable(session, RISK_COLUMNS, "", "at risk", "risk")
        self.broken = TitledTable(session, BREACH_COLUMNS, "No promise was broken in this time.", "broken", "broken")
        self.current = self.risk
        self.span, self.tenant, self.target = series.SPANS[1], "", SlaTarget.RESOLUTION

    @property
    def place(self) -> Scope:
        return Scope.SLA

    @property
    def table(self) -> WindowTable:
        """The one that has the keys."""
        return self.current.table

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield self.board
        yield Container(self.risk, self.broken, id="tables")

    def breadcrumb(self) -> tuple[Line, Line]:
        right: Line = []
        if self.figures is not None and self.figures.whole["percent"] is not None:
            whole = self.figures.whole
            right = [(f"{per_cent(whole['percent'])} kept ", "title")]
            if whole["breached"]:
                right.append((f" {count(whole['breached'])} broken ", "badge-failed"))
        return self.console.place_line("service levels"), right

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "open": self.visit,
            "window": self.next_span,
            "sla-other": self.other,
            "sla-tenant": self.choose_tenant,
            "sla-target": self.next_target,
            "sla-policies": lambda: self.console.everywhere.set_up("policies"),
        }

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == "sla-tenant":
            return self.why_one_tenant()
        if bound.name in ("detail-down", "detail-up"):
            return f"There is no detail pane here; {self.key('open')} goes to the item."
        return super().why_not(bound)

    # Showing

    def on_mount(self) -> None:
        for half in (self.risk, self.broken):
            half.table.retry_hint = f"{self.key('reload')} tries again"
        self.risk.table.empty = f"Nothing falls due soon.\n{self.key('sla-policies')} shows what is promised."
        self.set_interval(EACH_SECONDS, self.soon)

    def fit(self) -> None:
        super().fit()
        for half in (self.risk, self.broken):
            half.set_class(half is self.current, "-current")
        self._tell()

    def _tell(self) -> None:
        """Which time, whose, which promise; and what each table holds."""
        if not self.stands:
            return
        promise = "resolutions" if self.target is SlaTarget.RESOLUTION else "first responses"
        said: Line = [("  the last ", "muted"), (self.span.said, "title"), (f" {self.key('window')}", "key")]
        said += [("   ", ""), *self.whose(self.tenant, "sla-tenant")]
        said += [("   ", ""), (promise, "title"), (f" {self.key('sla-target')}", "key")]
        self.query_one("#line", LineView).show(said)
        other = self.broken if self.current is self.risk else self.risk
        for half in (self.risk, self.broken):
            here = half is self.current
            left: Line = [(f" {half.counted()}", "title" if here else "muted")]
            if not here:
                left.append((f" {self.key('sla-other')}", "key"))
            elif not self.has_class("-beside"):
                left += [(f"   {other.counted()}", "muted"), (f" {self.key('sla-other')}", "key")]
            half.heading.show(left)

    async def on_news(self, message: Mapping[str, Any]) -> None:
        ours = message["type"] == Message.RESOURCE_CHANGED and message["resource"] in list(Resource)
        if ours or message["type"] == Message.RESYNC:
            self.soon()

    def ask(self, *, keep: bool) -> None:
        query = {"tenant": self.tenant} if self.tenant else {}
        self.risk.table.show(self._source(sla.AT_RISK, query), keep=keep)
        self._look_back(keep=keep)

    def _look_back(self, *, keep: bool) -> None:
        """At what is over: figures, and what was broken in their time."""
        session = self.console.session
        if session.client is None:
            return
        query = series.broken_query(self.span, session.now(), self.tenant or None, self.target)
        self.broken.noun = f"broken in {self.span.said}"
        self.broken.table.show(self._source(sla.BREACHES, query), keep=keep)
        self.ask_for_figures(keep=keep)

    def _source(self, operation: Operation, query: Mapping[str, object]) -> ClockSource:
        session = self.console.session
        return ClockSource(lambda: session.client, operation, query)

    async def fetch(self) -> series.Figures:
        return await series.fetch(self.console.session.client, self.span, self.tenant or None, self.target)

    async def show_figures(self, *, keep: bool) -> None:
        self.board.show_plots(series.plots(self.figures))

    def on_window_table_count_known(self, _event: CountKnown) -> None:
        self._tell()
        self.chrome()

    def on_window_table_opened(self) -> None:
        self.visit()

    # Commands

    def visit(self) -> None:
        row = self.current_row()
        if row is not None:
            self.console.everywhere.visit(Resource(row["resource"]), int(row["item_id"]))

    def copy(self) -> None:
        row = self.current_row()
        if row is not None:
            self.console.copy_text(str(row["item_id"]), str(row["item_id"]))

    def other(self) -> None:
        self.current = self.broken if self.current is self.risk else self.risk
        self.fit()
        self.table.focus()
        self.chrome()

    def next_span(self) -> None:
        self.span = series.SPANS[(series.SPANS.index(self.span) + 1) % len(series.SPANS)]
        self._again()

    def next_target(self) -> None:
        self.target = _TARGETS[(_TARGETS.index(self.target) + 1) % len(_TARGETS)]
        self._again()

    def _again(self) -> None:
        """Other figures, and what was broken; what is at risk stays."""
        self._look_back(keep=False)
        self._tell()

    def choose_tenant(self) -> None:
        self.ask_for_tenant("Service levels of", self.tenant, self.narrow)

    def narrow(self, tenant: str) -> None:
        """To one tenant; empty: all of them."""
        self.tenant = tenant
        self._tell()
        self.look(keep=False)

    def widen(self) -> None:
        """Every tenant again; then back."""
        if self.tenant:
            self.narrow("")
        else:
            self.console.back()
