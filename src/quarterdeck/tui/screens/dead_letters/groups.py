"""Dead letters in groups of the same error: "4,212 × 503 from refunds-api", and one key to take them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual.timer import Timer
from textual.widget import Widget

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.filters import Filter, parse
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import dead_letters
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.screens.machines.columns import GROUP_COLUMNS
from quarterdeck.tui.screens.moving import moves
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.whole_list import WholeList
from quarterdeck.tui.widgets.lines import LinesView, LineView
from quarterdeck.tui.widgets.table_messages import CursorRested, FetchFailed
from quarterdeck.tui.widgets.window_table import WindowTable

Row = Mapping[str, Any]
_AGAIN_SECONDS = 2.0
Take = Callable[[str, bool], None]


def with_group(filter_: str, group: str) -> str:
    """The filter with the group as its only one."""
    rest = tuple(term for term in parse(filter_, MachineResource.DEAD_LETTERS).terms if term.key != "group")
    return f"{Filter(rest).text} group:{group}".strip()


class GroupsScreen(ConsoleScreen):
    """Of the dead letters that match a filter, most frequent first."""

    DEFAULT_CSS = """
    GroupsScreen WindowTable { height: 1fr; }
    GroupsScreen #whole { height: auto; max-height: 5; border-top: $stroke $line; padding: 0 1; }
    """
    LABELS: ClassVar[Mapping[str, str]] = {"open": "See them", "clear": "Back"}

    def __init__(self, session: Session, filter_: str, take: Take) -> None:
        """`take(filter, everything)` shows the dead letters of a group, all of them marked if so wanted."""
        super().__init__()
        self._filter, self._take = filter_, take
        self._more = 0
        self._timer: Timer | None = None
        self.source = WholeList(self._read, lambda row: row["group"])
        self.table = WindowTable(
            GROUP_COLUMNS,
            empty="No dead letter matches; there is nothing to group.",
            noun="groups",
            rest_ms=session.settings.console.detail_delay_ms,
            clock=session.now,
            id="rows",
        )

    @property
    def place(self) -> Scope:
        return Scope.GROUPS

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield self.table
        yield LinesView(id="whole")

    def breadcrumb(self) -> tuple[Line, Line]:
        number = len(self.source.rows)
        more = f" and {count(self._more)} more" if self._more else ""
        return self.console.place_line("dead letters · errors"), [(f"{plural(number, 'group')}{more} ", "muted")]

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **moves(lambda: self.table),
            "open": lambda: self.take(False),
            "take-group": lambda: self.take(True),
            "copy": self.copy,
            "reload": self.reload,
            "clear": self.console.back,
        }

    def current_row(self) -> Row | None:
        return self.table.cursor_row

    @property
    def is_filling(self) -> bool:
        return self.table.is_filling

    def why_not(self, bound: Bound) -> str | None:
        refused = super().why_not(bound)
        if refused is None and bound.name in ("open", "take-group") and self.current_row() is None:
            return "There is no group here."
        return refused

    async def _read(self) -> Sequence[Row]:
        query = {"filter": self._filter} if self._filter else {}
        found = await self.console.session.client.call(dead_letters.GROUPS, query=query)
        self._more = found["more"]
        rows: Sequence[Row] = found["items"]
        return rows

    def on_mount(self) -> None:
        self.table.retry_hint = f"{self.key('reload')} tries again"
        said = (
            [("  of those that match ", "muted"), (safe(self._filter), "")] if self._filter else [("  of all", "muted")]
        )
        self.query_one("#line", LineView).show(said)
        if self.console.session.client is not None:
            self.table.show(self.source)

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.reload()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        ours = message.get("resource") == MachineResource.DEAD_LETTERS or message["type"] == Message.RESYNC
        if ours and self._timer is None:
            self._timer = self.set_timer(_AGAIN_SECONDS, self._again)

    def _again(self) -> None:
        self._timer = None
        self.reload()

    def reload(self) -> None:
        self.source.forget()
        self.table.show(self.source, cursor_id=self.table.cursor_id, keep=True)

    def on_window_table_count_known(self) -> None:
        self.chrome()

    def on_window_table_cursor_rested(self, event: CursorRested) -> None:
        self.chrome()
        self._paint(event.row)

    def on_resize(self) -> None:
        self._paint(self.current_row())

    def _paint(self, row: Row | None) -> None:
        """The message whole: in the table it may be cut."""
        from quarterdeck.tui.spans import wrap

        lines: list[Line] = []
        if row is not None:
            said = f"{count(row['count'])} × {row['error_code']} from {row['queue']}"
            lines = [[(safe(said), "title"), (f"  {row['error_class']}", "muted")]]
            lines += wrap(str(row["message"]), max(self.size.width - 4, 20), "", most=3)
        self.query_one("#whole", LinesView).show(lines)

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_opened(self) -> None:
        self.take(False)

    def copy(self) -> None:
        row = self.current_row()
        if row is not None:
            self.console.copy_text(f"group:{row['group']}", f"group:{row['group']}")

    def take(self, everything: bool) -> None:
        row = self.current_row()
        if row is None:
            return
        self.console.back()
        self._take(with_group(self._filter, str(row["group"])), everything)
