"""What has become of dead letters in a day and of promises in a week, as plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.clock import DAY, HOUR
from quarterdeck.contract.enums import Period
from quarterdeck.tui.format import count, per_cent
from quarterdeck.tui.periods import start_of
from quarterdeck.tui.widgets.chart_data import Plot, Series, short


def plots(overview: Mapping[str, Any], at: int) -> list[Plot]:
    """`at`: when the figures were read, ms."""
    found = []
    letters, promises = overview["dead_letters"], overview["promises"]
    if letters is not None:
        hours = letters["hours"]
        more = [float(max(each, 0)) for each in hours]
        line = Series("more than before", "failed", "badge-failed", more if any(more) else [], f"{letters['day']:+,}")
        times = [at - (len(hours) - number) * HOUR for number in range(len(hours))]
        found.append(Plot("dead letters", short, times, HOUR, (line,), "each hour", "no more came than went"))
    if promises is not None and promises["days"] is not None:
        days = promises["days"]
        whole = promises["week"]
        share = per_cent(whole["percent"]) if whole["percent"] is not None else ""
        kept = Series("kept", "completed", "badge-completed", [each["percent"] for each in days], share)
        today = start_of(Period.DAY, at)
        times = [today - (len(days) - 1 - number) * DAY for number in range(len(days))]
        note = f"each day, UTC, {count(whole['breached'])} broken"
        found.append(Plot("promises", per_cent, times, DAY, (kept,), note, "none came to a verdict in 7 days", 100.0))
    return found
