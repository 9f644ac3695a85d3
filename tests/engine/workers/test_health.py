"""Who is there, and how they do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.config.settings import WorkersSettings
from quarterdeck.contract.clock import HOUR, SECOND, now_ms
from quarterdeck.contract.enums import Condition, HandlerKind
from quarterdeck.contract.live import Message
from quarterdeck.contract.models import runs as models
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.models.workers import WorkerInstance, WorkersHealth
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes
from quarterdeck.engine.runs import service
from quarterdeck.engine.workers import leasing, overview, reporting
from quarterdeck.engine.workers.checks import Rounds
from quarterdeck.engine.workers.tables import workers
from tests.support.desk import ROOT, refused
from tests.support.sinks import Received, Sink, answer, sink

HEALTHY, DEGRADED, UNHEALTHY = Condition
QUEUE = "refunds"


@pytest.fixture(autouse=True)
async def queue(engine: Engine) -> None:
    await changes.put_queue(engine, ROOT, QUEUE, QueueSettings(handler=HandlerKind.WORKER))


class Double:
    """A worker's health endpoints. `alive` and `ready` are statuses."""

    def __init__(self) -> None:
        self.alive, self.ready = 200, 200
        self.about: dict[str, Any] = {"name": "w-1", "type": "refunds", "queues": [QUEUE]}
        self.sink: Sink = None  # type: ignore[assignment]

    async def behave(self, request: Received, writer: asyncio.StreamWriter) -> bytes:
        if request.target == "/healthz":
            return answer(self.alive, json.dumps(self.about).encode())
        assert request.target == "/readyz"
        return answer(self.ready, json.dumps({"why": "It is warming up."} if self.ready >= 400 else {}).encode())

    @property
    def url(self) -> str:
        return self.sink.url("")


@pytest.fixture
async def double() -> AsyncIterator[Double]:
    made = Double()
    async with sink(made.behave) as made.sink:
        yield made


def configured(engine: Engine, **settings: Any) -> Rounds:
    """Rounds with these settings; each is far from the last as far as the store knows."""
    engine.settings = replace(engine.settings, workers=WorkersSettings(**settings))
    return Rounds(engine)


async def go(engine: Engine, rounds: Rounds) -> WorkersHealth:
    """One round, a long time after the one before."""
    async with engine.store.write() as transaction:
        earlier = workers.c.checked_at - HOUR
        await transaction.connection.execute(update(workers).values(checked_at=earlier))
    await rounds.go()
    return await overview.health(engine)


async def lease(engine: Engine, worker: str = "w-1", **asked: Any) -> Any:
    request = models.LeaseRequest(**{"worker": worker, "count": 10, **asked})
    return (await leasing.lease(engine, ROOT, QUEUE, request)).items


async def one(engine: Engine) -> WorkerInstance:
    (found,) = (await overview.health(engine)).instances
    return found


async def silence(engine: Engine, seconds: int) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(workers).values(last_seen_at=now_ms() - seconds * SECOND))


async def test_whoever_leases_is_known_and_counted(engine: Engine) -> None:
    new = [service.New(QUEUE, "refund.send", "acme") for _ in range(3)]
    async with engine.store.write() as transaction:
        await service.enqueue(engine, transaction, new)
    first, second, _ = await lease(engine)
    found = await one(engine)
    assert (found.name, found.type, found.queues, found.condition) == ("w-1", "w", [QUEUE], HEALTHY)
    assert (found.active, found.completed, found.failed) == (3, 0, 0)
    held = {"attempt": first.attempt, "lease_token": first.lease_token}
    await reporting.complete(engine, ROOT, first.id, models.Completed(**held))
    await reporting.fail(engine, ROOT, second.id, models.FailedAttempt(**held, message="no"))
    found = await one(engine)
    assert (found.active, found.completed, found.failed) == (1, 1, 1)
    (kind,) = (await overview.health(engine)).types
    assert (kind.type, kind.healthy, kind.active, kind.completed) == ("w", 1, 1, 1)


async def test_one_that_falls_silent_is_unhealthy_and_after_a_day_forgotten(engine: Engine) -> None:
    rounds = configured(engine)
    await lease(engine)
    await rounds.go()
    await silence(engine, 200)
    found = await one(engine)
    assert found.condition is UNHEALTHY
    assert "not been heard of for 3 minutes" in (found.why or "")
    await lease(engine)
    assert (await one(engine)).condition is HEALTHY
    await silence(engine, 25 * 3_600)
    assert (await go(engine, rounds)).instances == []


async def test_one_that_says_goodbye_is_gone(engine: Engine) -> None:
    await lease(engine)
    await one(engine)
    assert await lease(engine, leaving=True) == []
    assert (await overview.health(engine)).instances == []


async def test_consoles_hear_of_what_changes_and_of_nothing_else(engine: Engine, double: Double) -> None:
    rounds = configured(engine, urls=[double.url], unhealthy_after=1)
    heard = engine.hub.subscribe(ROOT)

    async def said() -> list[str]:
        """Whether the figures of workers were announced, at once."""
        engine.hub._said_at.clear()
        await go(engine, rounds)
        found = []
        while heard.has_waiting:
            found.append((await anext(heard))["type"])
        return found

    assert await said() == [Message.WORKERS_CHANGED]
    assert await said() == []
    double.alive = 500
    assert await said() == [Message.WORKERS_CHANGED]
    assert await said() == []


