"""An on-call operator: a provider is down, runs die of it, and when it is back all of them are sent again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import dead_letters, runs
from tests.support.hostile import TEXTS, control_bytes
from tests.support.person import Person

pytestmark = pytest.mark.timeout(240)
TOP = Path(__file__).resolve().parents[2]

CONFIG = """
[engine]
handler_modules = ["tests.support.refunds"]

[queues.refunds-api]
handler = "python"
target = "tests.support.refunds:send"
max_attempts = 2
backoff = { base = 0.1, factor = 1.0, cap = 0.1 }
"""


@pytest.fixture
def provider(engine_home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Down as long as this file is there."""
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    engine_home.config.write_text(CONFIG)
    down = engine_home.path / "down"
    down.touch()
    return down


def with_engine(home: Home, work: Callable[[Client], Any]) -> Any:
    async def run() -> Any:
        client = await connect(home)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def enqueue(home: Home, payloads: list[dict[str, Any]]) -> list[int]:
    made = [{"queue": "refunds-api", "kind": "refund.send", "payload": payload} for payload in payloads]

    async def work(client: Client) -> Any:
        return (await client.call(runs.ENQUEUE, body={"runs": made}))["ids"]

    ids: list[int] = with_engine(home, work)
    return ids


def test_the_provider_was_down_and_is_back(person: Person, provider: Path) -> None:
    enqueue(person.home, [{"order": number, "down": str(provider), "token": "t-1"} for number in range(1, 31)])
    with person.console(columns=100, lines=30) as console:
        console.wait_for(r"0 matching")
        console.press("f8")
        console.wait_for(r"30 matching", seconds=60)
        console.wait_for(r"○ pending")

        # What happened to one of them: attempts, error, payload without its secrets.
        console.press("enter")
        console.wait_for(r"#1 ✕ failed")
        console.wait_for(r"503 rate_limit: Service unavailable for order")
        console.press("p")
        console.wait_for(r"· payload")
        console.wait_for(r'token: "••••••"')
        console.press("j", "Y")
        console.wait_for(r"Copied \.order")
        assert b"\x1b]52;c;Lm9yZGVy\x07" in console.raw
        console.press("q")
        console.wait_for(r"30 matching")

        # Its run, and what that wrote.
        console.press("R")
        console.wait_for(r"run #\d+")
        console.wait_for(r"try 2 of 2")
        console.press("l")
        console.wait_for(r"attempt 2")
        console.wait_for(r"refund \d+, attempt 2")
        console.press("q")
        console.wait_for(r"try 2 of 2")
        console.press("q")
        console.wait_for(r"30 matching")

        # They died of one thing: all of it again, now that the provider is back.
        provider.unlink()
        console.press("E")
        console.wait_for(r"30 ×")
        console.press("A")
        console.wait_for(r"30 marked")
        console.press("r")
        console.wait_for(r"Retry: 30 dead letters")
        console.press("enter")
        console.wait_for(r"30 will be acted on")
        console.press("y")
        console.wait_for(r"Retry #\d+: 30 done")
        console.wait_for(r"● succeeded", seconds=60)
        console.press("/", "ctrl+u")
        console.wait_for("leave as it was")
        console.press("status:succeeded\r")
        console.wait_for(r"30 matching", seconds=60)
        console.press("ctrl+q")

    async def look(client: Client) -> Any:
        return (await client.call(dead_letters.STATS))["totals"]

    totals = with_engine(person.home, look)
    assert (totals["succeeded"], totals["pending"]) == (30, 0)


