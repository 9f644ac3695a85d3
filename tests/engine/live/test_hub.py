"""Who looks sees what changes; who looks slowly sees it merged; nobody holds up the engine."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quarterdeck.contract.enums import Role
from quarterdeck.contract.live import MOST_IDS_NAMED, Message
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.live.hub import MOST_WAITING, Hub, Subscription

EVERYBODY = Principal("sue", Role.SUPER_ADMIN)


def changed(*ids: int, resource: str = "returns", change: str = "updated") -> dict[str, Any]:
    return {"type": "resource_changed", "resource": resource, "change": change, "ids": list(ids)}


def moved(operation_id: int, **more: Any) -> dict[str, Any]:
    return {"type": "operation_changed", "operation": {"id": operation_id, **more}}


async def waiting(subscription: Subscription) -> list[dict[str, Any]]:
    found = []
    while subscription.has_waiting:
        found.append(await anext(subscription))
    return found


async def test_messages_come_in_order() -> None:
    hub = Hub()
    subscription = hub.subscribe(EVERYBODY)
    hub.publish(changed(1), None)
    hub.publish(moved(5), None)
    assert await waiting(subscription) == [changed(1), moved(5)]


async def test_what_was_not_read_yet_is_merged() -> None:
    hub = Hub()
    subscription = hub.subscribe(EVERYBODY)
    hub.publish(changed(1, 2), None)
    hub.publish(changed(2, 3), None)
    hub.publish(changed(9, change="deleted"), None)
    hub.publish(moved(5, succeeded=1), None)
    hub.publish(moved(5, succeeded=2), None)
    assert await waiting(subscription) == [
        changed(1, 2, 3),
        changed(9, change="deleted"),
        moved(5, succeeded=2),
    ]


async def test_too_many_ids_are_not_named() -> None:
    hub = Hub()
    subscription = hub.subscribe(EVERYBODY)
    for number in range(MOST_IDS_NAMED + 1):
        hub.publish(changed(number), None)
    hub.publish(changed(1), None)
    (message,) = await waiting(subscription)
    assert message["ids"] is None


async def test_who_falls_behind_is_told_to_look_again_and_nothing_grows() -> None:
    hub = Hub()
    slow, quick = hub.subscribe(EVERYBODY), hub.subscribe(EVERYBODY)
    seen = []
    for number in range(MOST_WAITING * 20):
        hub.publish(moved(number), None)
        seen += await waiting(quick)
    assert [each["operation"]["id"] for each in seen] == list(range(MOST_WAITING * 20))
    assert await waiting(slow) == [{"type": "resync"}]
    hub.publish(moved(1), None)
    assert await waiting(slow) == [moved(1)]


async def test_tenants_are_kept_apart() -> None:
    hub = Hub()
    acme = hub.subscribe(Principal("ana", Role.OPERATOR, frozenset({"acme"})))
    hub.publish(changed(1), frozenset({"acme"}))
    hub.publish(changed(2), frozenset({"globex"}))
    hub.publish(moved(3), None)
    assert await waiting(acme) == [changed(1), moved(3)]


async def test_an_operation_is_told_of_to_its_owner_and_to_who_sees_everything() -> None:
    hub = Hub()
    ana, ben = (hub.subscribe(Principal(name, Role.OPERATOR, frozenset({"acme"}))) for name in ("ana", "ben"))
    sue = hub.subscribe(EVERYBODY)
    hub.publish(moved(3), None, owner="ana")
    assert await waiting(ana) == await waiting(sue) == [moved(3)]
    assert not ben.has_waiting


@pytest.mark.parametrize("tenants", [None, frozenset({"acme", "globex"})])
async def test_ids_of_many_tenants_are_not_named_to_one(tenants: frozenset[str] | None) -> None:
    hub = Hub()
    acme = hub.subscribe(Principal("ana", Role.OPERATOR, frozenset({"acme"})))
    sue = hub.subscribe(EVERYBODY)
    hub.publish(changed(1), tenants)
    assert await waiting(acme) == [{**changed(1), "ids": None}]
    assert await waiting(sue) == [changed(1)]


async def test_publishing_does_not_touch_what_another_holds() -> None:
    hub = Hub()
    one, other = hub.subscribe(EVERYBODY), hub.subscribe(EVERYBODY)
    message = changed(1)
    hub.publish(message, None)
    hub.publish(changed(2), None)
    assert await waiting(one) == await waiting(other) == [changed(1, 2)]
    assert message == changed(1)


async def test_subscriptions_end_when_they_or_the_hub_close() -> None:
    hub = Hub()
    gone, stays = hub.subscribe(EVERYBODY), hub.subscribe(EVERYBODY)
    watch = hub.watch(1)
    assert hub.subscribers == 3
    gone.close()
    assert hub.subscribers == 2
    waits = asyncio.ensure_future(anext(stays))
    await asyncio.sleep(0)
    hub.close()
    with pytest.raises(StopAsyncIteration):
        await waits
    with pytest.raises(StopAsyncIteration):
        await anext(watch)
    assert hub.subscribers == 0
    assert [each async for each in hub.subscribe(EVERYBODY)] == []


async def test_a_watch_sees_the_newest_state_and_then_the_end() -> None:
    hub = Hub()
    watch = hub.watch(4)
    assert hub.is_watched(4)
    watch.begin({"id": 4, "succeeded": 0}, False)
    assert (await anext(watch))["operation"]["succeeded"] == 0
    began = asyncio.get_running_loop().time()
    for succeeded in range(1, 50):
        hub.publish_progress({"id": 4, "succeeded": succeeded}, False)
    hub.publish_progress({"id": 5, "succeeded": 99}, False)
    assert await anext(watch) == {"type": "progress_update", "operation": {"id": 4, "succeeded": 49}}
    assert asyncio.get_running_loop().time() - began >= 0.09  # at most ten a second
    hub.publish_progress({"id": 4, "succeeded": 50}, True)
    hub.publish_progress({"id": 4, "succeeded": 51}, False)
    assert [each async for each in watch] == [{"type": "operation_completed", "operation": {"id": 4, "succeeded": 50}}]


async def test_a_watch_that_begins_late_does_not_go_back() -> None:
    hub = Hub()
    watch = hub.watch(4)
    hub.publish_progress({"id": 4, "succeeded": 2}, True)
    watch.begin({"id": 4, "succeeded": 1}, False)
    assert [each["operation"]["succeeded"] async for each in watch] == [2]
    watch.close()
    assert not hub.is_watched(4)


async def test_figures_are_said_at_once_and_then_now_and_then() -> None:
    hub = Hub()
    subscription = hub.subscribe(EVERYBODY)
    for _ in range(50):
        hub.publish_figures(Message.QUEUES_CHANGED)
    assert await waiting(subscription) == [{"type": "queues_changed"}]
    # The moves that came meanwhile are said, once, within a second or so.
    async with asyncio.timeout(10):
        assert await anext(subscription) == {"type": "queues_changed"}
    assert not subscription.has_waiting
    hub.publish_figures(Message.QUEUES_CHANGED)
    hub.close()  # and what still waits to be said is given up
