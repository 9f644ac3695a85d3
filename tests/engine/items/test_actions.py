"""Every action in every state, one item at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quarterdeck.contract.actions import ACTIONS, Action, item_actions
from quarterdeck.contract.clock import MINUTE, now_ms
from quarterdeck.contract.enums import Resource, Role
from quarterdeck.contract.problems import Code
from quarterdeck.contract.transitions import ITEM_TRANSITIONS, can_move, statuses
from quarterdeck.engine.items import acts
from quarterdeck.engine.items.actions import known_verbs
from quarterdeck.engine.items.claims import claim_next
from tests.support.desk import ANA, BEN, ROOT, SUPPORT, Desk, refused
from tests.support.hostile import TEXTS as ALL_TEXTS

TEXTS = ALL_TEXTS[::4]

SAMPLES: dict[str, dict[str, Any]] = {
    "assign": {"assignee": "zoe"},
    "set-priority": {"priority": "urgent"},
    "set-category": {"category": "vip"},
    "reject": {"reason": "broken seal"},
    "comment": {"body": "hello"},
}


def test_every_declared_action_has_its_effect() -> None:
    # A retry goes through to the dead letter behind an exception; see `dead_letters`.
    assert {action.verb for action in item_actions()} == known_verbs() | {"retry"}


@pytest.mark.parametrize("resource", Resource)
async def test_an_action_applies_to_its_states_and_to_no_other(desk: Desk, resource: Resource) -> None:
    there = desk.at(resource)
    for action in [action for action in ACTIONS.values() if action.resource is resource]:
        if action.verb in ("update-status", "restore", "retry"):
            continue
        for status in statuses(resource):
            (item,) = await there.new()
            await there.force(item, status=status)
            await check(there, action, item, status)


async def check(desk: Desk, action: Action, item: int, status: str) -> None:
    before = await desk.row(item)
    params = SAMPLES.get(action.verb, {})
    if action.verb == "release":
        await desk.force(item, assignee="root")
        before = await desk.row(item)
    if status not in action.from_states:
        with refused(Code.WRONG_STATE, status) as caught:
            await desk.act(item, action.verb, **params)
        if action.to is not None:
            assert f"cannot become {action.to}" in caught.value.detail
        assert caught.value.extra == {"status": status, "applies_to": sorted(action.from_states)}
        assert await desk.row(item) == before
        assert len(await desk.events(item)) == 1
        return
    result = await desk.act(item, action.verb, **params)
    after = await desk.row(item)
    assert after["version"] == before["version"] + (action.verb != "comment")
    assert after["updated_at"] >= before["updated_at"]
    if action.to is not None:
        assert after["status"] == action.to
    told = (await desk.events(item))[-1]
    assert (told.id, told.actor, told.version_after) == (result.event_id, "root", after["version"])
    for name, (was, became) in (told.changes or {}).items():
        if name != "priority":
            assert (was, became) == (before[name], after[name]), (action.verb, name)
    assert result.undoable is action.undoable


@pytest.mark.parametrize("resource", Resource)
async def test_update_status_follows_the_transition_table(desk: Desk, resource: Resource) -> None:
    there, table = desk.at(resource), ITEM_TRANSITIONS[resource]
    for status in statuses(resource):
        for target in statuses(resource):
            (item,) = await there.new()
            await there.force(item, status=status)
            if can_move(table, status, target):
                assert (await there.act(item, "update-status", status=target)).item.status == target
            else:
                with refused(Code.WRONG_STATE, f"it is {status} and cannot become {target}"):
                    await there.act(item, "update-status", status=target)


async def test_what_would_change_nothing_is_said_to_change_nothing(desk: Desk) -> None:
    (item,) = await desk.new(priority="high", category="vip")
    await desk.act(item, "assign", assignee="zoe")
    for verb, params in (
        ("set-priority", {"priority": "high"}),
        ("set-category", {"category": "vip"}),
        ("assign", {"assignee": "zoe"}),
    ):
        with refused(Code.UNCHANGED, "nothing would change"):
            await desk.act(item, verb, **params)
    await desk.act(item, "assign", assignee=None)
    for verb, params in (("release", {}), ("assign", {"assignee": None})):
        with refused(Code.UNCHANGED):
            await desk.act(item, verb, **params)
    (unfiled,) = await desk.new()
    with refused(Code.UNCHANGED):
        await desk.act(unfiled, "set-category", category=None)


async def test_a_claim_is_one_persons(desk: Desk) -> None:
    (item,) = await desk.new()
    claimed = await desk.by(ANA).act(item, "claim")
    assert (claimed.item.assignee, claimed.item.status) == ("ana", "in_progress")
    left = (await desk.row(item))["claimed_until"] - now_ms()
    assert 29 * MINUTE < left <= 30 * MINUTE
    await desk.force(item, status="open")
    with refused(Code.ALREADY_ASSIGNED, "ana has it"):
        await desk.by(BEN).act(item, "claim")


async def test_whoever_looked_at_an_older_version_is_told(desk: Desk) -> None:
    (item,) = await desk.new()
    await desk.act(item, "set-priority", priority="low", version=1)
    with refused(Code.CHANGED_SINCE, "has changed since you looked"):
        await desk.act(item, "set-priority", priority="high", version=1)
    await desk.act(item, "comment", body="a comment is no change of the item", version=2)
    await desk.act(item, "set-priority", priority="high", version=2)


async def test_the_bin_takes_and_gives_back(desk: Desk) -> None:
    (item,) = await desk.new(category="vip")
    with refused(Code.NOT_FOUND, "may be in the bin"):
        await desk.act(item, "restore")
    await desk.act(item, "delete", reason="twice")
    assert await desk.ids() == []
    assert await desk.ids("is:deleted") == [item]
    assert (await desk.show(item)).deleted_at is not None
    for verb, params in (("delete", {}), ("assign", {"assignee": "zoe"}), ("comment", {"body": "x"})):
        with refused(Code.NOT_FOUND):
            await desk.act(item, verb, **params)
    restored = await desk.act(item, "restore")
    assert restored.item.deleted_at is None
    assert await desk.ids() == [item]


async def test_roles_are_asked_for_whichever_way_leads_there(desk: Desk) -> None:
    there = desk.at(Resource.RETURNS)
    (item,) = await there.new()
    await there.force(item, status="received")
    for verb, params in (("refund", {}), ("update-status", {"status": "refunded"})):
        with refused(Code.FORBIDDEN, "Refund needs the role admin; yours is operator"):
            await there.by(ANA).act(item, verb, **params)
        with refused(Code.FORBIDDEN, "Refund needs the role admin"):
            await there.by(ANA).draft(verb, [item], **params)
    boss = there.by(replace(ANA, role=Role.ADMIN))
    refund = await boss.act(item, "update-status", status="refunded")
    with refused(Code.FORBIDDEN, "Refund needs the role admin"):
        await there.by(ANA).undo(item, refund.event_id)
    assert (await boss.undo(item, refund.event_id)).item.status == "received"


async def test_what_is_missing_or_wrong_is_named(desk: Desk) -> None:
    (item,) = await desk.new()
    with refused(Code.NOT_FOUND, "no action fly on support_tasks"):
        await desk.act(item, "fly")
    with refused(Code.NOT_FOUND, "no action refund on support_tasks"):
        await desk.act(item, "refund")
    with refused(Code.INVALID_INPUT, "Assign: assignee is missing or not valid") as caught:
        await desk.act(item, "assign")
    assert caught.value.errors[0][0] == "/params/assignee"
    with refused(Code.INVALID_INPUT) as caught:
        await desk.act(item, "set-priority", priority="very", speed=1)
    assert {pointer for pointer, _ in caught.value.errors} == {"/params/priority", "/params/speed"}
    with refused(Code.NOT_FOUND, "There is no item 999 in support_tasks"):
        await desk.act(999, "claim")
    with refused(Code.NOT_FOUND, f"There is no item {item} in returns"):
        await desk.at(Resource.RETURNS).act(item, "claim")


async def test_hostile_words_are_only_words(desk: Desk) -> None:
    ids = await desk.new(len(TEXTS))
    for item, text in zip(ids, TEXTS, strict=True):
        await desk.act(item, "assign", assignee=text[:1_000], reason=text)
        await desk.act(item, "comment", body=text)
        assigned, said = (await desk.events(item))[-2:]
        assert assigned.changes["assignee"] == [None, text[:1_000]]
        assert (assigned.body, said.body) == (text, text)
        undone = await desk.undo(item, assigned.id)
        assert undone.item.assignee is None
        again = await desk.undo(item, undone.event_id)
        assert again.item.assignee == text[:1_000]


async def test_the_timeline_is_read_page_by_page(desk: Desk) -> None:
    (item,) = await desk.new()
    for number in range(7):
        await desk.act(item, "comment", body=str(number))
    seen: list[str | None] = []
    cursor = None
    while True:
        page = await desk.events_page(item, limit=3, cursor=cursor)
        seen += [event.body for event in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["6", "5", "4", "3", "2", "1", "0", None]


# ----- claims that are worked on, put back, lost


async def test_skip_puts_back_and_offers_something_else(desk: Desk) -> None:
    best, second = await desk.new(1, priority="urgent") + await desk.new(1)
    mine = desk.by(ANA)
    assert (await next_of(mine)).id == best
    skipped = await acts.skip(desk.engine, ANA, SUPPORT, best, "not my language")
    assert (skipped.item.assignee, skipped.item.status, skipped.item.claimed_until) == (None, "open", None)
    assert (await desk.events(best))[-1].body == "not my language"
    assert (await next_of(mine)).id == second
    assert (await next_of(desk.by(BEN))).id == best
    with refused(Code.NOT_YOURS, "ben has it"):
        await acts.skip(desk.engine, ANA, SUPPORT, best, "still not")
    await acts.skip(desk.engine, BEN, SUPPORT, best, "nor mine")
    with refused(Code.NOTHING_TO_CLAIM, "widen the filter"):
        await next_of(mine)
    with refused(Code.NOT_YOURS, "nobody has it"):
        await acts.skip(desk.engine, ANA, SUPPORT, best, "again")


async def next_of(desk: Desk, filter_: str = "") -> Any:
    return (await claim_next(desk.engine, desk.who, desk.resource, filter_)).item


async def test_a_lease_is_renewed_by_its_holder_only(desk: Desk) -> None:
    (item,) = await desk.new()
    await desk.by(ANA).act(item, "claim")
    await desk.force(item, claimed_until=now_ms() + 1_000)
    version = (await desk.row(item))["version"]
    renewed = await acts.renew(desk.engine, ANA, SUPPORT, item)
    assert renewed.claimed_until is not None
    after = await desk.row(item)
    assert after["claimed_until"] > now_ms() + 29 * MINUTE
    assert after["version"] == version
    with refused(Code.NOT_YOURS, "ana has it"):
        await acts.renew(desk.engine, BEN, SUPPORT, item)
    await desk.act(item, "assign", assignee="ben")
    assert (await acts.renew(desk.engine, BEN, SUPPORT, item)).claimed_until is None


async def test_what_tenants_one_has_is_all_one_sees(desk: Desk) -> None:
    (mine,), (foreign,) = await desk.new(1), await desk.new(1, tenant_id="globex")
    narrow = desk.by(replace(ANA, tenants=frozenset({"acme"})))
    await desk.act(foreign, "assign", assignee="ana")
    event = (await desk.events(foreign))[-1].id
    assert await narrow.ids() == [mine]
    assert await narrow.ids(ids=f"{foreign},{mine}") == [mine]
    assert await narrow.count("tenant:globex") == 0
    assert (await narrow.select()).count == 1
    for attempt in (
        narrow.show(foreign),
        narrow.events_page(foreign),
        narrow.act(foreign, "comment", body="hello"),
        narrow.undo(foreign, event),
        acts.skip(desk.engine, narrow.who, SUPPORT, foreign, "x"),
        acts.renew(desk.engine, narrow.who, SUPPORT, foreign),
    ):
        with refused(Code.NOT_FOUND, f"There is no item {foreign} in support_tasks"):
            await attempt
    nothing = desk.by(replace(ANA, tenants=frozenset()))
    assert await nothing.ids() == []
    assert await nothing.count() == 0
    with refused(Code.NOTHING_TO_CLAIM):
        await next_of(nothing)
    assert (await desk.by(ROOT).show(foreign)).assignee == "ana"
