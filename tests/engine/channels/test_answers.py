"""What each answer of a receiver leads to, over the whole schedule, by a clock that is moved and never waited for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import NotificationState
from quarterdeck.contract.models.queues import QueueChange
from quarterdeck.engine.channels import managing
from quarterdeck.engine.channels.schedule import JITTER
from quarterdeck.engine.channels.service import status_of
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes
from quarterdeck.engine.queues.service import NOTIFICATIONS
from quarterdeck.engine.runs import enqueuing
from quarterdeck.engine.series.recording import Moves, record
from tests.engine.channels import world
from tests.support.desk import ROOT
from tests.support.sinks import Behaviour, Received, always, in_turn, reset, silent, sink

HOURS = 3_600
# Seconds between one attempt and the next, as Standard Webhooks has them.
SCHEDULE = [5, 300, 1_800, 2 * HOURS, 5 * HOURS, 10 * HOURS, 14 * HOURS, 20 * HOURS, 24 * HOURS]
DELIVERED, FAILED = NotificationState.DELIVERED, NotificationState.FAILED


@dataclass
class Becomes:
    """`waits` in seconds between attempts; `asked` is what the receiver wants to have waited at least."""

    waits: list[int]
    state: NotificationState
    code: str | None
    enabled: bool = True
    asked: int = 0


def table() -> dict[str, tuple[Behaviour, Becomes]]:
    """By answer: how the receiver behaves, and what becomes of the notification."""
    return {
        "200": (always(200), Becomes([], DELIVERED, None)),
        "301": (always(301, location="http://elsewhere.example/"), Becomes(SCHEDULE, FAILED, "http_301")),
        "410": (always(410), Becomes([], FAILED, "http_410", enabled=False)),
        "429-two-minutes": (always(429, retry_after="120"), Becomes(SCHEDULE, FAILED, "http_429", asked=120)),
        "429-a-day": (always(429, retry_after="86400"), Becomes(SCHEDULE, FAILED, "http_429", asked=86_400)),
        "429-at-once": (always(429, retry_after="0"), Becomes(SCHEDULE, FAILED, "http_429")),
        "500": (always(500), Becomes(SCHEDULE, FAILED, "http_500")),
        "503-then-200": (in_turn(always(503), always(503), always(200)), Becomes(SCHEDULE[:2], DELIVERED, None)),
        "slow-then-200": (in_turn(silent, always(200)), Becomes(SCHEDULE[:1], DELIVERED, None)),
        "reset": (reset, Becomes(SCHEDULE, FAILED, "connection_lost")),
    }


class Time:
    now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def home(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setenv(world.ENV, world.SECRET)
    yield world.at_home(engine)
    for finish in engine.finishers:
        await finish()


async def stage(engine: Engine) -> None:
    """As the dispatcher does: what is due by now waits."""
    async with engine.store.write() as transaction:
        moves = Moves()
        await enqueuing.stage(engine, transaction, moves)
        await record(transaction, engine.store.dialect, moves)


async def test_every_answer_has_its_schedule(home: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    time, answers = Time(), table()
    monkeypatch.setattr("quarterdeck.engine.store.store.now_ms", time)
    # The answer that never comes is not waited for long here.
    await changes.change_queue(home, ROOT, NOTIFICATIONS, QueueChange(timeout_seconds=0.5))
    attempts: dict[str, list[int]] = defaultdict(list)

    async def answer(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        name = request.target.removeprefix("/")
        attempts[name].append(time.now)
        return await answers[name][0](request, writer)

    async with sink(answer) as made:
        channels, numbers = {}, {}
        for name in answers:
            settings = {"kind": "webhook", "url": made.url(f"/{name}")}
            channels[name] = (await world.make(home, name, settings=settings, secret_env=world.ENV)).id
            (numbers[name],) = await world.send(home, name)
        await world.work_off(home)
        while True:
            async with home.store.read() as connection:
                found = await status_of(connection, list(numbers.values()))
            moments = [each.next_at for each in found.values() if each.next_at is not None]
            if not moments:
                break
            time.now = min(moments) - 1
            await stage(home)
            assert await world.work_off(home) == 0, "it was tried before its time"
            time.now += 1
            await stage(home)
            assert await world.work_off(home) >= 1, "its time has come, and it was not tried"

    for name, (_, becomes) in answers.items():
        waits = [(later - before) / SECOND for before, later in zip(attempts[name], attempts[name][1:], strict=False)]
        assert len(waits) == len(becomes.waits), name
        for waited, planned in zip(waits, becomes.waits, strict=True):
            least = max(planned * (1 - JITTER), becomes.asked)
            assert least - 0.001 <= waited <= max(planned * (1 + JITTER), becomes.asked) + 0.001, (name, waits)
        assert all(waits[number] != planned for number, planned in enumerate(becomes.waits[:3]) if not becomes.asked)
        told = await world.status(home, numbers[name])
        assert (told.state, told.error_code) == (becomes.state, becomes.code), name
        assert told.attempts == len(becomes.waits) + 1, name
        run = await world.run_of(home, numbers[name])
        assert run.status == ("completed" if becomes.state is DELIVERED else "dead"), name
        shown = await managing.show_channel(home, ROOT, channels[name])
        assert (shown.enabled, shown.disabled_reason is None) == (becomes.enabled, becomes.enabled), name
    ids = {(each.target, each.headers["webhook-id"]) for each in made.received}
    assert ids == {(f"/{name}", f"notification_{number}") for name, number in numbers.items()}
