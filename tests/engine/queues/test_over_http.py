"""Queues as a program sees them: through the API of a running engine."""

from __future__ import annotations

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import audit, queues, workers
from quarterdeck.contract.problems import Code, Problem


async def test_a_queue_lives_and_goes(running_engine: Client) -> None:
    client = running_engine
    messages = client.events()
    assert (await anext(messages))["type"] == "connected"
    made = await client.call(queues.PUT, queue="mail", body={"concurrency": 3})
    assert (made["name"], made["settings"]["concurrency"], made["condition"]) == ("mail", 3, "healthy")
    assert (await anext(messages))["type"] == "queues_changed"
    changed = await client.call(queues.CHANGE, queue="mail", body={"rate_per_second": 5})
    assert changed["settings"]["rate_per_second"] == 5
    paused = await client.call(queues.PAUSE, queue="mail", body={"reason": "a break"})
    assert paused["why"] == ["Paused by " + paused["paused_by"] + " less than a minute ago: a break."]
    await client.call(queues.RESUME, queue="mail", body={})
    names = [queue["name"] for queue in (await client.call(queues.LIST))["items"]]
    assert names == ["bulk", "mail", "notifications"]
    await client.call(queues.DELETE, queue="mail")
    with pytest.raises(Problem) as caught:
        await client.call(queues.SHOW, queue="mail")
    assert caught.value.code is Code.NOT_FOUND
    log = (await client.call(audit.LIST))["items"]
    assert [entry["action"] for entry in log if entry["target"] == "mail"] == [
        "queues.delete",
        "queues.resume",
        "queues.pause",
        "queues.change",
        "queues.create",
    ]
    await messages.aclose()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"concurrency": 0}, "/concurrency"),
        ({"concurrency": "many"}, "/concurrency"),
        ({"backoff": {"base": -1}}, "/backoff/base"),
        ({"colour": "red"}, "/colour"),
        ({"handler": "http", "target": "nowhere"}, "/target"),
    ],
)
async def test_a_mistake_names_its_place(running_engine: Client, body: dict[str, object], place: str) -> None:
    with pytest.raises(Problem) as caught:
        await running_engine.call(queues.PUT, queue="mail", body=body)
    assert caught.value.code is Code.INVALID_INPUT
    assert [pointer for pointer, _ in caught.value.errors] == [place]


async def test_figures_over_time_are_served(running_engine: Client) -> None:
    for operation in (workers.THROUGHPUT, workers.LATENCY, workers.ERRORS):
        found = await running_engine.call(operation, query={"window": "5m", "queue": "bulk"})
        assert (found["window"], found["step_seconds"], len(found["points"])) == ("5m", 60, 5)


async def test_the_config_makes_queues_at_the_start(engine_home: Home) -> None:
    engine_home.config.write_text("[queues.mail]\nconcurrency = 2\n", encoding="utf-8")
    async with await connect(engine_home) as client:
        mail = await client.call(queues.SHOW, queue="mail")
        assert (mail["settings"]["concurrency"], mail["from_config"]) == (2, True)
