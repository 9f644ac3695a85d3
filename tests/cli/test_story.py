"""A day on the command line, against a real engine: every operation of the API is used by some command."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.contract.operations import OPERATIONS, Operation
from tests.cli import alerts_day, channels_day, sla_day, usage_day
from tests.cli.lines import Shell
from tests.cli.machine_day import whole_day

MAPPING = """
[item]
external_id = "id"
tenant_id = "tenant"
title = "subject"
priority = "priority"
"""
ROWS = "id,tenant,subject,priority\n" + "".join(f"T-{n},acme,ticket {n},normal\n" for n in range(1, 41))


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the operations that commands have called."""
    names: set[str] = set()

    def noting(method: str, name_of: Callable[..., str]) -> None:
        original = getattr(Client, method)

        def noted(self: Client, *given: Any, **named: Any) -> Any:
            names.add(name_of(*given))
            return original(self, *given, **named)

        monkeypatch.setattr(Client, method, noted)

    def of(op: Operation, *_: Any) -> str:
        return op.name

    for method in ("call", "stream", "text"):
        noting(method, of)
    noting("watch", lambda *_: "bulk.watch")
    noting("watch_run", lambda *_: "runs.watch")
    noting("events", lambda: "system.events")
    return names


async def one_message(_: Client) -> AsyncIterator[dict[str, str]]:
    yield {"type": "connected"}


def test_a_day_on_the_command_line(
    shell: Shell, used: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shell("engine", "status", code=3)
    assert shell.json("engine", "start")["pid"] > 0
    assert shell.json("engine", "status")["state"] == "running"
    assert "quarterdeck_" in shell("engine", "metrics").out
    assert shell.json("engine", "health")["ready"]["status"] == "ok"

    Path("map.toml").write_text(MAPPING)
    Path("tickets.csv").write_text(ROWS)
    dry = shell.json("import", "support_tasks", "tickets.csv", "--mapping", "map.toml", "--dry-run")
    assert (dry["created"], dry["dry_run"]) == (40, True)
    assert shell("items", "count", "support_tasks").out == "0\n"
    assert shell.json("import", "support_tasks", "tickets.csv", "--mapping", "map.toml")["created"] == 40
    again = shell.json("import", "support_tasks", "tickets.csv", "--mapping", "map.toml")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 40)
    Path("tickets.csv").write_text(ROWS.replace("ticket 7,normal", "ticket seven,high"))
    changed = shell.json("import", "support_tasks", "tickets.csv", "--mapping", "map.toml")
    assert (changed["updated"], changed["unchanged"]) == (1, 39)

    listed = shell.json("items", "list", "support_tasks", "--limit", "3")
    assert len(listed["items"]) == 3
    assert listed["items"][0]["title"] == "ticket seven"
    assert listed["next"]
    assert "acme" in shell("items", "values", "support_tasks").out

    taken = shell.json("items", "claim-next", "support_tasks", "-q", "tenant:acme")
    item = str(taken["item"]["id"])
    assert taken["item"]["title"] == "ticket seven"
    assert shell.json("items", "renew", "support_tasks", item)["claimed_until"]
    shell("items", "comment", "support_tasks", item, "--body", "looked at it")
    shown = shell.json("items", "show", "support_tasks", item)
    assert shown["events"][0]["body"] == "looked at it"
    moved = shell.json("items", "set-priority", "support_tasks", item, "--priority", "urgent")
    back = shell.json("items", "undo", "support_tasks", item, str(moved["event_id"]))
    assert back["item"]["priority"] == "high"
    shell("items", "skip", "support_tasks", item, "--reason", "not mine")
    made = shell.json("items", "add", "support_tasks", "--title", "by hand", "--tenant", "acme")
    assert len(made["ids"]) == 1
    assert shell.json("items", "select", "support_tasks", "-q", "status:open", "--except", item)["count"] == 40

    draft = shell.json("bulk", "preview", "support_tasks", "assign", "-q", "tenant:acme", "--set", "assignee=ana")
    assert draft["operation"]["eligible"] == 41
    drafted = str(draft["operation"]["id"])
    done = shell.json("bulk", "confirm", drafted, "--yes", "--wait")
    assert (done["status"], done["succeeded"]) == ("completed", 41)
    assert shell.json("bulk", "show", drafted)["operation"]["succeeded"] == 41
    assert len(shell.json("bulk", "items", drafted, "--outcome", "succeeded")["items"]) == 41
    shell("bulk", "export", drafted, "-o", "results.csv")
    assert len(list(csv.DictReader(Path("results.csv").read_text().splitlines()))) == 41
    undone = shell.json("bulk", "undo", drafted, "--yes", "--wait")
    assert undone["succeeded"] == 41
    assert shell("items", "count", "support_tasks", "-q", "assignee:ana").out == "0\n"
    assert len(shell.json("bulk", "list")["items"]) == 2
    shell("bulk", "retry-failed", drafted, "--yes", code=None)
    shell("bulk", "resume", drafted, code=1)
    waiting = shell.json("bulk", "preview", "support_tasks", "resolve", "--id", item)
    assert shell.json("bulk", "cancel", str(waiting["operation"]["id"]))["status"] == "cancelled"

    words = ("support_tasks", "set-priority", "-q", "title", "--set", "priority=low")
    saved = shell.json("bulk", "template", "save", "calm", *words)
    assert [each["name"] for each in shell.json("bulk", "template", "list")["items"]] == ["calm"]
    shell("bulk", "template", "delete", str(saved["id"]))

    entries = shell.json("audit", "list", "--action", "bulk.finished")["items"]
    assert len(entries) == 2
    whole_day(shell)
    sla_day.whole_day(shell)
    usage_day.whole_day(shell)
    channels_day.whole_day(shell)
    alerts_day.whole_day(shell)
    assert shell.json("audit", "verify")["intact"]

    shell("export", "support_tasks", "-q", "priority:high", "--format", "json", "-o", "out.json")
    assert [each["title"] for each in json.loads(Path("out.json").read_text())] == ["ticket seven"]
    assert shell("export", "support_tasks").out.count("\n") == 42

    with monkeypatch.context() as patch:
        patch.setattr("quarterdeck.client.live.events", one_message)
        assert shell("engine", "events").out.strip() == "connected"
    assert shell("engine", "logs", "-n", "1").out.count("\n") == 1
    assert shell.json("engine", "stop")["state"] == "stopped"
    assert "not running" in shell("engine", "status", code=3).out

    assert set(OPERATIONS) - used == set(), "operations no command reaches"
