"""What must hold of a store after its engine was killed again and again; see `attention_crashes`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.attention_sink import Sink

if TYPE_CHECKING:
    from quarterdeck.config.home import Home

# What a kill may cost of what is noted in memory (s): a second, and a busy machine is given another. What a group's
# time may be early by: see `engine.alerts.grouping`.
_NOTED_SECONDS = 2.0
_EARLY = 0.75


@dataclass
class Outcome:
    """What the killing came to; `faults` are sentences, none where all is well."""

    kills: list[float] = field(default_factory=list)
    fired: set[str] = field(default_factory=set)
    used: Counter[str] = field(default_factory=Counter)
    items: int = 0
    done: set[int] = field(default_factory=set)
    answered: list[float] = field(default_factory=list)
    unclear: int = 0
    figures: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def rows(home: Home, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(home.store)) as connection:
        return connection.execute(query, values).fetchall()


def metered(home: Home, kind: str = "api_calls", *, tenant: str | None = None) -> int:
    query = (
        "SELECT coalesce(sum(quantity), 0) FROM usage_events"
        " WHERE source = 'quarterdeck' AND resource_type = ? AND tenant_id = coalesce(?, tenant_id)"
    )
    return int(rows(home, query, kind, tenant)[0][0])


async def settled(home: Home, sink: Sink, fired: Collection[str], patience: float) -> None:
    """Until all is told, swept and counted, or what is missing will not come."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        waiting = "SELECT count(*) FROM runs WHERE queue = 'notifications' AND status NOT IN ('completed', 'cancelled')"
        ((left,),), ((due,),) = rows(home, waiting), rows(home, "SELECT count(*) FROM sla_due")
        if not left and not due and told(sink) >= set(fired) and metered(home, "notifications_sent") == len(sent(home)):
            return
        await asyncio.sleep(0.1)


def sent(home: Home) -> set[str]:
    """Names of messages but those that a later one of their group has overtaken."""
    query = "SELECT id FROM notifications WHERE error_code IS NULL OR error_code != 'overtaken'"
    return {f"notification_{number}" for (number,) in rows(home, query)}


def told(sink: Sink) -> set[str]:
    """Alerts of messages that were taken."""
    return {name for _, name in _named(sink, "n")}


def _named(sink: Sink, label: str) -> set[tuple[str, str]]:
    """(id of a message that was taken, what one of its alerts says under the label)."""
    return {
        (name, alert["labels"][label])
        for name, several in sink.told.items()
        for each in several
        if each.taken
        for alert in each.data["alerts"]
        if label in alert["labels"]
    }


def faults_of(home: Home, sink: Sink, outcome: Outcome, interval: float, promised: float) -> list[str]:
    """Sentences; the figures of `outcome` are filled in besides."""
    return [
        *_alerts(home, sink, outcome, interval),
        *_clocks(home, sink, outcome, promised),
        *_usage(home, sink, outcome),
    ]


def _alerts(home: Home, sink: Sink, outcome: Outcome, interval: float) -> Iterator[str]:
    heard = [each for several in sink.told.values() for each in several]
    outcome.figures |= {
        "alerts posted": len(outcome.fired),
        "messages": len(sink.told),
        "came again, with the same id": sum(len(several) > 1 for several in sink.told.values()),
        "of these were refused first": sum(not each.taken for each in heard),
    }
    missing = outcome.fired - told(sink)
    if missing:
        yield f"{len(missing)} alerts were posted and never told, such as {min(missing)}"
    if sink.unsigned:
        yield f"{sink.unsigned} messages are not signed"
    kept, meant = {f"notification_{number}" for (number,) in rows(home, "SELECT id FROM notifications")}, sent(home)
    if not meant <= set(sink.told) <= kept:
        yield f"{len(meant)} of {len(kept)} notifications were to be sent, {len(sink.told)} were told"
    outcome.figures["overtaken by a later one"] = len(kept - meant)
    taken = {(each.data["key"], each.at) for each in heard if each.taken}
    for name, several in sink.told.items():
        if len({each.body for each in several}) > 1:
            yield f"{name} says something else each time"
        first, last = several[0].at, several[-1].at
        may = 1 + sum(not each.taken for each in several) + sum(first <= kill <= last for kill in outcome.kills)
        if len(several) > may:
            yield f"{name} came {len(several)} times; refusals and kills explain {may}"
        if not several[-1].taken and name in meant:
            yield f"{name} was refused and did not come again"
        if name not in meant and not any(key == several[0].data["key"] and at > first for key, at in taken):
            yield f"{name} was overtaken by nothing"
    firsts = sorted((several[0].data["key"], several[0].said_at) for several in sink.told.values())
    for key, group in groupby(firsts, key=lambda pair: pair[0]):
        gaps = [later - before for (_, before), (_, later) in pairwise(group)]
        if gaps and min(gaps) < _EARLY * interval:
            yield f"group {key} spoke again after {min(gaps):.2f} s"


