"""Machine work in the demo world: queues are made, runs keep coming, somebody on call looks after what died."""

from __future__ import annotations

import asyncio
import math
import time
from random import Random
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.contract.clock import DAY, iso, now_ms
from quarterdeck.contract.enums import MachineResource, Resource, Role
from quarterdeck.contract.operations import Operation, bulk, dead_letters, items, queues, runs
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.demo.crew import waited
from quarterdeck.demo.faults import EMAILS, REFUNDS, worded
from quarterdeck.demo.queues import PAUSED, QUEUES, Feed
from quarterdeck.demo.words import LEAD, OPERATORS

_DIED_BEFORE = 240
_PER_SECOND = 1.6
_REASONS = ("the provider is back", "fixed with the release of this morning", "trying again", "the customer called")
_GIVEN_UP = ("paid out by hand", "the order was cancelled meanwhile", "the address will never work")
# Others work here too, so these are no news.
_USUAL = frozenset(
    {
        Code.NOT_FOUND,
        Code.WRONG_STATE,
        Code.CHANGED_SINCE,
        Code.NOTHING_ELIGIBLE,
        Code.UNCHANGED,
        Code.STORE_BUSY,
        Code.TOO_MANY_OPERATIONS,
        Code.NO_QUEUE,
    }
)


async def prepare(client: Client, target: str, random: Random) -> None:
    """Every queue as it should be, with work in it where the world is new. `target` is where webhooks go."""
    known = {queue["name"] for queue in (await client.call(queues.LIST))["items"]}
    for name, settings in QUEUES.items():
        if name in known:
            continue
        own = {"target": target} if settings["handler"] == "http" else {}
        await client.call(queues.PUT, body={**settings, **own}, queue=name)
        if name in PAUSED:
            usual, client.act_as = client.act_as, Principal(LEAD, Role.ADMIN)
            await client.call(queues.PAUSE, body={"reason": PAUSED[name]}, queue=name)
            client.act_as = usual
    if "webhooks" in known:
        await client.call(queues.CHANGE, body={"target": target}, queue="webhooks")
    if not set(QUEUES) & known:
        await client.call(dead_letters.ADD, body={"dead_letters": died_before(random, now_ms())})
        await client.call(runs.ENQUEUE, body={"runs": Feed(random).backlog()})


def died_before(random: Random, now: int) -> list[dict[str, Any]]:
    """What the last days left behind."""
    feed = Feed(random)
    made = []
    for number in range(_DIED_BEFORE):
        queue, mishaps = random.choice((("refunds-api", REFUNDS), ("emails", EMAILS), ("emails", EMAILS)))
        how = random.choices(mishaps, [each.weight for each in mishaps])[0]
        kind, payload = feed.work(queue)
        made.append(
            {
                "tenant_id": feed.tenant,
                "queue": queue,
                "event_type": kind,
                "payload": payload,
                "metadata": {"host": f"old-worker-{random.randint(1, 3)}"},
                "source_id": f"demo-{number}",
                "error_class": how.error_class,
                "error_code": how.code,
                "error_message": worded(random, how, payload["order"]),
                "attempts": QUEUES[queue]["max_attempts"],
                "died_at": iso(now - int(random.expovariate(1 / (0.7 * DAY)))),
            }
        )
    return made


async def feed(client: Client, random: Random, stopping: asyncio.Event) -> None:
    """Runs, second by second; more of them in waves. Raises Problem, Unreachable."""
    made = Feed(random)
    while not await waited(stopping, 1.0):
        wave = 1 + 0.6 * math.sin(time.time() / 170) + 0.3 * math.sin(time.time() / 37)
        number = sum(random.random() < _PER_SECOND * wave / 8 for _ in range(8))
        if number:
            await _unless_usual(client, runs.ENQUEUE, {"runs": made.some(number)})


async def on_call(client: Client, random: Random, stopping: asyncio.Event) -> None:
    """Somebody retries, gives up, and takes what was handed to people. Raises Problem, Unreachable."""
    while not await waited(stopping, random.uniform(12, 30)):
        act = random.choices(ACTS, (5, 2, 3, 4))[0]
        client.act_as = Principal(random.choice(OPERATORS), Role.OPERATOR)
        try:
            await act(client, random)
        except Problem as problem:
            if problem.code not in _USUAL:
                raise


async def _retry_some(client: Client, random: Random) -> None:
    for letter in (await _pending(client))[: random.randint(1, 3)]:
        body = {"reason": random.choice(_REASONS)}
        await client.call(dead_letters.RETRY, body=body, id=letter["id"])


async def _retry_group(client: Client, random: Random) -> None:
    found = (await client.call(dead_letters.GROUPS, query={"filter": "status:pending"}))["items"]
    if not found:
        return
    group = random.choice(found[:8])["group"]
    body = {"filter": f"status:pending group:{group}", "rate": 5.0, "reason": random.choice(_REASONS)}
    made = await client.call(dead_letters.RETRY_BATCH, body=body)
    operation = made["operation"]
    await client.call(bulk.CONFIRM, body={"count": operation["eligible"]}, id=operation["id"])


async def _give_up(client: Client, random: Random) -> None:
    for letter in (await _pending(client, "class:validation,permission"))[:2]:
        body = {"reason": random.choice(_GIVEN_UP)}
        await client.call(dead_letters.DISCARD, body=body, id=letter["id"])


async def _retry_exception(client: Client, random: Random) -> None:
    query = {"filter": "status:open kind:refund.send,refund.reverse,report.sales,report.vat", "limit": 10}
    found = (await client.call(items.LIST, query=query, resource=Resource.EXCEPTIONS))["items"]
    if found:
        chosen = random.choice(found)["id"]
        body = {"params": {"reason": random.choice(_REASONS)}}
        await client.call(items.ACT, body=body, resource=Resource.EXCEPTIONS, id=chosen, action="retry")


ACTS = (_retry_some, _retry_group, _give_up, _retry_exception)


async def _pending(client: Client, more: str = "") -> list[dict[str, Any]]:
    query = {"filter": f"status:pending {more}".strip(), "sort": "created", "limit": 10}
    found: list[dict[str, Any]] = (await client.call(dead_letters.LIST, query=query))["items"]
    return found


async def _unless_usual(client: Client, operation: Operation, body: dict[str, Any]) -> None:
    """A queue that somebody has deleted meanwhile is no news."""
    try:
        await client.call(operation, body=body)
    except Problem as problem:
        if problem.code not in _USUAL:
            raise


async def clear_up(client: Client) -> None:
    """Nothing is left that an engine would stay awake for, when nobody looks any more."""
    client.act_as = Principal(LEAD, Role.ADMIN)
    query = f"status:scheduled,waiting,active,failed queue:{','.join(QUEUES)}"
    chosen = await client.call(items.SELECT, body={"filter": query}, resource=MachineResource.RUNS)
    body = {"selection": chosen["token"], "params": {"reason": "the demo is over"}, "reason": "the demo is over"}
    made = await client.call(bulk.DRAFT, body=body, resource=MachineResource.RUNS, action="cancel")
    operation = made["operation"]
    if operation["eligible"]:
        await client.call(bulk.CONFIRM, body={"count": operation["eligible"]}, id=operation["id"])
