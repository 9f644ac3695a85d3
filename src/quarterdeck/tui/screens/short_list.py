"""A list that the engine gives whole because it is short, kept up to date; a pane for the row under the cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual.containers import Container
from textual.widget import Widget

from quarterdeck.contract.live import FIGURES_INTERVAL_SECONDS, Message
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.looking import LookingScreen
from quarterdeck.tui.screens.moving import moves
from quarterdeck.tui.screens.short_detail import ShortDetail
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.whole_list import WholeList
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.rows import Column
from quarterdeck.tui.widgets.table_drawing import HEADER
from quarterdeck.tui.widgets.table_messages import CursorRested, FetchFailed
from quarterdeck.tui.widgets.window_table import WindowTable

Row = Mapping[str, Any]
BESIDE = 160  # cells from which the pane stands at the right of the table


class ShortListScreen(LookingScreen):
    """Looks again when the engine says that something is different, at most once a second; silent otherwise."""

    DEFAULT_CSS = """
    ShortListScreen #split { layout: vertical; height: 1fr; }
    ShortListScreen.-beside #split { layout: horizontal; }
    ShortListScreen WindowTable { width: 1fr; height: 1fr; min-height: 3; }
    ShortListScreen #below { display: none; height: 1fr; border-top: $stroke $line; padding: 0 1; }
    ShortListScreen.-detail #below { display: block; }
    ShortListScreen.-beside #below { width: 46%; height: 1fr; border-top: none; border-left: $stroke $line; }
    """

    # What a subclass says

    AGAIN_SECONDS = FIGURES_INTERVAL_SECONDS
    COLUMNS: ClassVar[Sequence[Column]] = ()
    NOUN: ClassVar[str] = "rows"
    EMPTY: ClassVar[str] = ""
    NEWS: ClassVar[Message | None] = None
    """What the engine says when rows may be different; None: it says nothing of them."""
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    """The members that name a row."""

    async def read(self) -> Sequence[Row]:
        """Every row, from the engine. Raises Problem and Unreachable."""
        raise NotImplementedError

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        """What the pane says of a row."""
        raise NotImplementedError

    def say_of(self, row: Row) -> Line:
        """What is wrong with a row, in the line above the table; the pane says it too, where it is open."""
        raise NotImplementedError

    def refreshed(self) -> None:
        """The rows are newer."""

    def make_detail(self) -> ShortDetail:
        return ShortDetail(self)

    # What it is made of

    def __init__(self, session: Session, name: str | None = None) -> None:
        """`name`: the row to begin with."""
        super().__init__()
        self.source = WholeList(self._read, lambda row: tuple(row[each] for each in self.KEY))
        self.table = WindowTable(
            self.COLUMNS,
            empty=self.EMPTY,
            noun=self.NOUN,
            rest_ms=session.settings.console.detail_delay_ms,
            clock=session.now,
            id="rows",
        )
        self.detail = self.make_detail()
        self._wanted: object = name

    def above(self) -> Iterable[Widget]:
        """Between the line and the table."""
        return ()

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield from self.above()
        yield Container(self.table, self.detail.pane(), id="split")

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **moves(lambda: self.table),
            "open": self.open,
            "clear": self.clear,
            "copy": self.copy,
            "reload": self.reload,
            "detail-down": lambda: self.detail.scroll(1),
            "detail-up": lambda: self.detail.scroll(-1),
        }

    def current_row(self) -> Row | None:
        return self.table.cursor_row

    @property
    def is_looking(self) -> bool:
        """Whether the engine is being asked, or will be in a moment."""
        return self._timer is not None or any(each.node is self and not each.is_finished for each in self.workers)

    # Showing

    def on_mount(self) -> None:
        self.table.retry_hint = f"{self.key('reload')} tries again"
        self.detail.begin()
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.tell_line()
        if self.console.session.client is not None:
            self.show_rows()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.call_after_refresh(self._share)
        self.detail.paint()

    def show_rows(self) -> None:
        cursor = self.table.cursor_id
        if self._wanted is not None and len(self.KEY) == 1:
            cursor, self._wanted = self.source.number((self._wanted,)), None
        self.table.show(self.source, cursor_id=cursor, keep=True)

    def go_to_name(self, name: object) -> None:
        """The cursor on a row that is shown already."""
        if not self.table.go_to(self.source.number((name,))):
            self.notice(f"There is no {name} here.", "warning")

    async def _read(self) -> Sequence[Row]:
        with self.timed():
            return await self.read()

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.reload()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] in (self.NEWS, Message.RESYNC):
            self.soon()

    def on_screen_resume(self) -> None:
        if self._outdated:
            self.soon()

    def look(self, *, keep: bool = True) -> Awaitable[None]:
        return self.look_again()

    async def look_again(self) -> None:
        self.no_more_waiting()
        if self.console.session.client is None or self.console.session.lost:
            return
        try:
            moved = await self.source.refresh()
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        if moved:
            self.show_rows()
        else:
            await self.table.patch(self.source.rows)
        self.say_all()
        self.detail.keep_up()

    def _share(self) -> None:
        """A short list leaves its room to the pane; a long one has a little less than half."""
        if not self.is_mounted:
            return
        styles = self.table.styles
        if not self.detail.is_open or self.has_class("-beside") or not self.source.rows:
            styles.height = "1fr"
            return
        room = self.query_one("#split").size.height
        styles.height = min(len(self.source.rows) + HEADER + 1, max(4, room * 9 // 20))

    def say_all(self) -> None:
        self._share()
        self.refreshed()
        self.chrome()
        self.tell_line()
        self.detail.paint()

    def line_words(self, row: Row | None) -> Line:
        """The line above the table."""
        return self.say_of(row) if row is not None else []

    def tell_line(self) -> None:
        if self.is_mounted:
            self.query_one("#line", LineView).show(self.line_words(self.current_row()))

    # What is under the cursor

    def on_window_table_count_known(self) -> None:
        self.say_all()

    def on_window_table_cursor_rested(self, _event: CursorRested) -> None:
        self.say_all()
        self.detail.follow()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_opened(self) -> None:
        self.open()

    # Commands

    def open(self) -> None:
        self.detail.toggle()

    def clear(self) -> None:
        if self.detail.is_open:
            self.detail.toggle()
        else:
            self.console.back()

    def reload(self) -> None:
        self.source.forget()
        self.show_rows()
        self.detail.refresh()

    def copy(self) -> None:
        row = self.current_row()
        if row is None:
            self.notice("Nothing to copy: no row under the cursor.")
        else:
            self.console.copy_text(str(row["name"]), str(row["name"]))
