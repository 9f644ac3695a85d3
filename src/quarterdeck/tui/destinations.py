"""Where `:` can go, and what completes it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from quarterdeck.contract.enums import Listed, MachineResource, Resource, Watched
from quarterdeck.contract.filters import FilterError, parse


class NowhereError(Exception):
    """One sentence: what was typed leads nowhere, and what would."""


@dataclass(frozen=True, slots=True)
class Queue:
    """`filter` None keeps the one that queue had."""

    resource: Resource
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ItemPlace:
    id: int


@dataclass(frozen=True, slots=True)
class Operations:
    id: int | None = None


@dataclass(frozen=True, slots=True)
class MachineQueues:
    """Queues of machine work; `name`: the one to look at."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class SetUp:
    """Rules, channels, silences or policies."""

    what: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """`filter` None keeps the one that the list had. `id`: one of them."""

    filter: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command that works everywhere, by its name: home, workers, help, quit."""

    name: str


@dataclass(frozen=True, slots=True)
class Machines:
    """Runs or dead letters; `filter` None keeps the one that list had. `id`: one of them."""

    resource: MachineResource
    filter: str | None = None
    id: int | None = None


Destination = Machines | Queue | ItemPlace | Operations | MachineQueues | Alerts | SetUp | Command

# What is typed for commands that lead somewhere.
_NAMED = {
    **{name: name for name in ("home", "workers", "sla", "usage", "help", "theme", "quit", "palette")},
    "slas": "sla",
    "service-levels": "sla",
    "q": "quit",
    "commands": "palette",
}

# What is set up, each on a screen without a key of its own.
SET_UP = {
    "rules": "when alerts begin, and who is told",
    "channels": "how alerts get to people and systems",
    "silences": "what is kept quiet, and how long",
    "policies": "what is promised to whom, and by when",
}

_MACHINES = {
    **dict.fromkeys(("runs", "run"), MachineResource.RUNS),
    **dict.fromkeys(("dlq", "dead_letters", "dead-letters", "dead"), MachineResource.DEAD_LETTERS),
}


def find(text: str) -> Destination:
    """`returns status:requested`, `42`, `operation 7`, `operations`, `help`. Raises NowhereError."""
    word, _, rest = text.strip().partition(" ")
    name, rest = word.lower().lstrip("#"), rest.strip()
    if name.isascii() and name.isdigit() and not rest:
        return ItemPlace(min(int(name), 2**63 - 1))
    matches = [resource for resource in Resource if resource.startswith(name)] if name else []
    if len(matches) == 1 or name in list(Resource):
        resource = Resource(name) if name in list(Resource) else matches[0]
        if rest:
            try:
                parse(rest, resource)
            except FilterError as error:
                raise NowhereError(f"The filter after {resource} is not valid: {error}") from error
        return Queue(resource, rest or None)
    if name and "operations".startswith(name) and (len(name) > 1 or not matches):
        number = rest.lstrip("#")
        if not rest:
            return Operations()
        if number.isascii() and number.isdigit():
            return Operations(int(number))
        raise NowhereError(f"'{rest}' is no number of an operation.")
    machine = _MACHINES.get(name)
    if machine is not None:
        return _machines(machine, rest)
    if name == "queues":
        return MachineQueues(rest or None)
    if name in ("alerts", "alert"):
        return Alerts(*_narrowed(Watched.ALERTS, rest))
    if (name in SET_UP or name in _NAMED) and rest:
        raise NowhereError(f"Nothing can follow {name}; {name} alone leads there.")
    if name in SET_UP:
        return SetUp(name)
    if name in _NAMED:
        return Command(_NAMED[name])
    close = get_close_matches(name, [value for value, _ in offers()], n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else "Places are listed as you type; a number is an item."
    raise NowhereError(f"'{text.strip()}' leads nowhere. {hint}")


def _machines(resource: MachineResource, rest: str) -> Machines:
    if rest.lower().startswith("letters"):  # "dead letters", as the screen says it
        rest = rest[len("letters") :].strip()
    filter_, number = _narrowed(resource, rest)
    return Machines(resource, filter_, number)


def _narrowed(resource: Listed, rest: str) -> tuple[str | None, int | None]:
    """The filter, or the number of one of them. Raises NowhereError."""
    number = rest.lstrip("#")
    if number.isascii() and number.isdigit():
        return None, min(int(number), 2**63 - 1)
    try:
        parse(rest, resource)
    except FilterError as error:
        raise NowhereError(f"The filter after {resource} is not valid: {error}") from error
    return rest or None, None


def offers() -> list[tuple[str, str]]:
    """What can be typed, with what it means."""
    return [
        ("home", "what needs you now, and how everything does"),
        *((str(resource), f"the queue {resource}; a filter may follow") for resource in Resource),
        ("operations", "bulk operations; a number may follow"),
        ("runs", "machine work, piece by piece; a filter or a number may follow"),
        ("dlq", "dead letters; a filter or a number may follow"),
        ("queues", "queues of machine work; a name may follow"),
        ("workers", "who does the machine work"),
        ("sla", "service levels: what is at risk, what was broken"),
        ("alerts", "what fires, who looks after it; a filter or a number may follow"),
        ("usage", "what each tenant has used, over time and against limits"),
        *SET_UP.items(),
        ("theme", "how the console looks"),
        ("commands", "everything that can be done here"),
        ("help", "every key"),
        ("quit", "leave; the engine goes on"),
    ]
