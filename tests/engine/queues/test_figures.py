"""A queue's row: counts, rates, the oldest run, the trend, for the tenants that somebody sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quarterdeck.contract.clock import HOUR, MINUTE, now_ms
from quarterdeck.contract.enums import Condition, HandlerKind, Priority
from quarterdeck.contract.models.queues import Pause, Queue, QueueSettings
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes, figures
from quarterdeck.engine.queues.service import BULK, NOTIFICATIONS
from quarterdeck.engine.series.recording import Moves
from quarterdeck.engine.workers.tables import workers
from tests.support.counted import attempts, said, waiting
from tests.support.desk import ACME, ROOT


@pytest.fixture
async def mail(engine: Engine) -> Engine:
    """An engine with two queues."""
    for name in ("mail", "refunds"):
        await changes.put_queue(engine, ROOT, name, QueueSettings())
    return engine


async def leasing(engine: Engine, *queues: str, ago: int = 0) -> None:
    row = {"name": "w1", "type": "mailer", "queues": list(queues), "condition": "healthy"}
    async with engine.store.write() as transaction:
        await transaction.connection.execute(workers.insert(), {**row, "last_seen_at": transaction.now - ago})


async def show(engine: Engine, name: str = "mail", who: Any = ROOT) -> Queue:
    return await figures.show_queue(engine, who, name)


async def test_counts_are_those_of_now(mail: Engine) -> None:
    moves = Moves()
    moves.enqueued("mail", "welcome", "acme", "waiting", 10)
    moves.enqueued("mail", "welcome", "globex", "scheduled", 3)
    moves.moved("mail", "acme", "waiting", "active", 2)
    await said(mail.store, moves)
    queue = await show(mail)
    assert (queue.waiting, queue.active, queue.scheduled, queue.failed) == (8, 2, 3, 0)
    seen = await show(mail, who=ACME)
    assert (seen.waiting, seen.active, seen.scheduled) == (8, 2, 0)
    assert (await show(mail, "refunds")).waiting == 0


async def test_what_ended_is_of_the_last_hour(mail: Engine) -> None:
    await attempts(mail.store, completed=6, failed=4, ago=10 * MINUTE)
    await attempts(mail.store, completed=100, ago=2 * HOUR)
    moves = Moves()
    moves.ended("mail", "welcome", "acme", "active", "dead", took_ms=1, error_class="validation", error_code="422")
    await said(mail.store, moves)
    queue = await show(mail)
    assert (queue.completed, queue.dead, queue.error_percent) == (6, 1, pytest.approx(45.5))
    assert (await show(mail, "refunds")).error_percent is None


async def test_the_rate_is_of_five_minutes_and_the_trend_of_thirty(mail: Engine) -> None:
    await attempts(mail.store, completed=60)
    await attempts(mail.store, completed=7, ago=20 * MINUTE)
    queue = await show(mail)
    assert 60 / 6.1 <= queue.per_minute <= 60 / 5
    assert len(queue.trend) == 30
    assert sum(queue.trend[-2:]) == 60
    assert sum(queue.trend[8:11]) == 7


async def test_the_oldest_run_is_found_in_every_priority(mail: Engine) -> None:
    await waiting(mail.store, ago=3 * MINUTE, priority=Priority.LOW)
    await waiting(mail.store, ago=1 * MINUTE, priority=Priority.URGENT)
    await waiting(mail.store, ago=9 * MINUTE, tenant="globex")
    now = now_ms() / 1000
    oldest, seen = (await show(mail)).oldest_waiting_at, (await show(mail, who=ACME)).oldest_waiting_at
    assert oldest is not None
    assert seen is not None
    assert oldest.timestamp() == pytest.approx(now - 540, abs=20)
    assert seen.timestamp() == pytest.approx(now - 180, abs=20)


async def test_every_queue_is_listed_and_the_engines_own_to_whoever_sees_all(mail: Engine) -> None:
    names = [queue.name for queue in (await figures.list_queues(mail, ROOT)).items]
    assert names == [BULK, "mail", NOTIFICATIONS, "refunds"]
    assert [queue.name for queue in (await figures.list_queues(mail, ACME)).items] == ["mail", "refunds"]


async def test_a_queue_without_trouble_is_healthy(mail: Engine) -> None:
    await leasing(mail, "mail")
    await waiting(mail.store)
    await attempts(mail.store, completed=100, failed=1)
    queue = await show(mail)
    assert (queue.condition, queue.why) == (Condition.HEALTHY, [])


async def test_a_queue_nobody_works_for_says_so(mail: Engine) -> None:
    await leasing(mail, "refunds")
    await waiting(mail.store, 1_200)
    queue = await show(mail)
    assert (queue.condition, queue.why) == (Condition.UNHEALTHY, ["No worker leases it; 1,200 runs wait."])


async def test_a_worker_that_has_gone_does_not_count(mail: Engine) -> None:
    await leasing(mail, "mail", ago=10 * MINUTE)
    await waiting(mail.store)
    assert (await show(mail)).why == ["No worker leases it; 1 run waits."]


@pytest.mark.parametrize(
    ("ago", "condition", "words"),
    [
        (2 * MINUTE, Condition.DEGRADED, "The oldest run has waited 2 minutes."),
        (3 * HOUR, Condition.UNHEALTHY, "The oldest run has waited 3 hours."),
    ],
)
async def test_a_queue_that_is_behind_says_how_far(mail: Engine, ago: int, condition: Condition, words: str) -> None:
    await leasing(mail, "mail")
    await waiting(mail.store, ago=ago)
    queue = await show(mail)
    assert (queue.condition, queue.why) == (condition, [words])


async def test_a_queue_that_is_full_says_so(mail: Engine) -> None:
    moves = Moves()
    moves.enqueued("mail", "welcome", "acme", "active", 10)
    await said(mail.store, moves)
    await waiting(mail.store, ago=2 * MINUTE)
    assert (await show(mail)).why == ["The oldest run has waited 2 minutes, all places are taken."]


async def test_a_paused_queue_says_only_that(mail: Engine) -> None:
    await waiting(mail.store, ago=2 * HOUR)
    await changes.pause_queue(mail, ROOT, "mail", Pause())
    queue = await show(mail)
    assert (queue.condition, queue.why) == (Condition.DEGRADED, ["Paused by root less than a minute ago."])


async def test_a_queue_that_fails_says_how_much_and_with_what(mail: Engine) -> None:
    await attempts(mail.store, completed=6, failed=3, code="503")
    assert (await show(mail)).why == []  # too few to say
    await attempts(mail.store, failed=5, code="429")
    queue = await show(mail)
    assert queue.why == ["57 % of attempts failed in the last hour, most often with 429."]
    assert queue.condition is Condition.UNHEALTHY


async def test_a_secret_that_is_not_there_is_named(mail: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = QueueSettings(handler="http", target="https://example.org/", secret_env="MAIL_SECRET")
    await changes.put_queue(mail, ROOT, "mail", settings)
    monkeypatch.delenv("MAIL_SECRET", raising=False)
    queue = await show(mail)
    assert queue.why == ["The engine's environment has no MAIL_SECRET, so nothing can be signed."]
    monkeypatch.setenv("MAIL_SECRET", "whsec_x")
    assert (await show(mail)).condition is Condition.HEALTHY


async def test_the_worst_comes_first(mail: Engine) -> None:
    await leasing(mail, "mail")
    await waiting(mail.store, ago=2 * MINUTE)
    await attempts(mail.store, completed=1, failed=50)
    queue = await show(mail)
    assert queue.condition is Condition.UNHEALTHY
    assert [sentence.split()[0] for sentence in queue.why] == ["98", "The"]


async def test_settings_that_the_config_does_not_allow_any_more_say_why(mail: Engine) -> None:
    import quarterdeck.engine.deliveries.ticks  # noqa: F401 - says what an address may be

    before = mail.settings
    mail.settings = replace(before, engine=replace(before.engine, allowed_addresses=["127.0.0.1/32"]))
    await changes.put_queue(mail, ROOT, "mail", QueueSettings(handler=HandlerKind.HTTP, target="http://127.0.0.1:9/"))
    assert (await show(mail)).condition is Condition.HEALTHY
    mail.settings = before
    queue = await show(mail)
    assert queue.condition is Condition.UNHEALTHY
    assert "loopback" in queue.why[0]
