"""What the console remembers from one start to the next: screen, filter, sort, theme."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from quarterdeck.contract.enums import Listed, MachineResource, Resource, Watched, read_listed

FORMAT = 1
# Screens that a start can come back to, by the words that `:` takes.
SCREENS = ("queue", "home", "operations", "queues", "workers", "sla", "alerts", "usage", "runs", "dead_letters")
MOST_FILTERS = 20
_ITEMS = ("priority", "-priority", "due", "-due", "created", "-created", "updated", "-updated")
# The orders of each list; the first is that of a list nobody has ordered yet.
SORTS: Mapping[Listed, tuple[str, ...]] = {
    **dict.fromkeys(Resource, _ITEMS),
    **dict.fromkeys(MachineResource, ("-created", "created")),
    Watched.ALERTS: ("pressing",),
}
# What a list shows until somebody filters it. Most exceptions end without a person; those that have not come first.
FIRST_FILTERS: Mapping[Listed, str] = {Resource.EXCEPTIONS: "status:open,retrying,needs_manual_review"}


@dataclass(slots=True)
class View:
    """How one list was looked at."""

    filter: str = ""
    sort: str = "priority"
    cursor: int | None = None


@dataclass(slots=True)
class ConsoleState:
    screen: str = "queue"
    resource: Resource = Resource.SUPPORT_TASKS
    views: dict[str, View] = field(default_factory=dict)
    detail: bool = False
    theme: str = ""
    filters: list[str] = field(default_factory=list)  # what was filtered by, the last one first

    def remember_filter(self, text: str) -> None:
        if text:
            self.filters = [text, *(known for known in self.filters if known != text)][:MOST_FILTERS]

    def view(self, resource: Listed) -> View:
        return self.views.setdefault(str(resource), View(FIRST_FILTERS.get(resource, ""), SORTS[resource][0]))


def load(path: Path) -> tuple[ConsoleState, str]:
    """The remembered state, and a sentence if the file could not be used (empty otherwise)."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ConsoleState(), ""
    except (OSError, UnicodeDecodeError) as error:
        return ConsoleState(), f"{path} cannot be read ({error}); starting with the first screen."
    try:
        return _read(json.loads(text)), ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ConsoleState(), f"{path} is damaged and was ignored; it is written anew when you leave."


def save(path: Path, state: ConsoleState) -> str:
    """Written beside and renamed, so that it is never half there. Returns a sentence if it failed."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps({"format": FORMAT, **asdict(state)}), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        return f"The state of the console could not be written to {path}: {error.strerror}."
    return ""


def _read(raw: dict[str, Any]) -> ConsoleState:
    if raw["format"] != FORMAT:
        raise ValueError("format")
    views = {name: _view(view, SORTS[read_listed(name)]) for name, view in raw["views"].items()}
    screen, theme = raw["screen"], raw["theme"]
    if screen not in SCREENS or not isinstance(theme, str):
        raise ValueError("screen")
    filters = raw.get("filters", [])
    if not isinstance(filters, list) or not all(isinstance(text, str) for text in filters):
        raise ValueError("filters")
    return ConsoleState(screen, Resource(raw["resource"]), views, bool(raw["detail"]), theme, filters[:MOST_FILTERS])


def _view(raw: dict[str, Any], sorts: Sequence[str]) -> View:
    view = View(**{each.name: raw[each.name] for each in fields(View)})
    if not isinstance(view.filter, str) or view.sort not in sorts or not isinstance(view.cursor, int | None):
        raise ValueError("view")
    return view
