"""From a ticket export to an undone bulk operation, with a lost terminal in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import engine_process
from tests.support.person import Person

pytestmark = pytest.mark.timeout(180)


def test_a_day_at_the_console(person: Person, export: tuple[Path, Path]) -> None:
    table, mapping = export
    said = person.qd("import", "support_tasks", table, "--mapping", mapping)
    assert "60 created" in said
    assert "60 unchanged" in person.qd("import", "support_tasks", table, "--mapping", mapping)

    with person.console() as console:
        console.wait_for(r"60 matching")
        console.wait_for(r"▸ .*urgent.*Ticket 031")

        # Look closer, then away again.
        console.press("enter")
        console.wait_for(r"T-31")
        console.wait_for(r"Text of 31")
        console.press("enter")
        console.wait_until_gone(r"Text of 31")

        # Filter. Typed in one go, as a fast hand on a slow line does.
        console.press("/kind:refund status:open\r")
        console.wait_for(r"30 matching")

        # Take the best one.
        console.press("n")
        console.wait_for(r"Ticket 031")
        console.wait_for(r"[Cc]laim")
        shown = person.json("items", "list", "support_tasks", "-q", "assignee:me")
        assert [item["external_id"] for item in shown["items"]] == ["T-31"]

        # Mark all that match, and say what to do with them.
        console.press("A")
        console.wait_for(r"29 marked")
        console.press("f")
        console.wait_for(r"Set category: 29 items")
        console.press("money", "\r")
        console.wait_for(r"will be acted on")
        console.wait_for(r"can be undone")

        # Meanwhile somebody else changes one of them; the frozen selection does not notice until it acts.
        other = person.json("items", "list", "support_tasks", "-q", "external:T-5")["items"][0]["id"]
        person.qd("items", "set-priority", "support_tasks", str(other), "--priority", "low")
        console.press("y")
        console.wait_for(r"28 done.*1 failed")
        assert person.json("items", "count", "support_tasks", "-q", "category:money")["count"] == 28

        # The line drops.
        console.hang_up()
        console.process.wait(20)
    assert engine_process(person.home) is not None, "the engine lives on without a console"

    with person.console() as console:
        # The screen and its filter are back; the operation is in the history.
        console.wait_for(r"kind:refund status:open")
        console.press("f3")
        console.wait_for(r"Set category")
        console.press("enter")
        console.wait_for(r"1 failed|failed +1")

        # Retry what failed: one item.
        console.press("r")
        console.wait_for(r"1 will be acted on")
        console.press("y")
        console.wait_for(r"1 done")
        assert person.json("items", "count", "support_tasks", "-q", "category:money")["count"] == 29

        # And take the first operation back.
        person_operations = person.json("bulk", "list")["items"]
        first = min(operation["id"] for operation in person_operations)
        console.press("q")
        console.wait_for(r"\d+ matching")
        console.press(f":operation {first}\r")
        console.wait_for(rf"▸ +{first} .*Set category")
        console.wait_for(rf"Set category #{first}")
        console.press("u")
        console.wait_for(r"will be acted on|can be acted on")
        console.press("y")
        console.wait_for(r"28 done")
        assert person.json("items", "count", "support_tasks", "-q", "category:money")["count"] == 1

        console.press("q")
        console.press("q")
        assert console.wait_for_exit() == 0
    assert "intact" in person.qd("audit", "verify")
