"""Somebody who bills: what was used comes in while one looks, down to one tenant, and into a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.person import Person

pytestmark = pytest.mark.timeout(120)


def test_from_posted_events_to_the_file_that_is_billed_from(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    events = tmp_path / "usage.jsonl"
    posted = [
        {"source": "sms", "id": str(number), "tenant_id": tenant, "resource_type": "sms_sent", "quantity": number}
        for number, tenant in enumerate(["acme"] * 30 + ["globex"] * 10, 1)
    ]
    events.write_text("".join(json.dumps(event) + "\n" for event in posted))
    person.qd("usage", "record", "--file", events)
    person.qd("usage", "set-limit", "sms_sent", "500")

    with person.console() as console:
        console.wait_for(r"Nothing|filters")
        console.press("$")
        console.wait_for(r"sms_sent +820 ")
        console.wait_for(r"✕ 93%|! 93% of 500")
        console.wait_for(r"globex +sms_sent +355 ")

        # What is used while one looks comes in by itself.
        person.qd("usage", "record", "sms_sent", "35", "--tenant", "acme", "--id", "late", "--source", "sms")
        console.wait_for(r"acme +sms_sent +500 ")
        console.wait_for(r"✕ 100% of 500 · acme")
        console.wait_for(r"1 limit used up")

        # Down to one tenant, and what is seen of it into a file.
        console.press("o")
        console.wait_for(r"most used first")
        console.wait_for(r"▸ +acme +sms_sent +500 ")
        console.press("\r")
        console.wait_for(r"tenant acme")
        console.wait_for(r"rows, newest first")
        console.press("e")
        console.wait_for(r"Export usage as")
        console.press("\r")
        console.wait_for(r"Usage is in usage-\d{4}-\d\d-acme\.csv")

    (made,) = tmp_path.glob("usage-*.csv")
    with made.open(newline="") as file:
        rows = list(csv.DictReader(file))
    # Looking at a tenant is a call that names it.
    assert {row["resource_type"]: row["quantity"] for row in rows if row["resource_type"] != "api_calls"} == {
        "sms_sent": "500"
    }
    assert not list(tmp_path.glob("*.part"))
