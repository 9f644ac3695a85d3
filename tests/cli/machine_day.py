"""What somebody on call does on the command line: a queue, its runs, what died, and who does the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.lines import Shell


def leased(shell: Shell, count: int = 1) -> list[dict[str, Any]]:
    """Runs that this shell now works on."""
    found = shell.json("queues", "lease", "refunds", "--worker", "shell-1", "--count", str(count))
    items: list[dict[str, Any]] = found["items"]
    return items


def proof(run: dict[str, Any]) -> tuple[str, ...]:
    return (str(run["id"]), "--attempt", str(run["attempt"]), "--lease-token", run["lease_token"])


def die(shell: Shell, run: dict[str, Any], code: str = "amount_too_high") -> None:
    told = shell.json(
        *("runs", "fail", *proof(run), "--class", "validation", "--code", code, "-m", f"Order {run['id']} refused.")
    )
    assert told["status"] == "dead"


def make_a_queue(shell: Shell) -> None:
    made = shell.json(
        "queues", "create", "refunds", "--concurrency", "50", "--backoff-base", "0", "--keep-dead-days", "9"
    )
    assert made["settings"]["keep"]["dead_days"] == 9
    changed = shell.json("queues", "change", "refunds", "--max-attempts", "3", "--rate-per-second", "500")
    assert (changed["settings"]["max_attempts"], changed["settings"]["rate_per_second"]) == (3, 500)
    assert shell.json("queues", "change", "refunds", "--rate-per-second", "none")["settings"]["rate_per_second"] is None
    assert shell.json("queues", "pause", "refunds", "--reason", "the provider moves")["paused"]
    assert "paused" in shell("queues", "list").out
    assert "the provider moves" in shell("queues", "show", "refunds").out
    assert not shell.json("queues", "resume", "refunds")["paused"]


def enqueue(shell: Shell) -> None:
    one = ("runs", "enqueue", "refunds", "refund.send", "--payload", '{"order": 0}', "--unique-key", "order-0")
    first = shell.json(*one)
    assert first["created"] == 1
    assert shell.json(*one)["existing"] == first["ids"]
    file = Path("runs.jsonl")
    file.write_text("".join(json.dumps({"payload": {"order": n}, "tenant_id": "acme"}) + "\n" for n in range(1, 1_201)))
    words = ("runs", "enqueue", "refunds", "refund.send", "--file", str(file), "--key", "morning")
    made = shell.json(*words)
    assert made["created"] == 1_200
    assert shell.json(*words) == made, "the same key again is the same runs"
    assert shell.json("runs", "count", "-q", "queue:refunds")["count"] == 1_201
    listed = shell.json("runs", "list", "-q", "tenant:acme", "--limit", "700", "--oldest-first")
    assert [run["id"] for run in listed["items"]][:2] == [made["first_id"], made["first_id"] + 1]
    assert len(listed["items"]) == 700


def work_and_fail(shell: Shell) -> None:
    first, second, third, *more = leased(shell, 8)
    assert not shell.json("runs", "heartbeat", *proof(first), "--progress", "0.5")["cancel"]
    assert shell.json("runs", "log", *proof(first), "one", "two", "--level", "warning")["kept"] == 2
    assert shell.json("runs", "complete", *proof(first), "--result", '{"paid": true}')["status"] == "completed"
    assert [
        json.loads(line)["text"] for line in shell("runs", "logs", str(first["id"]), "--json").out.splitlines()
    ] == [
        "one",
        "two",
    ]
    assert "completed" in shell("runs", "logs", str(first["id"]), "--follow").err
    shown = shell("runs", "show", str(first["id"])).out
    assert '"paid": true' in shown
    assert "shell-1" in shown
    assert shell.json("runs", "give-back", *proof(second))["attempt"] == 1
    assert "lease" in shell("runs", "complete", *proof(second), code=1).err
    assert shell.json("runs", "fail", *proof(third), "-m", "busy", "--retry-after", "600")["status"] == "failed"
    assert shell.json("runs", "run-now", str(third["id"]))["run"]["status"] == "waiting"
    for run in more:
        die(shell, run)
    some = [str(run["id"]) for run in leased(shell, 2)]
    assert len(shell.json("runs", "cancel", *some, "99999", code=5)["failed"]) == 1
    stopped = shell.json("runs", "cancel", "-q", "queue:refunds status:waiting", "--yes", "--wait")
    assert stopped["succeeded"] > 1_000


def replay(shell: Shell) -> None:
    letters = shell.json("dlq", "list", "-q", "queue:refunds")["items"]
    assert len(letters) == 5
    (group,) = shell.json("dlq", "groups")["items"]
    assert (group["count"], group["error_code"]) == (5, "amount_too_high")
    assert "5 × amount_too_high from refunds" in shell("dlq", "groups").out
    first, second, third = (str(letter["id"]) for letter in letters[:3])
    assert "refused" in shell("dlq", "show", first).out
    edited = shell.json("dlq", "retry", first, "--payload", '{"order": 7, "amount": 1}', "--reason", "typing mistake")
    assert (edited["dead_letter"]["status"], edited["payload"]["amount"]) == ("retrying", 1)
    (again,) = leased(shell)
    assert again["payload"] == {"order": 7, "amount": 1}
    shell("runs", "complete", *proof(again))
    assert shell.json("dlq", "show", first)["dead_letter"]["status"] == "succeeded"

    assert "give --yes" in shell("dlq", "discard", second, "--reason", "paid by hand", code=1).err
    assert (
        shell.json("dlq", "discard", second, "--reason", "paid by hand", "--yes")["dead_letter"]["status"]
        == "discarded"
    )
    assert shell.json("dlq", "reopen", second)["dead_letter"]["status"] == "pending"
    words = ("dlq", "retry", "-q", f"group:{group['group']} status:pending", "--rate", "100")
    assert "Give --yes" in shell(*words, code=1).err
    assert shell.json(*words, "--except", third, "--yes", "--wait")["succeeded"] == 3
    shell("bulk", "run", "dead_letters", "retry", "-q", "status:pending", "--yes", "--wait")
    assert shell.json("dlq", "count", "-q", "status:retrying")["count"] == 4
    dead = shell.json("bulk", "run", "runs", "retry", "-q", "status:dead", "--yes", "--wait", code=None)
    assert dead["resource"] == "runs"


def out_and_in(shell: Shell) -> None:
    added = shell.json("dlq", "add", "refunds", "refund.send", "--code", "503", "-m", "away", "--source-id", "evt_1")
    assert shell.json("dlq", "add", "refunds", "refund.send", "--source-id", "evt_1")["existing"] == added["ids"]
    shell("dlq", "export", "-q", "source:evt_1", "-o", "letters.jsonl")
    assert shell.json("dlq", "import", "letters.jsonl") == {"created": 0, "existing": 1, "lines": 1}
    line = json.loads(Path("letters.jsonl").read_text())
    Path("others.jsonl").write_text(json.dumps({**line, "source_id": "evt_2"}) + "\n{}\n")
    said = shell("dlq", "import", "others.jsonl", code=5)
    assert "line 2: queue: is missing" in said.err
    assert "Go on with --skip 1" in said.err
    letter = shell.json("dlq", "show", str(added["ids"][0]))["dead_letter"]
    retried = shell.json("items", "retry", "exceptions", str(letter["exception_id"]))
    assert retried["item"]["status"] == "retrying"
    assert shell.json("dlq", "show", str(letter["id"]))["dead_letter"]["status"] == "retrying"
    stats = shell.json("dlq", "stats", "--period", "hour")
    assert sum(stats["totals"][state] for state in ("pending", "retrying", "succeeded", "discarded")) == 7
    assert "refunds" in shell("dlq", "stats").out


def look_after_workers(shell: Shell) -> None:
    assert [each["name"] for each in shell.json("workers")["instances"]] == ["shell-1"]
    assert "shell-1" in shell("workers", "list").out
    assert sum(point["completed"] for point in shell.json("workers", "throughput", "--window", "5m")["points"]) >= 2
    assert "attempts take" in shell("workers", "latency", "--queue", "refunds").out
    assert "amount_too_high" in shell("workers", "errors").out
    assert "refunds" in shell("queues", "delete", "refunds", "--yes", code=1).err
    shell("queues", "create", "spare")
    assert shell.json("queues", "delete", "spare", "--yes")["name"] == "spare"
    assert (
        "no run that may start now"
        in shell("queues", "lease", "refunds", "--worker", "x", "--kind", "other", code=4).err
    )


def whole_day(shell: Shell) -> None:
    make_a_queue(shell)
    enqueue(shell)
    work_and_fail(shell)
    replay(shell)
    out_and_in(shell)
    look_after_workers(shell)
