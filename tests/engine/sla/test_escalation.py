"""Whom a policy has told when time runs out: through channels, once, and what the timeline says of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from quarterdeck.contract.clock import HOUR
from quarterdeck.contract.models.sla import PolicyChange, PolicySettings
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.channels import managing
from quarterdeck.engine.channels.tables import notifications
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.tables import item_events
from quarterdeck.engine.live.hub import Subscription
from quarterdeck.engine.sla import policies, sweep
from quarterdeck.engine.sla.tables import sla_clocks
from tests.engine.channels import world as outgoing
from tests.engine.sla.world import Time, differing, enter, promise
from tests.support.desk import ACME, ROOT, Desk, refused
from tests.support.sinks import sink

HOOK = {"kind": "webhook", "url": "https://example.org/hook"}
TARGETS = [{"priority": "normal", "resolution_minutes": 60}]
GLOBEX = Principal("globex-lead", ACME.role, frozenset({"globex"}))


def told(*channels: str, percent: int = 100, note: str | None = "Call the customer.") -> dict[str, Any]:
    return {"percent": percent, "act": "notify", "does": "do", "note": note, "channels": list(channels)}


@pytest.fixture
async def home(engine: Engine) -> AsyncIterator[Engine]:
    yield outgoing.at_home(engine)
    for finish in engine.finishers:
        await finish()


async def bodies(engine: Engine, item: int) -> list[str | None]:
    said = select(item_events.c.body).where(item_events.c.item_id == item, item_events.c.type == "escalated")
    async with engine.store.read() as connection:
        return list((await connection.execute(said.order_by(item_events.c.id))).scalars())


async def changed(heard: Subscription) -> list[list[int]]:
    """Items of the queue that were said to have changed, message by message."""
    found = []
    while heard.has_waiting:
        message = await anext(heard)
        found += [message["ids"]] if message.get("resource") == "support_tasks" else []
    return found


async def sent(engine: Engine) -> list[Any]:
    async with engine.store.read() as connection:
        return list(await connection.execute(select(notifications).order_by(notifications.c.id)))


async def test_what_falls_due_at_once_is_told_once_through_every_channel(home: Engine, desk: Desk, time: Time) -> None:
    async with sink() as made:
        await outgoing.make(home, settings={"kind": "webhook", "url": made.url()})
        await outgoing.make(home, "duty", tenant_id="acme", settings=HOOK)
        steps = [told("ops", "duty"), told("ops", percent=50, note=None)]
        await promise(desk, tenant_id="acme", targets=TARGETS, escalation=steps)
        (first,) = await enter(desk, title="A lamp <b>broke</b>")
        time.pass_(HOUR // 2 + 1)
        heard, foreign = home.hub.subscribe(ACME), home.hub.subscribe(GLOBEX)
        await sweep.sweep(home)
        await sweep.sweep(home)
        assert await changed(heard) == [[first]]
        assert await changed(foreign) == [], "it is none of their business"
        others = await enter(desk, 2)
        time.pass_(2 * HOUR)
        await sweep.sweep(home)
        await sweep.sweep(home)
        rows = await sent(home)
        half, over = "50 % of the time for the resolution is used up.", "The time for the resolution is over."
        three = f"3 items of support_tasks: {over} Call the customer."
        assert [(row.channel, row.tenant_id, row.content["severity"], row.content["title"]) for row in rows] == [
            ("ops", "acme", "warning", f"support_tasks {first} (A lamp <b>broke</b>): {half}"),
            ("ops", "acme", "warning", f"2 items of support_tasks: {half}"),
            ("ops", "acme", "critical", three),
            ("duty", "acme", "critical", three),
        ]
        assert rows[0].content["key"] == f"sla:support_tasks:{first}:resolution"
        assert await outgoing.work_off(home) == 4
    body = json.loads(made.received[2].body)["data"]
    assert [each["labels"]["item"] for each in body["alerts"]] == [str(item) for item in (first, *others)]
    assert body["alerts"][0]["annotations"]["title"] == "A lamp <b>broke</b>"
    assert body["alerts"][0]["starts_at"] == "2026-11-23T10:00:00Z"
    assert await bodies(home, first) == [
        f"{half} Told: ops.",
        f"{over} Call the customer. Told: ops, duty.",
    ]
    assert await differing(desk) == 0
    # What is put right by a replay is not told again.
    async with home.store.write() as transaction:
        wrong = sla_clocks.update().where(sla_clocks.c.item_id == first)
        await transaction.connection.execute(wrong.values(used=1, started_at=time.now))
    assert await differing(desk, write=True) == 1
    time.pass_(HOUR)
    await sweep.sweep(home)
    assert len(await sent(home)) == 4


async def test_a_channel_that_is_gone_by_then_is_said_so(home: Engine, desk: Desk, time: Time) -> None:
    made = await outgoing.make(home, settings=HOOK)
    policy = await promise(desk, targets=TARGETS, escalation=[told("ops")])
    (item,) = await enter(desk)
    # What has started goes by what held then, channels with it.
    nobody = PolicyChange.model_validate({"settings": {"escalation": []}})
    await policies.change_policy(home, ROOT, policy, nobody)
    await managing.delete_channel(home, ROOT, made.id)
    time.pass_(2 * HOUR)
    await sweep.sweep(home)
    said = "The time for the resolution is over. Call the customer. Not told: There is no channel ops."
    assert await bodies(home, item) == [said]


async def test_whom_nobody_can_tell_is_refused_with_the_place(home: Engine, desk: Desk) -> None:
    await outgoing.make(home, "everybodys", settings=HOOK)
    await outgoing.make(home, "acmes", tenant_id="acme", settings=HOOK)
    steps = [told("everybodys"), told("everybodys", "acmes")]
    with refused(Code.INVALID_INPUT, "There is no channel acmes for every tenant") as caught:
        await promise(desk, targets=TARGETS, escalation=steps)
    assert caught.value.errors == (("/settings/escalation/1/channels/1", "is no channel for every tenant"),)
    with refused(Code.INVALID_INPUT, "There is no channel acmes for globex"):
        await promise(desk, tenant_id="globex", targets=TARGETS, escalation=steps)
    with refused(Code.INVALID_INPUT, "Step 1 of the escalation notifies nobody") as caught:
        await promise(desk.by(ACME), tenant_id="acme", targets=TARGETS, escalation=[told()])
    assert caught.value.errors[0][0] == "/settings/escalation/0/channels"
    await promise(desk.by(ACME), tenant_id="acme", targets=TARGETS, escalation=steps)
    for wrong in ({"does": "suggest"}, {"act": "raise_priority"}):
        with pytest.raises(ValidationError, match="channels belong to the act notify"):
            PolicySettings.model_validate({"targets": TARGETS, "escalation": [{**told("ops"), **wrong}]})
