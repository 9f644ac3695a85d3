"""Looking at one row alone, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from quarterdeck.contract.enums import AnyResource

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen


class _Visit(NamedTuple):
    """Where it leads back to, and the filter of the list the row is in."""

    resource: AnyResource
    filter: str
    cursor: int | None
    there: AnyResource
    filter_there: str


class Visits:
    def __init__(self, screen: ListScreen) -> None:
        self._screen = screen
        self._visit: _Visit | None = None

    def start(self, resource: AnyResource, row_id: int) -> None:
        """One row alone; esc or back leads to where we were."""
        screen = self._screen
        before = self._visit or _Visit(screen.resource, screen.view.filter, screen.table.cursor_id, resource, "")
        self.end()
        filter_there = screen.console.session.state.view(resource).filter
        screen.go(resource, f"id:{row_id}")
        self._visit = before._replace(there=resource, filter_there=filter_there)

    def leave(self) -> bool:
        """Back from a row that was gone to. Returns whether there was one."""
        visit = self._visit
        if visit is None:
            return False
        self._screen.go(visit.resource, visit.filter, visit.cursor)
        return True

    def end(self) -> None:
        """The list of the row has its own filter again."""
        if self._visit is not None:
            self._screen.console.session.state.view(self._visit.there).filter = self._visit.filter_there
            self._visit = None
