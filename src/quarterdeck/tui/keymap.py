"""Which key does what. Bindings are data; a clash is refused before the first screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from quarterdeck.contract.actions import ACTIONS, Action, actions_for
from quarterdeck.contract.enums import AnyResource
from quarterdeck.tui.commands import COMMANDS, PLACES, Command, Place, Scope, reach

# Keys with a name. Everything else is one printable character. Nothing here is taken by macOS, tmux,
# screen or a usual terminal.
NAMED = (
    *("space", "enter", "escape", "tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("insert", "delete", "backspace"),
    *(f"f{number}" for number in range(1, 13)),
)
# Place in the footer of those that are not as usual; what moves an item on comes before the rest.
_WEIGHTS = {"assign": 75, "comment": 65, "cancel": 0, "update-status": 45}
_SHOWN = {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn"}
_ALIASES = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "return": "enter", " ": "space"}


class KeymapError(Exception):
    """One sentence that names the file, and both commands, or the key and what would be valid."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A command with the keys it has now. `action` where it comes from the action registry."""

    command: Command
    action: Action | None = None

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def key(self) -> str:
        return shown(self.command.keys[0]) if self.command.keys else ""


def shown(key: str) -> str:
    """A key as people write it."""
    return _SHOWN.get(key, key.upper() if key[:1] == "f" and key[1:].isdigit() else key)


def pressed(key: str, character: str | None) -> str:
    """The name of a key press: the character where it has one, else Textual's name."""
    if character and character.isprintable() and character != " ":
        return character
    return _ALIASES.get(key, key)


class Keymap:
    """Built once at start. `lookup` is a dictionary access."""

    def __init__(self, remapped: Mapping[str, str] | None = None, config: Path | str = "config.toml") -> None:
        """`config`: the file that `remapped` comes from. Raises KeymapError for a name or key that is not known,
        and for a clash."""
        self._config = config
        changes = {name: (_checked(name, key, config),) for name, key in (remapped or {}).items()}
        known = {command.name for command in COMMANDS} | {verb for _, verb in ACTIONS}
        for name in changes:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                guess = f" Did you mean '{close[0]}'?" if close else " F1 in the console lists the names."
                raise KeymapError(f"{config}: console.keys: there is no command '{name}'.{guess}")
        self.commands = tuple(replace(c, keys=changes.get(c.name, c.keys)) for c in COMMANDS)
        self._tables = {place: self._table(place, changes) for place in PLACES}

    def lookup(self, where: Place, key: str) -> Bound | None:
        """What a key does on the list of a resource, or on a screen of its own."""
        return self._tables[where].get(key)

    def bound(self, where: Place) -> list[Bound]:
        """Everything reachable there, each once, in the order of declaration."""
        return list({bound.name: bound for bound in self._tables[where].values()}.values())

    def find(self, name: str, where: Place | None = None) -> Bound | None:
        """By name; there, or anywhere."""
        for place in [where] if where is not None else self._tables:
            for bound in self._tables[place].values():
                if bound.name == name:
                    return bound
        return None

    def key(self, name: str) -> str:
        """The key of a command as people write it; empty if it is not known."""
        bound = self.find(name)
        return bound.key if bound else ""

    def elsewhere(self, key: str) -> tuple[str, str] | None:
        """Label and place where a key does something, for saying why it does nothing here."""
        for place, table in self._tables.items():
            if key in table:
                return table[key].command.label, str(place)
        return None

    def _reachable(self, place: Place, changes: Mapping[str, tuple[str, ...]]) -> Iterator[Bound]:
        scopes = reach(place)
        yield from (Bound(command) for command in self.commands if command.scope in scopes)
        if isinstance(place, AnyResource):
            yield from (_of(action, changes) for action in actions_for(place))

    def _table(self, place: Place, changes: Mapping[str, tuple[str, ...]]) -> dict[str, Bound]:
        table: dict[str, Bound] = {}
        for bound in self._reachable(place, changes):
            for key in bound.command.keys:
                other = table.get(key)
                if other is not None:
                    raise KeymapError(
                        f"The key '{shown(key)}' is both '{other.name}' and '{bound.name}'; "
                        f"give one of them another key under [console.keys] in {self._config}."
                    )
                table[key] = bound
        return table


def _of(action: Action, changes: Mapping[str, tuple[str, ...]]) -> Bound:
    keys = changes.get(action.verb, (action.key,))
    weight = _WEIGHTS.get(action.verb, 88 if action.to else 0)
    return Bound(Command(action.verb, keys, action.label, action.summary, Scope.ACTION, weight, True), action)


def _checked(name: str, key: str, config: Path | str) -> str:
    lowered = _ALIASES.get(key.lower() if len(key) > 1 else key, key)
    if len(lowered) == 1 and lowered.isprintable():
        return lowered
    if lowered.lower() in NAMED:
        return lowered.lower()
    raise KeymapError(
        f"{config}: console.keys: '{key}' is not a key for '{name}'. "
        f"Valid: one character, or {', '.join(NAMED[:12])}, f1 to f12."
    )