def _clocks(home: Home, sink: Sink, outcome: Outcome, promised: float) -> Iterator[str]:
    """Against what creation times and timelines say, without any clock."""
    query = (
        "SELECT i.id, i.created_at, b.breached_at, e.type, e.at, e.changes FROM items i"
        " LEFT JOIN sla_breaches b ON b.item_id = i.id LEFT JOIN item_events e ON e.item_id = i.id ORDER BY i.id"
    )
    broken = late = number = 0
    escalated = Counter(int(item) for _, item in _named(sink, "item"))
    for item, group in groupby(rows(home, query), key=lambda row: row[0]):
        lines = list(group)
        number += 1
        due = lines[0][1] + round(1_000 * promised)
        done = [at for *_, at, said in lines if said and json.loads(said).get("status", [0, 0])[1] == "resolved"]
        expected = due if not done or min(done) > due else None
        if lines[0][2] != expected:
            yield f"item {item} was broken at {lines[0][2]}, not {expected}"
        said = [at for *_, kind, at, _ in lines if kind == "sla_breached"]
        if said != ([] if expected is None else [due]):
            yield f"the timeline of item {item} tells of breaches at {said}, due {due}"
        if escalated[item] > 1 or (expected is not None and not done and not escalated[item]):
            yield f"item {item} was told of in {escalated[item]} messages"
        broken += expected is not None
        late += bool(done) and expected is not None
        if item in outcome.done and not done:
            yield f"item {item} was resolved, and is not"
    outcome.figures |= {"items with clocks": number, "broken when they were due": broken, "of these done later": late}
    outcome.figures |= {"told of by their escalation": len(escalated)}
    if number != outcome.items:
        yield f"{number} items, not {outcome.items}"


def _usage(home: Home, sink: Sink, outcome: Outcome) -> Iterator[str]:
    posted = dict(rows(home, "SELECT event_id, quantity FROM usage_events WHERE source != 'quarterdeck'"))
    if posted != dict(outcome.used):
        yield f"{len(posted)} events of usage are kept, {len(outcome.used)} were posted"
    sums = []
    for table in ("usage_events", "usage_minutes", "usage_days"):
        query = f"SELECT tenant_id, resource_type, sum(quantity) FROM {table} GROUP BY 1, 2 ORDER BY 1, 2"
        sums.append(rows(home, query))
    if not sums[0] == sums[1] == sums[2]:
        yield f"sums of events, minutes and days: {sums}"
    counted, calls = metered(home), len(outcome.answered)
    risk = sum(any(0 <= kill - at <= _NOTED_SECONDS for kill in outcome.kills) for at in outcome.answered)
    if not calls - risk <= counted <= calls + outcome.unclear:
        yield f"{counted} calls are metered; {calls} were answered, {risk} of these just before a kill"
    notified = metered(home, "notifications_sent")
    if notified != len(sent(home)):
        yield f"{notified} notifications are metered, {len(sent(home))} were sent"
    outcome.figures |= {
        "events of usage": len(posted),
        "calls metered": counted,
        f"calls not metered, of {risk} answered just before a kill": max(0, calls - counted),
    }
