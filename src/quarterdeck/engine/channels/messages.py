"""What goes out, before it is put into the words of a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quarterdeck.contract.clock import iso
from quarterdeck.engine.channels.words import one_line
from quarterdeck.engine.runs.executors import Failure

# Of what an alert says, as much as a person reads.
MOST_SHOWN = 20
_VERBS = {"trigger": "", "acknowledge": "Acknowledged: ", "resolve": "Resolved: "}


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same for every attempt. `at` in ms. `alerts` are the first of `total`."""

    id: str
    at: int
    key: str
    kind: str
    severity: str
    title: str
    alerts: tuple[dict[str, Any], ...]
    total: int
    tenant_id: str | None = None
    url: str | None = None

    @property
    def heading(self) -> str:
        """For people, in one line."""
        return one_line(f"[{self.severity}] {_VERBS.get(self.kind, '')}{self.title}", 200)

    @property
    def more(self) -> int:
        """Alerts that are not shown."""
        return self.total - len(self.alerts[:MOST_SHOWN])


@dataclass(frozen=True, slots=True)
class Told:
    """It was taken. `said` in a sentence; `detail` as it came."""

    said: str
    detail: str | None = None


class Gone(Failure):
    """The other side wants nothing any more: its channel is switched off."""


def lines_of(alert: dict[str, Any]) -> list[tuple[str, str]]:
    """What an alert says, name by name; texts are as they came."""
    found = [(str(name), str(value)) for name, value in sorted((alert.get("labels") or {}).items())]
    found += [(str(name), str(value)) for name, value in sorted((alert.get("annotations") or {}).items())]
    for name in ("value", "threshold"):
        if alert.get(name) is not None:
            found.append((name, str(alert[name])))
    for name in ("starts_at", "ends_at"):
        if alert.get(name) is not None:
            found.append((name.replace("_at", ""), moment_of(alert[name])))
    return found


def moment_of(value: Any) -> str:
    """Milliseconds as people read them; anything else as it is."""
    try:
        return iso(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
    except OverflowError:
        return str(value)