async def test_the_address_of_a_worker_is_asked(engine: Engine, double: Double) -> None:
    rounds = configured(engine)
    await lease(engine, type="refunds", health_url=double.url)
    (found,) = (await go(engine, rounds)).instances
    assert (found.name, found.condition, found.url, found.failures) == ("w-1", HEALTHY, double.url, 0)
    assert found.checked_at is not None
    assert found.response_ms is not None
    assert [each.target for each in double.sink.received] == ["/healthz", "/readyz"]
    double.ready = 503
    (found,) = (await go(engine, rounds)).instances
    assert (found.condition, found.why) == (DEGRADED, "It is warming up.")
    double.ready = 200
    assert [(await go(engine, rounds)).instances[0].condition for _ in range(2)] == [DEGRADED, HEALTHY]


async def test_one_that_leases_but_cannot_be_asked_is_degraded_until_it_falls_silent(engine: Engine) -> None:
    rounds = configured(engine, check_timeout_seconds=1)
    await lease(engine, health_url="http://127.0.0.1:1")
    for _ in range(4):
        (found,) = (await go(engine, rounds)).instances
    assert (found.condition, found.failures) == (DEGRADED, 4)
    assert "It leases runs, but its health cannot be told: Nobody takes connections" in (found.why or "")
    await silence(engine, 200)
    assert (await one(engine)).condition is UNHEALTHY


async def test_two_workers_under_one_name_are_told_apart(engine: Engine) -> None:
    first, second = "http://127.0.0.1:1", "http://127.0.0.1:2"
    await lease(engine, health_url=first)
    await lease(engine, health_url=second)
    assert "under this name" not in ((await one(engine)).why or ""), "one that started again has moved"
    await lease(engine, health_url=first)
    found = await one(engine)
    assert found.condition is DEGRADED
    assert found.why is not None
    assert f"2 workers lease under this name, with their health at {first} and {second}" in found.why
    assert "give each a name of its own" in found.why
    await lease(engine, leaving=True)
    await lease(engine, health_url=second)
    assert "under this name" not in ((await one(engine)).why or "")


async def test_workers_of_the_config_are_asked_though_they_never_lease(engine: Engine, double: Double) -> None:
    port = double.sink.port
    rounds = configured(engine, urls=["http://127.0.0.1:1/"], ports=f"{port},2-3", unhealthy_after=2)
    assert {each.name: each.condition for each in (await go(engine, rounds)).instances} == {
        "http://127.0.0.1:1": DEGRADED,
        f"http://127.0.0.1:{port}": HEALTHY,  # nobody ever answered at 2 and 3
    }
    found = (await go(engine, rounds)).instances
    assert {each.name: each.condition for each in found}["http://127.0.0.1:1"] is UNHEALTHY
    assert {each.type for each in found} == {"worker", "refunds"}
    # A port whose worker has answered once stays on the list, and a URL that is named no more leaves it.
    double.alive = 500
    rounds = configured(engine, ports=f"{port},2-3")
    (left,) = (await go(engine, rounds)).instances
    assert (left.name, left.condition, left.why) == (f"http://127.0.0.1:{port}", DEGRADED, "/healthz answers 500.")


async def test_what_a_worker_of_the_config_says_of_itself_counts_once_it_answers(
    engine: Engine, double: Double
) -> None:
    rounds = configured(engine, urls=[double.url])
    double.alive = 503
    assert [each.type for each in (await go(engine, rounds)).instances] == ["worker"]
    double.alive = 200
    (found,) = (await go(engine, rounds)).instances
    assert (found.type, found.queues) == ("refunds", [QUEUE])


async def test_a_worker_that_leases_and_is_in_the_config_is_one(engine: Engine, double: Double) -> None:
    rounds = configured(engine, urls=[double.url])
    await go(engine, rounds)
    await lease(engine, health_url=double.url)
    assert [each.name for each in (await go(engine, rounds)).instances] == ["w-1"]


async def test_a_slow_worker_keeps_no_round_waiting(engine: Engine) -> None:
    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with sink(hang) as slow:
        rounds = configured(engine, urls=[slow.url("")], check_timeout_seconds=1)
        (found,) = (await asyncio.wait_for(go(engine, rounds), 5)).instances
    assert (found.condition, found.why) == (DEGRADED, "No answer within 1 s.")


async def test_another_engine_that_has_just_asked_is_believed(engine: Engine, double: Double) -> None:
    rounds = configured(engine, urls=[double.url])
    await rounds.go()
    await rounds.go()
    assert len(double.sink.received) == 2


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:9100", "http://169.254.169.254", "http://[fd00::1]:9100", "http://192.168.1.1"]
)
async def test_a_worker_cannot_send_the_engine_into_the_network(engine: Engine, url: str) -> None:
    with refused(Code.ADDRESS_REFUSED) as caught:
        await lease(engine, health_url=url)
    assert caught.value.errors[0][0] == "/health_url"
    with refused(Code.INVALID_INPUT):
        await lease(engine, health_url="9100")


async def test_a_worker_that_says_nonsense_of_itself_is_still_shown(engine: Engine, double: Double) -> None:
    double.about = {"name": ["x"], "type": "\0" * 1_000, "queues": {"a": 1}}
    rounds = configured(engine, urls=[double.url])
    (found,) = (await go(engine, rounds)).instances
    assert (found.condition, found.queues, len(found.type)) == (HEALTHY, [], 200)
    assert "\0" not in found.type
