"""Python handlers run in processes of their own: whatever they do, the engine stays up and says what happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from quarterdeck.contract.enums import HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.checks import check
from quarterdeck.engine.runs import hosting, hosts, rules, service
from quarterdeck.engine.runs import ticks as run_ticks
from quarterdeck.engine.runs.dispatcher import Dispatcher
from quarterdeck.engine.runs.hosts import Hosts
from quarterdeck.engine.runs.tables import runs
from tests.engine.runs.world import add, attempts, log_of, make_queue, row, status, until
from tests.support.desk import make_engine, refused

TOP = Path(__file__).resolve().parents[3]
MODULE = "tests.engine.runs.working"
assert run_ticks


@pytest.fixture
def store_kind() -> str:
    """What handlers do to their processes has nothing to do with the store."""
    return "sqlite"


@pytest.fixture
def engine(store: Any, engine_home: Any) -> Engine:
    return make_engine(store, engine_home, handler_modules=[MODULE])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    monkeypatch.setattr(rules.random, "uniform", lambda low, high: 0.0)
    monkeypatch.setattr(hosting, "PATIENCE_SECONDS", 0.4)


@pytest.fixture
async def running(engine: Engine) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(engine)
    await made.start()
    yield made
    await made.stop()
    await engine.keep(Hosts, Hosts).close()


async def python_queue(engine: Engine, function: str, **settings: Any) -> None:
    await make_queue(engine, handler=HandlerKind.PYTHON, target=f"{MODULE}:{function}", **settings)


async def ended(engine: Engine, *ids: int, seconds: float = 20) -> list[str]:
    async def over() -> bool:
        return all(each in ("completed", "dead", "cancelled") for each in await status(engine, *ids))

    await until(over, seconds)
    return await status(engine, *ids)


async def test_a_handler_does_its_work_and_says_how_it_goes(engine: Engine, running: Dispatcher) -> None:
    await python_queue(engine, "tell")
    first, second = await add(engine, {}, {})
    assert await ended(engine, first, second) == ["completed", "completed"]
    done = await row(engine, first)
    assert (done.result["attempt"], done.result["tenant"], done.result["queue"]) == (1, "acme", "q")
    assert done.result["pid"] == (await row(engine, second)).result["pid"], "one process for a queue"

    async def logged() -> bool:
        return len(await log_of(engine, first)) == 3

    await until(logged)
    assert await log_of(engine, first) == ["hello", "printed kind", "no end"]
    (attempt,) = await attempts(engine, first)
    assert (attempt.outcome, attempt.worker) == ("completed", running.name)


@pytest.mark.parametrize(
    "payload",
    [None, True, "naïve \u202e text", [1, [2, [3]]], {"a": {"b": None}}, "x" * 1_000_000, "\ud800"],
    ids=["null", "true", "text", "lists", "objects", "large", "half a character"],
)
async def test_a_payload_comes_and_goes_as_it_is(engine: Engine, running: Dispatcher, payload: Any) -> None:
    await python_queue(engine, "echo")
    (number,) = await add(engine, payload)
    assert await ended(engine, number) == ["completed"]
    result = (await row(engine, number)).result
    if isinstance(payload, str) and len(payload) > 16_384:
        assert result.endswith(" …")
        assert len(result) < 16_384
    else:
        assert result == payload


async def test_what_a_handler_raises_is_how_the_attempt_failed(engine: Engine, running: Dispatcher) -> None:
    await python_queue(engine, "fail", max_attempts=2)
    (passing,) = await add(engine, {"code": "card_declined", "error_class": "network", "detail": "said the bank"})
    (final,) = await add(engine, {"code": "no_card", "error_class": "validation"})
    assert await ended(engine, passing, final) == ["dead", "dead"]
    first, second = await attempts(engine, passing)
    assert (first.error_class, first.error_code, first.error_message) == (
        "network", "card_declined", "the card was refused",
    )  # fmt: skip
    assert (first.detail, second.outcome) == ("said the bank", "failed")
    assert len(await attempts(engine, final)) == 1, "validation is not tried again"


async def test_a_traceback_is_kept_and_hostile_text_does_no_harm(engine: Engine, running: Dispatcher) -> None:
    await python_queue(engine, "crash", max_attempts=1)
    (number,) = await add(engine)
    await ended(engine, number)
    (attempt,) = await attempts(engine, number)
    assert (attempt.error_class, attempt.error_code) == ("unknown", "ZeroDivisionError")
    assert attempt.error_message == "by \ufffd zero ?"
    assert "in crash" in attempt.detail
    assert len(attempt.detail) <= 16 * 1024


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("nonsense", "bad_result", "JSON cannot hold"),
        ("leave", "exit", "exit of its process"),
        ("nothing", "no_handler", "cannot be imported"),
        ("not_a_coroutine", "no_handler", "async def"),
    ],
)
async def test_nonsense_is_a_recorded_failure(
    engine: Engine, running: Dispatcher, function: str, code: str, words: str
) -> None:
    await python_queue(engine, function, max_attempts=1)
    (number,) = await add(engine)
    assert await ended(engine, number) == ["dead"]
    (attempt,) = await attempts(engine, number)
    assert attempt.error_code == code
    assert words in attempt.error_message


async def test_only_what_the_config_lists_may_be_called(engine: Engine, running: Dispatcher) -> None:
    """Guards `python.handler_of`: an admin of the API is not thereby a user of this machine."""
    for target in ("os:system", "tests.engine.runs.workingx:echo", f"{MODULE}:", "no_such_entry_point"):
        settings = QueueSettings(handler=HandlerKind.PYTHON, target=target)
        with refused(Code.INVALID_INPUT):
            await check(engine, "q", settings, built_in=False)
    await make_queue(engine, handler=HandlerKind.PYTHON, target="os:system")
    (number,) = await add(engine, "touch /tmp/never")
    assert await ended(engine, number) == ["dead"]
    assert (await row(engine, number)).error_code == "handler_not_allowed"


async def test_a_handler_that_kills_its_process_is_found_and_its_neighbours_are_not_blamed_twice(
    engine: Engine, running: Dispatcher
) -> None:
    """Guards `Hosts.carry_out`: who has lost an attempt runs alone. Together they would all be poison."""
    await python_queue(engine, "die_if_told", concurrency=6, max_attempts=10)
    killer, *others = await add(engine, "die", *range(5))
    assert await ended(engine, killer, *others) == ["dead"] + ["completed"] * 5
    dead = await row(engine, killer)
    assert (dead.error_code, dead.lost) == ("poison", 3)
    assert [each.outcome for each in await attempts(engine, killer)] == ["lost"] * 3
    for number in others:
        assert (await row(engine, number)).lost <= 1
        assert [each.outcome for each in await attempts(engine, number)] == ["lost", "completed"]


async def test_a_deadline_is_kept(engine: Engine, running: Dispatcher, tmp_path: Path) -> None:
    await python_queue(engine, "wait", timeout_seconds=0.2, max_attempts=1)
    (number,) = await add(engine, str(tmp_path / "said"))
    assert await ended(engine, number) == ["dead"]
    dead = await row(engine, number)
    assert (dead.error_class, dead.error_code) == ("timeout", "timeout")
    assert "after 0.2 seconds" in dead.error_message
    assert (tmp_path / "said").read_text() == f"{number} began\n{number} stopped True\n"


@pytest.mark.parametrize("function", ["hang", "stubborn"])
async def test_a_handler_that_does_not_let_go_loses_its_process_and_neighbours_are_given_back(
    engine: Engine, running: Dispatcher, function: str
) -> None:
    """Guards `HostProcess.check`: a deadline during a blocked loop is not lost."""
    await python_queue(engine, function, timeout_seconds=0.3, max_attempts=1)
    (number,) = await add(engine, "hang")
    assert await ended(engine, number) == ["dead"]
    dead = await row(engine, number)
    assert (dead.error_code, dead.lost) == ("timeout", 0)
    assert "its process was ended" in dead.error_message
    await python_queue(engine, "hang", timeout_seconds=30)
    neighbour, hanging = await add(engine, "work", "work")
    assert await ended(engine, neighbour, hanging) == ["completed", "completed"], "the next ones have a new process"


async def test_neighbours_of_one_that_hangs_do_not_pay_for_it(engine: Engine, running: Dispatcher) -> None:
    await python_queue(engine, "hang", timeout_seconds=30)
    neighbours = await add(engine, "work", "work")
    (hanging,) = await add(engine, "hang", timeout_ms=400)
    assert await ended(engine, *neighbours) == ["completed", "completed"]
    for number in neighbours:
        kept = await attempts(engine, number)
        assert [each.outcome for each in kept][-1] == "completed"
        assert {each.outcome for each in kept} <= {"given_back", "completed"}
        assert (await row(engine, number)).retry_count == 0
    async with engine.store.write() as transaction:
        await service.cancel(engine, transaction, runs.c.id == hanging)
    await ended(engine, hanging)


async def test_printing_without_end_is_cut_and_said_to_be(engine: Engine, running: Dispatcher) -> None:
    await python_queue(engine, "chatter", timeout_seconds=60)
    before = psutil.Process().memory_info().rss
    (number,) = await add(engine, 300_000)  # 300 MB
    assert await ended(engine, number, seconds=60) == ["completed"]
    lines = await log_of(engine, number)
    assert sum(map(len, lines)) < 1_100_000
    assert "There is more" in lines[-1]
    assert psutil.Process().memory_info().rss < before + 150_000_000


async def test_what_is_cancelled_at_work_stops(engine: Engine, running: Dispatcher, tmp_path: Path) -> None:
    await python_queue(engine, "wait")
    said = tmp_path / "said"
    (number,) = await add(engine, str(said))

    async def began() -> bool:
        return said.exists()

    await until(began)
    async with engine.store.write() as transaction:
        await service.cancel(engine, transaction, runs.c.id == number)
    assert await ended(engine, number) == ["cancelled"]
    assert said.read_text() == f"{number} began\n{number} stopped True\n"
    assert [each.outcome for each in await attempts(engine, number)] == ["cancelled"]


async def test_an_orderly_stop_gives_the_attempt_back(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards `Dispatcher.stop`; without it the next engine would find a lost attempt."""
    monkeypatch.setattr("quarterdeck.engine.runs.dispatcher.GRACE_SECONDS", 0.1)
    dispatcher = Dispatcher(engine)
    await dispatcher.start()
    await python_queue(engine, "wait", max_attempts=1)
    said = tmp_path / "said"
    (number,) = await add(engine, str(said))

    async def began() -> bool:
        return said.exists()

    await until(began)
    (process,) = engine.keep(Hosts, Hosts)._shared["q"]
    await dispatcher.stop()
    await engine.keep(Hosts, Hosts).close()
    assert await status(engine, number) == ["waiting"]
    after = await row(engine, number)
    assert (after.max_attempts - after.attempt, after.retry_count, after.lost) == (1, 0, 0)
    assert [each.outcome for each in await attempts(engine, number)] == ["given_back"]
    assert await asyncio.to_thread(process._process.wait, 10) is not None


async def test_without_room_for_a_process_the_attempt_fails_and_comes_again(
    engine: Engine, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen, refused_once = hosting.subprocess.Popen, False

    def full(*args: Any, **named: Any) -> Any:
        nonlocal refused_once
        if not refused_once:
            refused_once = True
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return popen(*args, **named)

    monkeypatch.setattr(hosting.subprocess, "Popen", full)
    await python_queue(engine, "echo")
    (number,) = await add(engine)
    assert await ended(engine, number) == ["completed"]
    first, _ = await attempts(engine, number)
    assert (first.error_code, "Resource temporarily unavailable" in first.error_message) == ("no_process", True)


async def test_idle_processes_go(engine: Engine, running: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "IDLE_SECONDS", 0.05)
    await python_queue(engine, "echo")
    (number,) = await add(engine)
    await ended(engine, number)

    async def gone() -> bool:
        return not engine.keep(Hosts, Hosts)._shared["q"]

    await until(gone)
    (number,) = await add(engine, 1)
    assert await ended(engine, number) == ["completed"]
