"""The form of a silence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.contract.operations import alerts
from quarterdeck.tui.screens.setup.entries import Entry, shaped, tenant_entry
from quarterdeck.tui.screens.setup.written_labels import MATCHERS
from quarterdeck.tui.screens.setup.written_times import times_after

GIVEN = {"ends_at": "2h"}


async def silence_entries(tenants: Sequence[str], now: int) -> list[Entry]:
    """Loads pydantic on first use, beside the screen."""
    return await asyncio.to_thread(_entries, tenants, now)


def _entries(tenants: Sequence[str], now: int) -> list[Entry]:
    times = times_after(now)
    entries = [
        Entry(
            "matchers",
            "Keeps quiet",
            "Alerts whose labels match all of these: =, != and for regular expressions =~, !~.",
            MATCHERS,
            example='such as alertname="Mail fails" host=~web.*',
        ),
        Entry("ends_at", "Until", "For how long, or until when: 2h, 22:00, tomorrow 06:00, 2026-01-31 08:00.", times),
        Entry("comment", "Why", "What is being done; whoever wonders reads it.", example="needed"),
        Entry("starts_at", "From", "When it begins; empty: now.", times, example="now"),
        tenant_entry("Alerts of this tenant only.", tenants),
    ]
    return shaped(entries, alerts.SILENCE)
