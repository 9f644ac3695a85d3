"""How a table gets onto the screen: only lines that show something else than they should are sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.tui.spans import wrap
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.columns import GUTTER, place
from quarterdeck.tui.widgets.marks import Marks
from quarterdeck.tui.widgets.page_index import PageIndex
from quarterdeck.tui.widgets.row_painter import LineState, Painter
from quarterdeck.tui.widgets.rows import Column, Row
from quarterdeck.tui.widgets.viewport import Viewport

HEADER = 1  # lines
_NOTHING = LineState()


class DrawnTable(Widget, can_focus=True):
    """A line of titles, and below it the rows that stand in the viewport."""

    ALLOW_SELECT = False

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str,
        noun: str,
        page_cache: int,
        clock: Callable[[], int],
        id: str | None,
    ) -> None:
        super().__init__(id=id)
        self.columns, self.empty, self.noun = columns, empty, noun
        self.new_hint, self.retry_hint, self.stale_hint = "i brings them in", "f5 tries again", "f5 refreshes"
        self.sorted_by, self.descending = "", False
        self.marks = Marks()
        self.not_of_all: Callable[[Row], str] = lambda _row: ""  # why a row that is listed is not one of all
        self._index = PageIndex(capacity=page_cache)
        self._view = Viewport()
        self._clock = clock
        self._count: int | None = None
        self._stale: set[int] = set()
        self._range: int | None = None  # where a range begins
        self._new = 0
        self._patient = False  # the old list stays on the screen for a moment
        self._painter: Painter | None = None
        self._drawn: list[object] = []  # what each line shows
        self._live: dict[int, list[str]] = {}  # the words on each line that change with the time

    # What the layers above know

    @property
    def scope(self) -> str:
        """What the list is, in the words of the operator."""
        return ""

    def _failure(self) -> str:
        """Why rows are missing; empty if none are."""
        return ""

    def _waiting(self) -> bool:
        """Whether there is a list to wait for."""
        return False

    # Drawing

    def on_mount(self) -> None:
        if any(column.live for column in self.columns):
            self.set_interval(1.0, self._tick)

    def on_focus(self) -> None:
        self._sync()

    def on_blur(self) -> None:
        self._sync()

    def _sync(self) -> None:
        """Refresh the lines that show something else than they should."""
        width = self.size.width
        if self._patient or not self.size.height:
            return
        view, says, thumb = self._view, self._says(), self._thumb()
        high = self._index.limits(view.cursor)[1]
        lines: list[object] = [(self._notice(), self.sorted_by, self.descending)]
        for line in range(view.height):
            row = self._index.row(view.top + line)
            if says is not None:
                lines.append(says)
            elif row is None and view.top + line >= high:
                lines.append(None)
            else:
                lines.append((row, self._state(line, row, thumb)))
        drawn, self._drawn = self._drawn, lines
        if len(drawn) != len(lines):
            self.refresh()
            return
        different = [
            Region(0, y, width, 1) for y, (old, new) in enumerate(zip(drawn, lines, strict=True)) if old != new
        ]
        if different:
            self.refresh(*different)

    def render_line(self, y: int) -> Strip:
        painter = self._painting()
        if self._patient:
            self._drawn = []  # something else had this painted: what stands there now is not the old list
        if y < HEADER:
            return Strip(painter.header(self._notice(), self.sorted_by, self.descending))
        line = y - HEADER
        says = self._says()
        if says is not None:
            text, style = says
            sentences = wrap(text, max(self.size.width - GUTTER - 1, 1))
            said = "".join(part for part, _ in sentences[line - 1]) if 0 < line <= len(sentences) else ""
            return Strip(painter.message(said, style))
        position = self._view.top + line
        row = self._index.row(position)
        if row is None and position >= self._index.limits(self._view.cursor)[1]:
            return Strip(painter.blank())
        state = self._state(line, row, self._thumb())
        if row is None:
            return Strip(painter.placeholder(state)).crop(0, painter.width)
        now = self._clock()
        self._live[line] = painter.texts(row, now, live_only=True)[0]
        return Strip(painter.row(row, state, now)).crop(0, painter.width)

    def _state(self, line: int, row: Row | None, thumb: int) -> LineState:
        view = self._view
        position = view.top + line
        at_cursor = position == view.cursor
        in_range = False
        if self._range is not None:
            first, last = sorted((self._range, view.cursor))
            in_range = first <= position <= last
        row_id = row["id"] if row is not None else None
        return LineState(
            cursor=at_cursor,
            focused=at_cursor and self.has_focus,
            marked=row is not None and self._is_marked(row),
            in_range=in_range,
            stale=row_id in self._stale,
            thumb=line == thumb,
        )

    def _is_marked(self, row: Row) -> bool:
        """A row that no longer matches is not one of all that match."""
        if self.marks.all_matching and (row["id"] in self._stale or self.not_of_all(row)):
            return False
        return self.marks.has(row["id"], self.scope)

    def _thumb(self) -> int:
        """The line with the sign that says where in the list the screen is; -1 for none."""
        total, view = self._index.total, self._view
        if total is None or total <= view.height:
            return -1
        if view.top == 0 or view.height < 3:
            return 0
        return view.height - 1 if view.bottom >= total else 1 + view.top * (view.height - 2) // total

    def _notice(self) -> str:
        return f"not all could be loaded, {self.retry_hint}" if self._failure() and self._index.loaded else ""

    @property
    def news(self) -> str:
        """How the list has changed since it was looked at, for a line of the screen; empty if it has not."""
        said = [f"{self._new:,} new, {self.new_hint}"] if self._new else []
        if self._stale:
            number = len(self._stale)
            said.append(f"{number:,} no longer {'matches' if number == 1 else 'match'}, {self.stale_hint}")
        return "; ".join(said)

    def _says(self) -> tuple[str, str] | None:
        """Sentence and style where there are no rows to show."""
        if self._index.loaded:
            return (self.empty, "empty") if self._index.total == 0 else None
        if self._failure():
            return f"{self._failure()}\n{self.retry_hint[:1].upper()}{self.retry_hint[1:]}.", "error"
        count = "" if self._count is None else f"{self._count:,} "
        return (f"Loading {count}{self.noun}…", "empty") if self._waiting() else None

    def _painting(self) -> Painter:
        look, width = look_of(self.app), self.size.width
        if self._painter is None or self._painter.look is not look or self._painter.width != width:
            self._painter = Painter(look, place(self.columns, width), width)
        return self._painter

    def _tick(self) -> None:
        """Ages and times to due: send the lines whose words have changed, where they are seen."""
        if self._patient or self._says() is not None or self.screen is not self.app.screen or not self.region:
            return
        painter, now, width = self._painting(), self._clock(), self.size.width
        for line in range(self._view.height):
            row = self._index.row(self._view.top + line)
            if row is not None and painter.texts(row, now, live_only=True)[0] != self._live.get(line):
                self.refresh(Region(0, line + HEADER, width, 1))
