"""The machine work of the demo is what the engine takes, and fails as it should."""

from __future__ import annotations

import asyncio
import json
from random import Random

import httpx
import pytest

from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.config.load import load
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Role
from quarterdeck.contract.models.dead_letters import NewDeadLetters
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.models.runs import NewRuns
from quarterdeck.contract.operations import dead_letters, items, queues
from quarterdeck.contract.principal import Principal
from quarterdeck.demo import handlers, machines
from quarterdeck.demo.faults import mishap, worded
from quarterdeck.demo.machines import died_before
from quarterdeck.demo.queues import CONFIG, PAUSED, QUEUES, Feed
from quarterdeck.demo.sink import receiver
from quarterdeck.demo.words import TENANTS
from quarterdeck.demo.workers import POSTS, worker_of


def test_queues_and_their_work_are_valid(engine_home: Home) -> None:
    for settings in QUEUES.values():
        QueueSettings.model_validate_json(json.dumps(settings))
    engine_home.config.write_text(CONFIG)
    assert load(engine_home.config).engine.handler_modules == [handlers.__name__]
    feed = Feed(Random(4))
    for made in (feed.backlog(), feed.some(900)):
        runs = NewRuns.model_validate_json(json.dumps({"runs": made})).runs
        assert {run.tenant_id for run in runs} == set(TENANTS)
        assert {run.queue for run in runs} == set(QUEUES)
    letters = died_before(Random(4), now_ms())
    NewDeadLetters.model_validate_json(json.dumps({"dead_letters": letters}))
    assert len({letter["source_id"] for letter in letters}) == len(letters)


def test_every_queue_that_workers_lease_has_one_and_a_paused_one_has_none() -> None:
    leased = {name for name, settings in QUEUES.items() if settings["handler"] == "worker"}
    assert {post.queue for post in POSTS.values()} == leased - set(PAUSED)
    for name, post in POSTS.items():
        assert worker_of("/nowhere", name, Random(1)).queue == post.queue


def test_some_attempts_fail_and_most_do_not() -> None:
    random = Random(7)
    for queue in ("refunds-api", "emails", "search-index"):
        found = [mishap(random, queue) for _ in range(4_000)]
        failed = [each for each in found if each is not None]
        assert 0.02 < len(failed) / len(found) < 0.25
        assert len({each.code for each in failed}) >= 2
        assert all("{" not in worded(random, each, "HA-1") for each in failed)


class Job:
    kind = "report.vat"
    payload = {"shop": "lumen-lamps", "month": "2026-08"}
    attempt = 1

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.share = 0.0

    def log(self, text: object, level: str = "info") -> None:
        self.lines.append(str(text))

    def progress(self, share: float) -> None:
        self.share = share


@pytest.mark.parametrize(
    ("fate", "error"), [(0.5, None), (0.09, handlers.NotMade), (0.05, KeyError), (0.01, TimeoutError)]
)
async def test_a_report_is_made_or_not(
    monkeypatch: pytest.MonkeyPatch, fate: float, error: type[Exception] | None
) -> None:
    monkeypatch.setattr("random.random", lambda: fate)
    monkeypatch.setattr("random.uniform", lambda least, most: 0.0)
    job = Job()
    if error is None:
        assert (await handlers.report(job))["file"] == "lumen-lamps-vat-2026-08.pdf"
        assert job.share == 1
    else:
        with pytest.raises(error):
            await asyncio.wait_for(handlers.report(job), 0.5)
    assert "lumen-lamps" in job.lines[0]


async def test_the_receiver_has_good_and_bad_days() -> None:
    seen = set()
    async with receiver(Random(3)) as address, httpx.AsyncClient(timeout=20) as client:
        for _ in range(12):
            answers = await asyncio.gather(*(client.post(address, json={"order": n}) for n in range(20)))
            seen |= {answer.status_code for answer in answers}
    assert {200, 503} <= seen
    assert len(seen) >= 3


async def test_somebody_on_call_and_an_end_that_leaves_nothing_to_stay_awake_for(engine_home: Home) -> None:
    engine_home.config.write_text(CONFIG)
    random = Random(2)
    async with await connect(engine_home) as client, asyncio.timeout(60):
        await machines.prepare(client, "http://127.0.0.1:9/hooks", random)
        await machines.prepare(client, "http://127.0.0.1:9/other", random)
        shown = await client.call(queues.SHOW, queue="webhooks")
        assert shown["settings"]["target"].endswith("/other")
        client.act_as = Principal("ana", Role.OPERATOR)
        for act in machines.ACTS:
            await act(client, random)
        totals = (await client.call(dead_letters.STATS))["totals"]
        assert totals["discarded"] == 2
        assert totals["retrying"] >= 2
        opened = await client.call(items.COUNT, query={"filter": "status:retrying"}, resource="exceptions")
        assert opened["count"] >= 1
        await machines.clear_up(client)
        client.act_as = None
        while True:
            left = await client.call(items.COUNT, query={"filter": TO_DO}, resource="runs")
            if not left["count"]:
                break
            await asyncio.sleep(0.05)


TO_DO = f"status:scheduled,waiting,active,failed queue:{','.join(QUEUES)}"
