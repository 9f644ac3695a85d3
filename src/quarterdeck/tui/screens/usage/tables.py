"""The tables of usage: by tenant, by time, against limits; one of them has the keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from textual.containers import Container
from textual.widget import Widget

from quarterdeck.tui.screens.usage.figures import Figures, Row
from quarterdeck.tui.screens.usage.rows import View, complete, rows_of
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.whole_list import WholeList
from quarterdeck.tui.widgets.titled_table import TitledTable
from quarterdeck.tui.widgets.window_table import WindowTable

_LEFT = (View.TENANTS, View.STEPS)


class UsageTables(Container):
    """`is_wide`: limits have a place of their own, beside one of the others."""

    DEFAULT_CSS = """
    UsageTables { height: 1fr; layout: horizontal; }
    UsageTables TitledTable { display: none; }
    UsageTables TitledTable.-seen { display: block; }
    UsageTables.-wide #limits { width: 46%; border-left: $stroke $line; }
    """

    def __init__(self, session: Session, key: Callable[[str], str]) -> None:
        """`key`: of a command, as people write it."""
        super().__init__(id="tables")
        self._key = key
        self.view = self._left = View.TENANTS
        self.is_wide = False
        self._parts = {
            each: TitledTable(session, each.columns, each.empty, each.noun, each.value, each.noun[:-1]) for each in View
        }
        self._orders = {each: each.orders[0] for each in View}
        self._lists = {each: WholeList(self._reader(each), each.key) for each in View}
        self._figures: Figures | None = None
        self._wanted: tuple[View, object] | None = None  # where the cursor goes when the rows are there

    def compose(self) -> Iterable[Widget]:
        yield from self._parts.values()

    @property
    def table(self) -> WindowTable:
        """The one that has the keys."""
        return self._parts[self.view].table

    @property
    def needs_tenants(self) -> bool:
        return View.TENANTS in self._seen

    @property
    def _seen(self) -> list[View]:
        return [self._left, View.LIMITS] if self.is_wide else [self.view]

    def go(self, view: View, cursor: object = None) -> None:
        """To another table; `cursor`: the key of the row that it begins with, when the next figures come."""
        self.view = view
        if view in _LEFT:
            self._left = view
        if cursor is not None:
            self._wanted = view, cursor
        self.place()
        self.table.focus()

    def go_on(self) -> None:
        views = list(View)
        self.go(views[(views.index(self.view) + 1) % len(views)])

    def reorder(self) -> None:
        orders = self.view.orders
        self._orders[self.view] = orders[(orders.index(self._orders[self.view]) + 1) % len(orders)]

    def place(self) -> None:
        self.set_class(self.is_wide, "-wide")
        for view, part in self._parts.items():
            part.set_class(view in self._seen, "-seen")
        self.head()

    async def show(self, figures: Figures, *, keep: bool) -> None:
        """`keep`: cursor and screen stay where they are."""
        self._figures = figures
        for view in self._seen:
            table, found, order = self._parts[view].table, self._lists[view], self._orders[view]
            table.sorted_by, table.descending = order.column, order.descending
            await asyncio.sleep(0)
            moved = await found.refresh()
            wanted = self._wanted[1] if self._wanted is not None and self._wanted[0] is view else None
            if wanted is not None:
                self._wanted = None
                table.show(found, cursor_id=found.number(wanted))
            elif not keep or not table.visible_ids():
                table.show(found)
            elif moved:
                table.show(found, keep=True)
            else:
                await table.patch(found.rows)
        self.head()

    def _reader(self, view: View) -> Callable[[], Awaitable[Sequence[Row]]]:
        async def read() -> Sequence[Row]:
            return rows_of(self._figures, view, self._orders[view]) if self._figures is not None else ()

        return read

    def head(self) -> None:
        """Above each table: which there are, how many rows it has, in which order."""
        for view in self._seen:
            part, order = self._parts[view], self._orders[view]
            there: Sequence[View] = list(View)
            if self.is_wide:
                there = _LEFT if view in _LEFT else (view,)
            names: Line = [(f" {each.title} ", "title" if each is view is self.view else "muted") for each in there]
            cut = self._figures is not None and not complete(self._figures, view)
            rest = f"; all of them: {self._key('usage-export')}" if cut else ""
            counted: Line = [(f"{part.counted(more=cut)}, {order.said}{rest} ", "muted")]
            if view is self.view:
                counted.append((f"{self._key('usage-sort')} ", "key"))
            names += [(f" {self._key('usage-other')}", "key")] if view in _LEFT or not self.is_wide else []
            part.heading.show(names, counted)
