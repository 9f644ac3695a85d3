"""Undo on one item: exactly what was, unless somebody has changed it since."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.contract.enums import ItemStatus, Priority
from quarterdeck.contract.problems import Code, Problem
from tests.support.desk import ANA, BEN, Desk, refused

# What undo does not bring back: it is a change itself, and is counted and dated as one.
_NOT_RESTORED = {"version", "updated_at"}


def values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _NOT_RESTORED}


def step(verb: str, **choices: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A verb with one of the values for each of its parameters."""
    params = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in choices.items()})
    return st.tuples(st.just(verb), params)


STEPS = st.one_of(
    step("claim"),
    step("release"),
    step("assign", assignee=["ana", "zoé", None]),
    step("set-priority", priority=[str(priority) for priority in Priority]),
    step("set-category", category=["5", "null", "it's", None]),
    step("update-status", status=[str(status) for status in list(ItemStatus)[:6]]),
    step("delete"),
    step("restore"),
    step("comment", body=["so it is"]),
    step("undo"),
)
_REFUSED = (Code.WRONG_STATE, Code.UNCHANGED, Code.NOT_FOUND, Code.ALREADY_ASSIGNED)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
@given(steps=st.lists(STEPS, min_size=1, max_size=14))
async def test_undo_restores_every_value_whatever_came_before(desk: Desk, steps: Any) -> None:
    (item,) = await desk.new(category="old")
    ana = desk.by(ANA)
    # The state before each change that is not undone, with the event that left it.
    last: tuple[int, dict[str, Any]] | None = None
    for verb, params in steps:
        before = await desk.row(item)
        if verb == "undo":
            if last is not None:
                event, was = last
                undone = await ana.undo(item, event)
                assert values(await desk.row(item)) == values(was)
                last = (undone.event_id, before)
            continue
        result, code = None, None
        try:
            result = await ana.act(item, verb, **params)
        except Problem as problem:
            code = problem.code
        if result is None:
            assert code in _REFUSED
            assert await desk.row(item) == before
            continue
        if verb == "comment":
            if last is not None:
                last = (last[0], {**last[1], "comments": last[1]["comments"] + 1})
            with refused(Code.NOT_UNDOABLE, "comment"):
                await ana.undo(item, result.event_id)
        else:
            last = (result.event_id, before)


async def test_what_has_changed_since_is_left_alone(desk: Desk) -> None:
    (item,) = await desk.new()
    first = await desk.act(item, "set-priority", priority="urgent")
    second = await desk.by(BEN).act(item, "set-category", category="vip")
    with refused(Code.CHANGED_SINCE, f"Item {item} has changed since you looked"):
        await desk.undo(item, first.event_id)
    await desk.undo(item, second.event_id)
    with refused(Code.CHANGED_SINCE):
        await desk.undo(item, first.event_id)


async def test_undo_undoes_once(desk: Desk) -> None:
    (item,) = await desk.new()
    done = await desk.act(item, "resolve")
    await desk.undo(item, done.event_id)
    with refused(Code.CHANGED_SINCE):
        await desk.undo(item, done.event_id)


async def test_a_claim_comes_back_with_its_lease(desk: Desk) -> None:
    (item,) = await desk.new()
    await desk.by(ANA).act(item, "claim")
    claimed = values(await desk.row(item))
    taken = await desk.act(item, "assign", assignee="ben")
    assert (await desk.row(item))["claimed_until"] is None
    await desk.undo(item, taken.event_id)
    assert values(await desk.row(item)) == claimed


async def test_delete_and_restore_are_undone_too(desk: Desk) -> None:
    (item,) = await desk.new()
    deleted = await desk.act(item, "delete")
    in_bin = values(await desk.row(item))
    await desk.undo(item, deleted.event_id)
    assert await desk.ids() == [item]
    again = await desk.act(item, "delete")
    restored = await desk.act(item, "restore")
    await desk.undo(item, restored.event_id)
    row = values(await desk.row(item))
    assert row["deleted_at"] >= in_bin["deleted_at"]
    assert {**row, "deleted_at": 0} == {**in_bin, "deleted_at": 0}
    assert again.undoable


async def test_an_event_of_another_item_or_of_none_is_refused(desk: Desk) -> None:
    one, other = await desk.new(2)
    event = (await desk.act(other, "resolve")).event_id
    with refused(Code.NOT_FOUND, f"Item {one} has no event {event}"):
        await desk.undo(one, event)
    created = (await desk.events(one))[0].id
    with refused(Code.NOT_UNDOABLE, "created"):
        await desk.undo(one, created)


async def test_acts_are_taken_back_one_after_the_other(desk: Desk) -> None:
    ana = desk.by(ANA)
    (item,) = await desk.new()
    new = values(await desk.row(item))
    first = await ana.act(item, "claim")
    claimed = values(await desk.row(item))
    second = await ana.act(item, "set-priority", priority="urgent")
    third = await ana.act(item, "resolve")
    await ana.undo(item, third.event_id)
    await ana.undo(item, second.event_id)
    assert values(await desk.row(item)) == claimed
    with refused(Code.CHANGED_SINCE):
        await ana.undo(item, second.event_id)
    await ana.undo(item, first.event_id)
    assert values(await desk.row(item)) == new


async def test_what_somebody_else_did_in_between_stays_in_the_way(desk: Desk) -> None:
    ana, ben = desk.by(ANA), desk.by(BEN)
    (item,) = await desk.new()
    first = await ana.act(item, "set-priority", priority="urgent")
    await ben.act(item, "set-category", category="vip")
    second = await ana.act(item, "set-priority", priority="low")
    await ana.undo(item, second.event_id)
    with refused(Code.CHANGED_SINCE):
        await ana.undo(item, first.event_id)


async def test_an_undo_that_was_itself_taken_back_stays_in_the_way(desk: Desk) -> None:
    ana = desk.by(ANA)
    (item,) = await desk.new()
    first = await ana.act(item, "set-priority", priority="urgent")
    second = await ana.act(item, "set-category", category="vip")
    undone = await ana.undo(item, second.event_id)
    redone = await ana.undo(item, undone.event_id)
    with refused(Code.CHANGED_SINCE):
        await ana.undo(item, first.event_id)
    await ana.undo(item, redone.event_id)
    await ana.undo(item, first.event_id)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
@given(steps=st.lists(st.one_of(STEPS, step("undo"), step("undo"), step("redo")), min_size=4, max_size=16))
async def test_one_goes_back_through_all_one_did_and_forth_again(desk: Desk, steps: Any) -> None:
    """Undo after undo, as far as one's own work reaches; redo is the undo of an undo."""
    (item,) = await desk.new(category="old")
    ana = desk.by(ANA)
    done: list[tuple[int, dict[str, Any]]] = []  # (event, values before it), the newest last
    taken_back: tuple[int, int, dict[str, Any]] | None = None  # (event of the undo, event it undid, values before that)
    for verb, params in steps:
        before = values(await desk.row(item))
        if verb == "undo":
            if done:
                event, was = done.pop()
                undone = (await ana.undo(item, event)).event_id
                assert {**values(await desk.row(item)), "comments": 0} == {**was, "comments": 0}
                taken_back = (undone, event, was)
            continue
        if verb == "redo":
            if taken_back is not None:
                undone, _, was = taken_back
                again = (await ana.undo(item, undone)).event_id
                done.append((again, was))
                taken_back = None
            continue
        try:
            event = (await ana.act(item, verb, **params)).event_id
        except Problem:
            continue
        if verb != "comment":
            done.append((event, before))
            taken_back = None
