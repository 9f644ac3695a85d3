"""The form of a policy: what is promised, by when, by which calendar, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.contract.enums import Priority
from quarterdeck.contract.operations import sla
from quarterdeck.tui.screens.setup.entries import Entry, shaped, tenant_entry
from quarterdeck.tui.screens.setup.written import LIST, SWITCH, WHOLE
from quarterdeck.tui.screens.setup.written_hours import EXAMPLE, HOURS
from quarterdeck.tui.screens.setup.written_steps import EXAMPLE as STEP
from quarterdeck.tui.screens.setup.written_steps import STEPS, TARGETS, remark_on_targets

FROM_NOW = "A change holds for items that enter their queue from now on; clocks that have started keep what held then."


async def policy_entries(tenants: Sequence[str], *, new: bool) -> list[Entry]:
    """Loads pydantic on first use, beside the screen."""
    return await asyncio.to_thread(_entries, tenants, new)


def _entries(tenants: Sequence[str], new: bool) -> list[Entry]:
    entries = [Entry("name", "Name", "What people call it.")]
    if new:
        kind = "Items of this kind only; the most particular policy counts."
        entries += [
            Entry("resource", "Queue", "Whose items. Left and right choose."),
            tenant_entry("This tenant's only.", tenants),
            Entry("kind", "Kind", kind, example="every kind"),
        ]
    entries += [
        Entry(
            "settings/targets",
            "Promises",
            f"A line for each priority ({', '.join(Priority)}): the first response / the resolution; - for none.",
            TARGETS,
            many=True,
            example="such as urgent 15m / 2h",
            must=True,
            remark=remark_on_targets,
        ),
        Entry(
            "settings/calendar/windows",
            "Counts",
            f"When time counts; empty: always. A line for days that are alike: {EXAMPLE}",
            HOURS,
            many=True,
            example=f"such as {EXAMPLE}",
        ),
        Entry(
            "settings/calendar/timezone",
            "Time zone",
            "By whose clock; a name such as Europe/Stockholm.",
            example="such as Europe/Stockholm",
        ),
        Entry(
            "settings/calendar/country",
            "Holidays of",
            "A country (ISO 3166), on whose public holidays nothing counts.",
            example="such as SE",
        ),
        Entry("settings/calendar/subdivision", "Part of it", "A part of that country, such as BY of DE."),
        Entry(
            "settings/calendar/holidays",
            "Closed on",
            "Further days on which nothing counts, with commas between.",
            LIST,
            example="such as 2026-12-24, 2026-12-31",
        ),
        Entry("settings/pauses", "Pauses in", "The states in which no time counts, with commas between.", LIST),
        Entry(
            "settings/due_soon_percent",
            "Due soon",
            "After what percentage of the time an item counts as due soon.",
            WHOLE,
        ),
        Entry(
            "settings/escalation",
            "Then",
            f"A line for each step, by the percentage used: {STEP}; 100% do assign lead: Call them; 100% do notify ops",
            STEPS,
            many=True,
            example=f"such as {STEP}",
        ),
    ]
    if not new:
        entries += [
            Entry("enabled", "Policy", "Whether items that enter go by it.", SWITCH),
            Entry("reason", "Reason", "Why; kept in the audit log. May be empty."),
        ]
    return shaped(entries, sla.CREATE, sla.CHANGE)
