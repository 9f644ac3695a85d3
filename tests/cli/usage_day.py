"""What somebody who bills does on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.cli.lines import Shell


def whole_day(shell: Shell) -> None:
    assert "set one with" in shell("usage", "limits").err
    assert "Recorded." in shell("usage", "record", "sms_sent", "30", "--tenant", "acme", "--id", "a").out
    assert "nothing changed" in shell("usage", "record", "sms_sent", "30", "--tenant", "acme", "--id", "a").out
    events = [{"id": f"n{number}", "resource_type": "sms_sent", "quantity": 2} for number in (1, 2, 2, 3)]
    Path("usage.jsonl").write_text("\n".join(map(json.dumps, events)))
    made = shell.json("usage", "record", "--file", "usage.jsonl", "--tenant", "globex", "--source", "=gateway")
    assert (made["recorded"], made["duplicates"]) == (3, 1)
    assert "TYPE, or a --file" in shell("usage", "record", code=2).err
    assert "--tenant" in shell("usage", "record", "sms_sent", code=2).err

    limit = shell.json("usage", "set-limit", "sms_sent", "60", "--tenant", "acme")
    mistyped = shell("usage", "set-limit", "sms_sent", "60", "--tenant", "acmee")
    assert "No item is of a tenant acmee yet; look whether it is spelt so." in mistyped.err
    shell("usage", "set-limit", "sms_sent", "1000", "--period", "day")
    assert "(every other)" in shell("usage", "limits").out
    found = shell.json("usage", "summary", "--type", "sms_sent")
    assert [(each["resource_type"], each["quantity"]) for each in found["totals"]] == [("sms_sent", 36)]
    nearest = found["limits"][0]
    assert (nearest["tenant_id"], nearest["used"], nearest["percent"]) == ("acme", 30, 50.0)
    said = shell("usage", "summary").out
    assert "items_ingested" in said
    assert "50%" in said
    shell("usage", "delete-limit", str(limit["id"]))

    rows = shell.json("usage", "details", "--by-tenant", "--type", "sms_sent")["items"]
    assert [(each["tenant_id"], each["quantity"]) for each in rows] == [("acme", 30), ("globex", 6)]
    assert "36" in shell("usage", "details", "--type", "sms_sent", "--step", "month").out
    assert "Nothing was used" in shell("usage", "details", "--tenant", "nobody").err
    shell("usage", "export", "--type", "sms_sent", "-o", "usage.csv")
    written = list(csv.DictReader(Path("usage.csv").read_text().splitlines()))
    assert [(each["tenant_id"], each["quantity"]) for each in written] == [("acme", "30"), ("globex", "6")]
    shell("usage", "export", "--together", "--step", "week", "-o", "usage.json", "--type", "sms_sent")
    assert [each["quantity"] for each in json.loads(Path("usage.json").read_text())] == [36]
