"""Journeys: the whole system through a real pseudo-terminal, as a person at 80×24 would use it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from quarterdeck.config.home import Home
from tests.support.person import Person

MAPPING = """\
[item]
external_id = "ticket"
tenant_id = { constant = "acme" }
kind = "queue"
title = "subject"
body = "text"
created_at = "opened"

[item.status]
column = "state"
values = { new = "open", work = "in_progress", done = "resolved" }

[item.priority]
column = "prio"
values = { 1 = "urgent", 2 = "high", 3 = "normal" }

[source]
timezone = "Europe/Zurich"
"""


@pytest.fixture
def person(engine_home: Home) -> Person:
    """Somebody with a home of their own; its engine is ended afterwards."""
    return Person(engine_home)


@pytest.fixture
def export(tmp_path: Path) -> tuple[Path, Path]:
    """A ticket export of 60 rows and the mapping for it."""
    table, mapping = tmp_path / "tickets.csv", tmp_path / "tickets.toml"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["ticket", "subject", "text", "queue", "state", "prio", "opened"])
        for number in range(1, 61):
            queue = "refund" if number % 2 else "address"
            prio, opened = (1 if number == 31 else 3), f"2026-01-{number % 28 + 1:02} 08:00"
            rows.writerow([f"T-{number}", f"Ticket {number:03}", f"Text of {number}", queue, "new", prio, opened])
    mapping.write_text(MAPPING, encoding="utf-8")
    return table, mapping
