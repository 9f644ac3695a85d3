"""The whole loop of machine work, on both stores: enqueued, worked on, failed, handed to people, replayed, done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.config.home import Home
from quarterdeck.contract.operations import items, runs
from tests.support.person import Person
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.timeout(300)

WORKER = """
import asyncio, pathlib, sys
from quarterdeck.worker import Failed, Worker, run

down = pathlib.Path("down")
worker = Worker("refunds", name=sys.argv[1], lease_seconds=5, concurrency=8, health_port=0)

@worker.handles("refund.send")
async def send(job):
    job.log(f"order {job.payload['order']}, attempt {job.attempt}")
    if down.exists():
        raise ConnectionError(f"The provider did not answer for order {job.payload['order']}.")
    if not isinstance(job.payload["amount"], (int, float)):
        raise Failed(f"Order {job.payload['order']} has no amount.", code="no_amount", error_class="validation")
    if "slow" in job.payload and job.attempt == 1:
        await asyncio.sleep(600)
    return {"paid": job.payload["amount"]}

run(worker)
"""


@pytest.fixture
def on_call(engine_home: Home, store_kind: str, request: pytest.FixtureRequest) -> Person:
    """Somebody whose engine has an empty store of that kind."""
    if store_kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        engine_home.config.write_text(f"[store]\nurl = {json.dumps(server.database())}\n")
    (engine_home.path / "worker.py").write_text(WORKER)
    return Person(engine_home)


@contextmanager
def worker(home: Home, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process, ended in good order unless somebody has killed it."""
    process = subprocess.Popen(
        [sys.executable, "worker.py", name],
        cwd=home.path,
        env={**os.environ, "QUARTERDECK_HOME": str(home.path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGKILL)


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def test_from_the_first_failure_to_the_last_retry(on_call: Person) -> None:
    home, qd = on_call.home, on_call.json
    down = home.path / "down"
    down.touch()
    orders = home.path / "orders.jsonl"
    bad = (7, 14, 21)
    lines = [{"payload": {"order": n, "amount": None if n in bad else n / 2}} for n in range(1, 41)]
    orders.write_text("".join(json.dumps(line) + "\n" for line in lines))
    qd("queues", "create", "refunds", "--max-attempts", "2", "--backoff-base", "0")
    assert qd("runs", "enqueue", "refunds", "refund.send", "--file", orders)["created"] == 40

    def counted(query: str, resource: str = "dead_letters") -> int:
        return int(on_call.call(items.COUNT, resource=resource, query={"filter": query})["count"])

    def exceptions(status: str) -> int:
        return counted(f"status:{status}", "exceptions")

    with worker(home, "loop-1") as first, on_call.console(columns=110, lines=32) as console:
        console.wait_for(r"0 matching")
        # The provider is down: everything dies of it, and each is handed to a person.
        console.press("f8")
        console.wait_for(r"40 matching", seconds=90)
        assert exceptions("open") == 40
        (group,) = qd("dlq", "groups")["items"]
        assert (group["count"], group["error_class"]) == (40, "network")

        # It is back. What was wrong all along dies again, for a reason of its own.
        down.unlink()
        on_call.qd("dlq", "retry", "-q", f"group:{group['group']}", "--yes", "--wait")
        until(lambda: (counted("status:succeeded"), counted("status:pending")) == (37, 3))
        console.wait_for(r"● succeeded")
        console.press(":exceptions status:open\r")
        console.wait_for(r"3 matching")
        assert (exceptions("resolved"), exceptions("open")) == (37, 3)

        # One is put right, one is given up, one fails until somebody has to look.
        edited, given_up, stubborn = (
            str(letter["id"]) for letter in qd("dlq", "list", "-q", "status:pending", "--oldest-first")["items"]
        )
        on_call.qd("dlq", "retry", edited, "--payload", '{"order": 7, "amount": 3.5}', "--reason", "asked the shop")
        on_call.qd("dlq", "discard", given_up, "--reason", "paid by hand", "--yes")
        until(lambda: counted("status:succeeded") == 38)
        for _ in range(2):
            on_call.qd("dlq", "retry", stubborn)
            until(lambda: counted(f"id:{stubborn} status:pending") == 1)
        console.press("/", "ctrl+u")
        console.wait_for("leave as it was")
        console.press("status:needs_manual_review,cancelled,resolved\r")
        console.wait_for(r"40 matching")
        assert (exceptions("needs_manual_review"), exceptions("cancelled"), exceptions("resolved")) == (1, 1, 38)
        shown = qd("dlq", "show", edited)
        assert shown["payload"]["amount"] == 3.5
        assert [step["path"] for step in shown["edits"][0]["patch"]] == ["/amount"]
        assert len(shown["attempts"]) == 4, "two before, one that failed for good, one that did it"

        # The worker is killed with a run in its hands: another one has it, and the attempt says so.
        slow = str(
            qd("runs", "enqueue", "refunds", "refund.send", "--payload", '{"order": 99, "amount": 1, "slow": 1}')[
                "ids"
            ][0]
        )
        until(lambda: on_call.call(runs.SHOW, id=int(slow))["run"]["status"] == "active")
        first.kill()
        with worker(home, "loop-2"):
            said = on_call.qd("runs", "logs", slow, "--follow")
            assert "order 99, attempt 2" in said
            found = qd("runs", "show", slow)
            assert [attempt["outcome"] for attempt in found["attempts"]] == ["lost", "completed"]
            assert [attempt["worker"] for attempt in found["attempts"]] == ["loop-1", "loop-2"]
            console.press("f9")
            console.wait_for(r"loop-2")
        console.press("f6")
        console.wait_for(r"refunds")
        console.press("ctrl+q")
        assert console.wait_for_exit() == 0
    figures = qd("queues", "show", "refunds")
    assert (figures["completed"], figures["active"], figures["waiting"], figures["failed"]) == (39, 0, 0, 0)
    assert "intact" in on_call.qd("audit", "verify")


def test_out_of_one_store_and_into_another(on_call: Person, tmp_path: Path) -> None:
    """Exported lines are what an import takes, and the second import changes nothing."""
    letters = [
        {
            "queue": "refunds",
            "event_type": "refund.send",
            "tenant_id": f"tenant-{n % 3}",
            "payload": {"order": n, "text": "\u202e naughty \x1b[31m", "deep": [[[n]]]},
            "metadata": {"host": "old"},
            "error_code": str(500 + n % 4),
            "error_message": f"It did not work for order {n}.",
            "source_id": f"evt_{n}",
            "died_at": f"2026-01-31T08:00:{n % 60:02}Z",
        }
        for n in range(1_500)
    ]
    file, back = tmp_path / "letters.jsonl", tmp_path / "back.jsonl"
    file.write_text("".join(json.dumps(letter) + "\n" for letter in letters))
    on_call.qd("queues", "create", "refunds", "--no-exceptions")
    assert on_call.json("dlq", "import", file) == {"created": 1_500, "existing": 0, "lines": 1_500}
    on_call.qd("dlq", "export", "-o", back)
    assert on_call.json("dlq", "import", back) == {"created": 0, "existing": 1_500, "lines": 1_500}
    exported = [json.loads(line) for line in back.read_text(encoding="utf-8").splitlines()]
    assert [{name: each[name] for name in letters[0]} for each in exported] == letters
    assert on_call.json("dlq", "stats")["totals"]["pending"] == 1_500
    assert [group["count"] for group in on_call.json("dlq", "groups")["items"]] == [375] * 4
    assert on_call.json("dlq", "count", "-q", '"order 1499"')["count"] == 1
