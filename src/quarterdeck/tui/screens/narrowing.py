"""Filter and order of a list: the line that says the filter, its editor, the choice of order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quarterdeck.tui.failures import FAILURES
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import SORTS
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen

_SORT_WORDS = {
    "priority": "most pressing first",
    "-priority": "least pressing first",
    "due": "due first",
    "-due": "due last",
    "created": "oldest first",
    "-created": "newest first",
    "updated": "longest untouched first",
    "-updated": "just changed first",
}


class Narrowing:
    def __init__(self, screen: ListScreen) -> None:
        self._screen = screen

    def line(self) -> Line:
        """What the filter bar says."""
        text = self._screen.view.filter
        if text:
            return [(" / ", "accent"), (safe(text), "")]
        return [(f" {self._screen.key('filter')} filters, for example {self._screen.EXAMPLE}", "faint")]

    @property
    def is_opening(self) -> bool:
        """The editor is on its way and does not take keys yet, or takes none any more."""
        return any(
            getattr(editor, "is_done", False) or not editor.has_focus_within
            for editor in self._screen.query("FilterEditor")
        )

    def edit(self) -> None:
        from quarterdeck.tui.widgets.filter_editor import FilterEditor

        screen = self._screen
        if screen.query(FilterEditor):
            return
        session = screen.console.session
        editor = FilterEditor(
            screen.view.filter,
            screen.resource,
            session.known_values(screen.resource),
            session.state.filters,
            example=screen.EXAMPLE,
        )
        screen.mount(editor)
        screen.run_worker(self._learn_values(editor), group="values", exclusive=True)

    async def _learn_values(self, editor: Any) -> None:
        try:
            known = await self._screen.learn_values()
        except FAILURES:
            return  # completion goes on with the words of the grammar; the tray says what is wrong
        if editor.is_attached:
            editor.knows(known)

    def close(self) -> None:
        self._screen.query("FilterEditor").remove()
        self._screen.table.focus()

    def apply(self, text: str) -> None:
        self.close()
        if text != self._screen.view.filter:
            self._screen.console.session.state.remember_filter(text)
            self._screen.view.filter = text
            self._screen.show_rows()
            self._screen.console.remember()

    def choose_sort(self) -> None:
        from quarterdeck.tui.screens.picker import Option, Picker

        screen = self._screen

        def chosen(sort: str | None) -> None:
            if sort and sort != screen.view.sort:
                screen.view.sort = sort
                screen.show_rows()
                screen.console.remember()

        options = [Option(key, key, _SORT_WORDS[key]) for key in SORTS[screen.resource]]
        screen.app.push_screen(Picker("Sort by", options, chosen=screen.view.sort, typed=False), chosen)
