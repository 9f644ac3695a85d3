"""The queue: what is to be done, in the order in which it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from quarterdeck.contract.enums import AnyResource, Resource
from quarterdeck.tui.columns import ITEM_COLUMNS
from quarterdeck.tui.failures import FAILURES
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.items.detail import ItemDetail
from quarterdeck.tui.screens.listing import ListScreen, Row
from quarterdeck.tui.session import Session
from quarterdeck.tui.sources import ItemSource
from quarterdeck.tui.state import View

if TYPE_CHECKING:
    from quarterdeck.tui.screens.items.acting import ItemActing


_ONE = {Resource.SUPPORT_TASKS: "support task", Resource.RETURNS: "return", Resource.EXCEPTIONS: "exception"}


class QueueScreen(ListScreen):
    """One queue of items at a time; the one beneath all other screens shows them by turns."""

    NOUN = "items"
    ONE = "item"
    COLUMNS = ITEM_COLUMNS
    COLUMN_OF_SORT: ClassVar[Mapping[str, str]] = {"priority": "priority", "due": "due", "created": "age"}
    EXAMPLE = "status:open assignee:me"
    resource: AnyResource

    def __init__(self, session: Session, resource: Resource | None = None, visit: int | None = None) -> None:
        """`resource` None: the queue that was looked at last."""
        super().__init__(session, resource or session.state.resource, visit=visit)
        if visit is not None:
            self.ONE = _ONE[Resource(self.resource)]
        self.pinned: Row | None = None  # what claim-next gave, until the cursor moves
        self._pinned_at: int | None = None  # where the cursor stood then

    def source_of(self, view: View) -> ItemSource:
        session = self.console.session
        return ItemSource(lambda: session.client, self.resource, view.filter, view.sort)

    def make_detail(self) -> ItemDetail:
        return ItemDetail(self)

    def make_acting(self) -> ItemActing:
        from quarterdeck.tui.screens.items.acting import ItemActing

        return ItemActing(self)

    def empty_words(self) -> str:
        return f"The queue {self.resource} is empty. Fill it with:\nqd import {self.resource} FILE --mapping MAP.toml"

    async def learn_values(self) -> Mapping[str, Sequence[str]]:
        return await self.console.session.learn_values(Resource(self.resource))

    def own_handlers(self) -> Mapping[str, Handler]:
        return {
            "claim-next": lambda: self._hands.claim_next(),
            "skip": lambda: self._hands.skip(),
            "suggestion": lambda: self._hands.suggestion(),
            "see-run": lambda: self._see("see-run"),
            "see-dead-letter": lambda: self._see("see-dead-letter"),
        }

    def _see(self, what: str) -> None:
        """Go to the dead letter behind an exception, or the run behind that."""
        row = self.current_row()
        if row is not None:
            from quarterdeck.tui.screens.items.exception_story import see

            self.run_worker(see(self.console, row, what), group="go-to", exclusive=True)

    @property
    def _hands(self) -> ItemActing:
        return cast("ItemActing", self.acting)

    def go(self, resource: AnyResource, filter_: str | None, cursor: int | None = None) -> None:
        super().go(resource, filter_, cursor)
        self.console.session.state.resource = Resource(resource)

    def label(self, bound: Bound) -> str:
        return "Leave" if bound.name == "back" and self.is_kept else super().label(bound)

    def why_not(self, bound: Bound) -> str | None:
        refused = super().why_not(bound)
        if refused or bound.name != "suggestion":
            return refused
        row = self.current_row()
        if row is None:
            return f"{bound.command.label} needs an item; there is none under the cursor."
        if self.marked():
            return f"{bound.command.label} works on one item at a time; clear the marks first."
        detail = self.detail
        found = detail.suggestions_of(row) if isinstance(detail, ItemDetail) else None
        return "Nothing is suggested for this item." if found is not None and not found else None

    def remember(self) -> None:
        super().remember()
        if self.is_kept:
            self.console.session.state.screen = "queue"

    # The item that claim-next gave

    def current_row(self) -> Row | None:
        return self.pinned or self.table.cursor_row

    def pin(self, item: Row) -> None:
        """Show an item that the table may not: what claim-next gave. It stays until the cursor moves."""
        if not self.table.go_to(int(item["id"])):
            self.pinned, self._pinned_at = item, self.table.cursor_id
        self.detail.open()

    def show_rows(self, *, cursor_id: int | None = None, keep: bool = False) -> None:
        self.pinned = None
        super().show_rows(cursor_id=cursor_id, keep=keep)

    def row_changed(self, row: Row) -> None:
        if self.pinned is not None and self.pinned["id"] == row["id"]:
            self.pinned = row
        super().row_changed(row)

    def cursor_rested(self, row: Row | None) -> None:
        if self.pinned is not None and row is not None and row["id"] != self._pinned_at:
            self.pinned = None

    async def current_changed(self) -> None:
        if self.pinned is not None and self.source is not None:
            try:
                found = await self.source.named([int(self.pinned["id"])])
            except FAILURES:
                found = [self.pinned]  # looked at again when the engine is back
            self.pinned = found[0] if found else None
        await super().current_changed()
