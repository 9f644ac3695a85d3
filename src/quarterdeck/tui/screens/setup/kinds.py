"""Which screen shows what: the words that `:` takes."""

from __future__ import annotations

from importlib import import_module

from quarterdeck.tui.screens.setup.screen import SetupScreen

_SCREENS = {
    "rules": "RulesScreen",
    "channels": "ChannelsScreen",
    "silences": "SilencesScreen",
    "policies": "PoliciesScreen",
}


def screen_of(what: str) -> type[SetupScreen]:
    """Imported when somebody goes there. Raises KeyError for what is not set up."""
    kind: type[SetupScreen] = getattr(import_module(f"quarterdeck.tui.screens.setup.{what}"), _SCREENS[what])
    return kind