def test_one_that_can_never_work_is_changed_and_sent(person: Person, provider: Path) -> None:
    enqueue(person.home, [{"order": "4711", "down": str(provider)}])
    with person.console(columns=100, lines=30) as console:
        console.wait_for(r"0 matching")
        console.press("f8")
        console.wait_for(r"○ pending", seconds=60)
        console.press("e")
        console.wait_for(r"F2 see the difference")
        console.press("down", "down", "end")
        console.press(*["backspace"] * (len(json.dumps(str(provider)))), '"/nowhere"', "f2")
        console.wait_for(r'\+ +"down": "/nowhere"')
        console.press("y")
        console.wait_for(r"Edit and retry: dead letter #1 is retrying")
        console.wait_for(r"● succeeded", seconds=60)
        console.press("enter")
        console.wait_for(r"retried 1 ×|#3 ● completed")
        console.press("ctrl+q")


def test_an_exception_hands_it_to_a_person_and_tells_the_whole_story(person: Person, provider: Path) -> None:
    enqueue(person.home, [{"order": "4711", "down": str(provider)}])
    with person.console(columns=140, lines=50) as console:
        console.wait_for(r"0 matching")
        console.press(":")
        console.wait_for("Go to")
        console.press("exceptions\r")
        console.wait_for(r"refunds-api: 503: Service unavail", seconds=60)
        console.press("enter")
        console.wait_for(r"dead letter #1 · d shows it")
        console.wait_for(r"#2 ✕ failed")
        console.wait_for(r"Run 1, attempt 2")

        # Once more in vain, then for good.
        console.press("r")
        console.wait_for(r"Retry: #1 is retrying|#1 is open")
        console.wait_for(r"retried 1 ×", seconds=60)
        console.wait_for(r"The retry died", seconds=60)
        console.wait_for(r"▸ [^\n│]*○ open", seconds=60)  # the row too, which keys go by
        provider.unlink()
        console.press("r")
        console.wait_for(r"● resolved", seconds=60)
        console.press("d")
        console.wait_for(r"● succeeded")
        console.press("R")
        console.wait_for(r"run #3")
        console.wait_for(r"● completed")
        console.press("q")
        console.wait_for(r"dead letter #1")
        console.press("q")
        console.wait_for(r"exceptions")
        console.press("ctrl+q")


def test_nothing_hostile_in_machine_work_reaches_the_terminal(person: Person, provider: Path) -> None:
    """Payloads, logs, errors, kinds, tracebacks: in lists, details, trees, logs, groups, editors and dialogs."""
    texts = [text for text in TEXTS if text.strip()]
    enqueue(
        person.home,
        [{"order": text, "down": str(provider), "says": text, "error": text, text[:300]: [text]} for text in texts],
    )
    with person.console(columns=120, lines=40) as console:
        console.wait_for(r"0 matching")
        console.press("f8")
        console.wait_for(rf"{len(texts)} matching", seconds=90)
        console.press("enter")
        for n in range(len(texts)):
            console.press("j")
            console.settle(quiet=0.05)
            if n % 6 == 0:
                console.press("p")
                console.wait_for(r"· payload")
                console.press(*"jjjjjjjj", "G")
                console.settle(quiet=0.05)
                console.press("q", "e")
                console.wait_for(r"F2 see the difference|too many")
                console.press("x", "f2", "esc")
                console.wait_for("another esc")
                console.press("esc")
                console.wait_for("Nothing was done")
        console.press("E")
        console.wait_for(r"groups")
        for _ in range(40):
            console.press("j")
        console.settle(quiet=0.1)
        console.press("f7")
        console.wait_for(r"matching")
        for _ in range(0, len(texts), 8):
            console.press("j", "j", "j", "j", "j", "j", "j", "j", "l")
            console.wait_for(r"· log")
            console.wait_for(r"attempt 2")
            console.settle(quiet=0.05)
            console.press("q")
            console.wait_until_gone("· log")
        console.press("A", "X")
        console.wait_for(r"Cancel: \d+ runs")
        console.press("enter")
        console.settle(quiet=0.2)
        console.press("esc")
        console.settle()
        assert control_bytes(console.raw) == []
        console.press("ctrl+q")
        assert console.wait_for_exit() == 0
