"""Which theme the console wears: chosen, changed while it runs, read again when its file is saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from quarterdeck.tui import theming

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console


class Wardrobe:
    """`look` is what is worn. Raises ThemeError when the first one cannot be had."""

    def __init__(self, console: Console, wanted: str) -> None:
        self._console = console
        self.look = self._choose(wanted)

    def _choose(self, wanted: str) -> theming.Look:
        session = self._console.session
        return theming.choose(wanted, session.home.themes, ascii=session.settings.console.ascii)

    def dress(self) -> None:
        """Let Textual know what is worn."""
        console = self._console
        console.register_theme(self.look.theme)
        if console.theme == self.look.theme.name:
            console.mutate_reactive(App.theme)
        else:
            console.theme = self.look.theme.name

    def wear(self, wanted: str) -> None:
        """Another theme, from now on and after the next start."""
        if self._put_on(wanted):
            self._console.session.state.theme = wanted
            self.watch()

    def _put_on(self, wanted: str) -> bool:
        """A mistake in a theme is said, and the old one stays on."""
        console = self._console
        try:
            self.look = console.look = self._choose(wanted)
        except theming.ThemeError as error:
            console.notice(str(error), "error")
            return False
        self.dress()
        for screen in console.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.query("*"):
                widget.refresh()
        return True

    def watch(self) -> None:
        """From now on a saved file shows at once."""
        if self.look.path is not None:
            self._console.run_worker(self._watch(self.look.path), group="theme", exclusive=True)

    async def _watch(self, path: Path) -> None:
        async for _saved in theming.saved(path):
            self._put_on(str(path))
