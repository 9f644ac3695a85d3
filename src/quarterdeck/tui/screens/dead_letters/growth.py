"""How dead letters come and go, and where they are from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual.timer import Timer
from textual.widget import Widget

from quarterdeck.contract.clock import DAY, HOUR, MINUTE
from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import dead_letters
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count, moment
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import fit, safe
from quarterdeck.tui.widgets.chart_board import ChartBoard
from quarterdeck.tui.widgets.chart_data import Plot, Series, short
from quarterdeck.tui.widgets.lines import LinesView, LineView

_PERIODS = ("hour", "day", "month")
_STEPS = {"hour": MINUTE, "day": HOUR, "month": DAY}
_EACH = {"hour": "each minute", "day": "each hour", "month": "each day"}
_AGAIN_SECONDS = 5.0
_NAME, _FIGURE = 24, 10
_FIGURES = (
    ("pending", "badge-failed"),
    ("retrying", "badge-active"),
    ("succeeded", "badge-completed"),
    ("discarded", "muted"),
)


class GrowthScreen(ConsoleScreen):
    DEFAULT_CSS = """
    GrowthScreen ChartBoard { height: 45%; min-height: 6; padding: 0 1; }
    GrowthScreen #counts { height: 1fr; border-top: $stroke $line; padding: 0 1; }
    """
    AUTO_FOCUS = ""
    LABELS: ClassVar[Mapping[str, str]] = {"clear": "Back"}

    def __init__(self) -> None:
        super().__init__()
        self.board = ChartBoard(id="chart")
        self.counts = LinesView(id="counts")
        self.period = "day"
        self._stats: Mapping[str, Any] | None = None
        self._timer: Timer | None = None

    @property
    def place(self) -> Scope:
        return Scope.GROWTH

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield self.board
        yield self.counts

    def breadcrumb(self) -> tuple[Line, Line]:
        right: Line = []
        if self._stats is not None and self._stats["expiring"]:
            right = [(f"{count(self._stats['expiring'])} expire within a day ", "warning")]
        return self.console.place_line("dead letters · chart"), right

    def handlers(self) -> Mapping[str, Handler]:
        view = self.counts
        return {
            "period": self.next_period,
            "down": lambda: self._scroll(1),
            "up": lambda: self._scroll(-1),
            "detail-down": lambda: self._scroll(max(1, view.size.height - 2)),
            "detail-up": lambda: self._scroll(-max(1, view.size.height - 2)),
            "page-down": lambda: self._scroll(max(1, view.size.height - 2)),
            "page-up": lambda: self._scroll(-max(1, view.size.height - 2)),
            "top": lambda: self._scroll(-(1 << 30)),
            "bottom": lambda: self._scroll(1 << 30),
            "reload": self.fetch,
            "clear": self.console.back,
        }

    def why_not(self, bound: Bound) -> str | None:
        if bound.name in ("open", "copy"):
            return f"{bound.command.label}: there is no row here, only counts."
        return super().why_not(bound)

    def _scroll(self, by: int) -> None:
        self.counts.scroll_lines(by)

    def on_mount(self) -> None:
        self.board.say("loading…")
        self.tell()
        self.fetch()

    def on_resize(self) -> None:
        self._paint()

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.fetch()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        ours = message.get("resource") == MachineResource.DEAD_LETTERS or message["type"] == Message.RESYNC
        if ours and self._timer is None:
            self._timer = self.set_timer(_AGAIN_SECONDS, self.fetch)

    def fetch(self) -> None:
        self._timer = None
        self.run_worker(self._fetch(), group="stats", exclusive=True)

    async def _fetch(self) -> None:
        client = self.console.session.client
        if client is None:
            return
        try:
            self._stats = await client.call(dead_letters.STATS, query={"period": self.period})
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        self.chrome()
        self._paint()

    def next_period(self) -> None:
        self.period = _PERIODS[(_PERIODS.index(self.period) + 1) % len(_PERIODS)]
        self.tell()
        self.fetch()

    def tell(self) -> None:
        following = _PERIODS[(_PERIODS.index(self.period) + 1) % len(_PERIODS)]
        self.query_one("#line", LineView).show(
            [
                ("  the last ", "muted"),
                (self.period, "title"),
                (f", {_EACH[self.period]}   ", "muted"),
                (self.key("period"), "key"),
                (f" {following}", "muted"),
            ]
        )

    def _paint(self) -> None:
        if self._stats is None or not self.is_mounted:
            return
        self.board.show_plots([plot_of(self._stats["growth"], self.period)])
        lines: list[Line] = [_heading("now"), _counted(self._stats["totals"] | {"name": "all"})]
        for title, key in (("by queue", "by_queue"), ("by type", "by_type"), ("by tenant", "by_tenant")):
            if self._stats[key]:
                lines += [[], [(title, "heading")], *map(_counted, self._stats[key])]
        self.counts.show(lines, keep=True)


def plot_of(growth: Sequence[Mapping[str, Any]], period: str) -> Plot:
    """What came, what was resolved, what was removed because its time was over."""

    def series(name: str, sign: str, style: str, key: str) -> Series:
        values = [float(each[key]) for each in growth]
        return Series(name, sign, style, values, short(sum(values)))

    return Plot(
        "dead letters",
        short,
        [moment(each["at"]) or 0 for each in growth],
        _STEPS[period],
        (
            series("added", "failed", "badge-failed", "added"),
            series("resolved", "completed", "badge-completed", "resolved"),
            series("expired", "ended", "badge-waiting", "expired"),
        ),
        empty="none came or went in this time",
    )


def _heading(text: str) -> Line:
    heads = "".join(fit(name, _FIGURE, right=True) for name, _ in _FIGURES)
    return [(fit(text, _NAME), "heading"), (heads, "header")]


def _counted(row: Mapping[str, Any]) -> Line:
    line: Line = [(fit(safe(row["name"]), _NAME), "")]
    for name, style in _FIGURES:
        number = int(row[name])
        line.append((fit(count(number) if number else "-", _FIGURE, right=True), style if number else "faint"))
    return line
