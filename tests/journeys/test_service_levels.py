"""Somebody who answers for service levels: what is at risk, its item, what is suggested, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, iso, now_ms
from tests.support.person import Person

pytestmark = pytest.mark.timeout(180)

POLICY = """\
name = "Standard"
resource = "support_tasks"

[settings]
targets = [
    { priority = "normal", resolution_minutes = 480 },
    { priority = "high", resolution_minutes = 450 },
]
escalation = [{ percent = 50, act = "raise_priority" }]
"""
MAPPING = """\
[item]
external_id = "ticket"
tenant_id = { constant = "acme" }
kind = { constant = "question" }
title = "subject"
created_at = "opened"
"""


def test_from_what_is_at_risk_to_what_is_suggested_and_back(person: Person, tmp_path: Path) -> None:
    policy, table, mapping = (tmp_path / name for name in ("policy.toml", "tickets.csv", "tickets.toml"))
    policy.write_text(POLICY)
    mapping.write_text(MAPPING)
    person.qd("sla", "create", policy, "--effective-from", "2020-01-01T00:00:00Z")
    now = now_ms()
    opened = {"Lamp": now - 7 * HOUR, "Bell": now - 8 * HOUR + 30 * SECOND, "Saddle": now - 10 * MINUTE}
    rows = "".join(f"T-{n},{name},{iso(at)}\n" for n, (name, at) in enumerate(opened.items()))
    table.write_text("ticket,subject,opened\n" + rows)
    person.qd("import", "support_tasks", table, "--mapping", mapping)
    lamp = person.json("items", "list", "support_tasks", "-q", "external:T-0")["items"][0]["id"]

    with person.console() as console:
        console.wait_for(r"3 matching")
        console.press(":sla\r")
        console.wait_for(r"2 at risk +0 broken in 30 days")
        console.wait_for(r"▸ +! in \d+s +resolution .*Bell")

        # It counts down, and breaks while one looks.
        console.wait_for(r"1 at risk +1 broken", seconds=60)
        console.press("b")
        console.wait_for(r"▸ .*✕ <1m .*Bell")
        console.press("b")

        # From the row straight to the item, and what its policy suggests.
        console.wait_for(r"▸ +! in 5\dm .*Lamp")
        console.press("enter")
        console.wait_for(rf"support task #{lamp}")
        console.wait_for(r"◐ running +resolution +7h.* of 8h")
        console.wait_for(r"e Set priority: high")
        console.press("e")
        console.wait_for(rf"Set priority #{lamp}")
        console.press("\r")
        console.wait_for(r"Set priority: #\d+ is open")
        console.wait_for(r"of 7h 30m")
        assert person.json("items", "show", "support_tasks", str(lamp))["item"]["priority"] == "high"

        # Back where one came from; the clock goes by its new target there.
        console.press("q")
        console.wait_for(r"1 at risk")
        console.wait_for(r"! in 2\dm .*high .*Lamp")
        console.press("q")
        console.wait_for(r"3 matching")
        console.press("/due:breached\r")
        console.wait_for(r"1 matching")
        console.wait_for(r"✕ late .*Bell")
    assert "none differs" in person.qd("sla", "replay")

    with person.console("--read-only") as console:
        console.wait_for(r"1 matching")
        console.press("f10")
        console.wait_for(r"▸ .*Lamp")
        console.press("enter")
        console.wait_for(rf"support task #{lamp}")
        console.press("e")
        console.wait_for(r"Suggested is off: this console is read-only")


def test_a_screen_of_clocks_is_silent_while_nothing_changes(person: Person, tmp_path: Path) -> None:
    policy, table, mapping = (tmp_path / name for name in ("policy.toml", "tickets.csv", "tickets.toml"))
    policy.write_text(POLICY)
    mapping.write_text(MAPPING)
    person.qd("sla", "create", policy, "--effective-from", "2020-01-01T00:00:00Z")
    opened = now_ms() - 7 * HOUR - 48 * SECOND
    table.write_text(f"ticket,subject,opened\nT-1,Lamp,{iso(opened)}\n")
    person.qd("import", "support_tasks", table, "--mapping", mapping)
    with person.console() as console:
        console.wait_for(r"1 matching")
        console.press("f10")
        console.wait_for(r"1 at risk")
        console.wait_for(r"no promise came to a verdict")
        console.wait_for(r"0 broken in 30 days")
        console.wait_for(r"! in 59m .*Lamp")
        console.settle(quiet=1.5)
        costs = []
        for minutes in (58, 57):  # what is looked at again now and then may be painted once, and not every minute
            before = len(console.raw)
            console.wait_for(rf"! in {minutes}m", seconds=90)
            costs.append(len(console.raw) - before)
            if costs[-1] < 400:
                break
        assert costs[-1] < 400, f"a word that changes costs its line, not the screen: {costs}"
