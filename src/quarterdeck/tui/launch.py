"""The shortest way from a command line to a painted screen.

A local engine is started before Textual is imported, so that both come up at once; the garbage collector
rests meanwhile, because start-up only allocates what stays.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quarterdeck.client.first_look import FirstLook
    from quarterdeck.config.home import Home
    from quarterdeck.contract.principal import Principal
    from quarterdeck.tui.state import ConsoleState


def run(
    home: Home | str | os.PathLike[str] | None = None,
    *,
    read_only: bool = False,
    theme: str | None = None,
    act_as: Principal | None = None,
    go_to: str = "",
) -> int:
    """Open the console on an instance; returns the exit code. Mistakes are one sentence on stderr."""
    gc.disable()
    # Textual reads these when it is imported. Nothing here moves by itself.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from quarterdeck.config.home import Home, HomeError
    from quarterdeck.config.load import ConfigError, load
    from quarterdeck.tui.state import load as remembered

    try:
        place = home if isinstance(home, Home) else Home.find(home)
        made = place.create()
        settings = load(place.config)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return _refuse("The console needs a terminal; for scripts there is: qd items list --json.", 1)
        state, notice = remembered(place.console_state)
        notice = notice or (f"Made a new home at {place.path}." if made else "")
        look = _wake(place, state, act_as)
    except (HomeError, ConfigError) as error:
        return _refuse(str(error), 2)

    from quarterdeck.tui.app import Console
    from quarterdeck.tui.keymap import Keymap, KeymapError
    from quarterdeck.tui.session import Session
    from quarterdeck.tui.theming import ThemeError

    try:
        session = Session(
            place,
            settings,
            Keymap(settings.console.keys, place.config),
            state,
            read_only=read_only or settings.console.read_only,
        )
        console = Console(session, theme=theme, notice=notice, act_as=act_as, go_to=go_to, first_look=look)
    except (KeymapError, ThemeError) as error:
        return _refuse(str(error), 2)
    _say("")
    console.run(mouse=settings.console.mouse)
    return console.return_code or 0


def _wake(home: Home, state: ConsoleState, act_as: Principal | None) -> FirstLook | None:
    """Ask a running engine for the first rows, or start one. Neither is waited for: Textual is imported meanwhile.

    Why an engine could not be started is said by the link, on the screen.
    """
    from quarterdeck.client.errors import Unreachable
    from quarterdeck.client.finding import answers
    from quarterdeck.client.first_look import FirstLook
    from quarterdeck.client.local import begin
    from quarterdeck.contract.operations import items, system
    from quarterdeck.tui.sources import first_page

    if not answers(home):
        _say(f"Starting the engine of {home.path}…")
        with suppress(Unreachable):
            begin(home)
        return None
    look, view = FirstLook(home, act_as), state.view(state.resource)
    look.ask_ahead(system.ENGINE)
    look.ask_ahead(items.LIST, query=first_page(view.filter, view.sort), resource=state.resource)
    return look


def _say(sentence: str) -> None:
    """A word on the bare terminal, long before there can be a screen; an empty one takes it back."""
    from quarterdeck.tui.text import safe

    try:
        sys.stdout.write(f"\r\x1b[K{safe(sentence)}")
        sys.stdout.flush()
    except (OSError, UnicodeEncodeError):
        pass  # the screen says the same in a moment


def _refuse(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
