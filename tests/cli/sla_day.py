"""What somebody who answers for service levels does on the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.cli.lines import Shell

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "policy.toml"
WRITTEN = """
name = "Prompt"
resource = "returns"
settings.targets = [{ priority = "normal", first_response_minutes = 60, resolution_minutes = 480 }]
settings.escalation = [{ percent = 1, act = "assign", assignee = "lead" }]
"""


def make_policies(shell: Shell) -> str:
    """Its number."""
    assert "qd sla create FILE" in shell("sla", "policies").err
    said = shell("sla", "create", str(EXAMPLE)).out
    assert "Made policy 1." in said
    assert "public holidays of SE" in said
    assert "after 75% of the resolution: suggest raise the priority" in said
    assert "is for the same items already" in shell("sla", "create", str(EXAMPLE), code=1).err
    Path("prompt.toml").write_text(WRITTEN)
    words = ("sla", "create", "prompt.toml", "--tenant", "acme", "--effective-from", "2020-01-01T00:00:00Z")
    made = shell.json(*words)
    assert (made["resource"], made["tenant_id"], made["effective_from"][:4]) == ("returns", "acme", "2020")
    assert [each["name"] for each in shell.json("sla", "policies")["items"]] == ["Prompt", "Standard"]
    assert "Europe/Stockholm" in shell("sla", "policies").out
    return str(made["id"])


def change_one(shell: Shell, number: str) -> None:
    shown = shell.json("sla", "show", number)
    shown["settings"]["targets"][0]["resolution_minutes"] = 240
    Path("prompt.json").write_text(json.dumps(shown))
    changed = shell("sla", "change", number, "--file", "prompt.json", "--reason", "the contract says so").out
    assert "its version is 2" in changed
    again = shell("sla", "change", number, "--file", "prompt.json", code=1).err
    assert f"Policy {number} (Prompt) has changed since you looked, by" in again, "the file is older than the policy"
    assert "4h 00m" in changed
    assert not shell.json("sla", "change", "1", "--off")["enabled"]
    assert "Standard (off)" in shell("sla", "policies").out


def watch_clocks(shell: Shell) -> None:
    item = str(shell.json("items", "add", "returns", "--title", "Broken lid", "--tenant", "acme")["ids"][0])
    found = shell.json("sla", "clocks", "returns", item)
    assert [(each["target"], each["state"]) for each in found["clocks"]] == [
        ("first_response", "running"),
        ("resolution", "running"),
    ]
    said = shell("sla", "clocks", "returns", item).out
    assert "Prompt v2" in said
    assert "4h 00m" in said
    assert "promises anything" in shell("sla", "clocks", "support_tasks", "1").err
    assert "none differs" in shell("sla", "replay").out
    _alter(shell, "UPDATE sla_clocks SET due_at = due_at + 60000 WHERE target = 'resolution'")
    said = shell("sla", "replay", "returns", code=1).out
    assert f"returns {item}, resolution: kept running" in said
    assert "those of 1 item differ" in said
    assert shell.json("sla", "replay", "--write")["written"] == 1
    assert shell.json("sla", "replay")["differing"] == 0
    hour = 3_600_000
    _alter(shell, f"UPDATE sla_clocks SET soon_at = soon_at - {5 * hour} WHERE target = 'resolution'")
    (near,) = shell.json("sla", "at-risk", "--tenant", "acme")["items"]
    assert (str(near["item_id"]), near["target"]) == (item, "resolution")
    assert "Broken lid" in shell("sla", "at-risk").out
    assert shell("sla", "at-risk", "--priority", "urgent").err == "Nothing falls due soon.\n"


def _alter(shell: Shell, statement: str) -> None:
    """What no command does: a store that is not as it should be."""
    with sqlite3.connect(shell.home.store, timeout=10) as store:
        store.execute(statement)
    store.close()


def look_back(shell: Shell) -> None:
    found: dict[str, Any] = shell.json("sla", "compliance", "--days", "7", "--resource", "returns")
    assert (found["met"], found["breached"]) == (0, 0)
    assert "No promise came to a verdict" in shell("sla", "compliance", "--target", "first_response").out
    assert "Nothing ended" in shell("sla", "resolution-time").out
    assert shell("sla", "breaches", "--resource", "returns").err == "No promise was broken.\n"
    assert shell.json("sla", "breaches", "--days", "7", "--end", "2026-01-01T00:00:00Z")["items"] == []
    assert shell.json("sla", "resolution-time", "--end", "2026-01-01T00:00:00Z")["ended"] == 0


def tell_people(shell: Shell) -> None:
    step = '{ percent = 100, act = "notify", does = "do", channels = ["on-call"] }'
    written = WRITTEN.replace("returns", "exceptions").replace("escalation = [", f"escalation = [{step}, ")
    Path("tell.toml").write_text(written)
    said = shell("sla", "create", "tell.toml", code=None).err
    assert "There is no channel on-call for every tenant; qd alerts channels list says which there are." in said
    shell("alerts", "channels", "add", "webhook", "on-call", "--url", "https://hooks.invalid/x")
    made = shell.json("sla", "create", "tell.toml")
    assert "after 100% of the resolution: do notify on-call" in shell("sla", "show", str(made["id"])).out
    shell("sla", "delete", str(made["id"]), "--yes")
    shell("alerts", "channels", "delete", "on-call")


def whole_day(shell: Shell) -> None:
    number = make_policies(shell)
    change_one(shell, number)
    watch_clocks(shell)
    look_back(shell)
    tell_people(shell)
    assert "Give --yes" in shell("sla", "delete", number, code=1).err
    assert shell.json("sla", "delete", number, "--yes")["name"] == "Prompt"
