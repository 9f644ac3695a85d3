"""Whatever people do in whatever order: clocks that were kept are those that timelines give, and due when they say."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND
from quarterdeck.contract.models.sla import PolicyChange
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.items.tables import NO_DUE, items
from quarterdeck.engine.sla import policies, sweep
from quarterdeck.engine.sla.tables import sla_clocks, sla_due
from tests.engine.sla.world import MONDAY, OFFICE, TARGETS, Time, differing, enter, promise
from tests.support.desk import RETURNS, ROOT, SUPPORT, Desk, wipe

# As somebody may say it; most of it is refused in most states.
QUEUES = st.sampled_from((SUPPORT, RETURNS))
PRIORITIES = st.sampled_from(("urgent", "high", "normal", "low"))
STATES = ("open", "in_progress", "waiting", "resolved", "closed", "approved", "received", "refunded", "rejected")
ACTS = st.one_of(
    st.sampled_from(("claim", "release", "resolve", "approve", "mark-received", "refund")).map(lambda verb: (verb, {})),
    st.sampled_from(("delete", "restore", "cancel", "reopen")).map(lambda verb: (verb, {"reason": "So it is."})),
    st.just(("comment", {"body": "Hm."})),
    st.just(("reject", {"reason": "Worn."})),
    PRIORITIES.map(lambda each: ("set-priority", {"priority": each})),
    st.sampled_from(STATES).map(lambda each: ("update-status", {"status": each})),
)
PROMISES = st.fixed_dictionaries(
    {
        "targets": st.sampled_from((TARGETS, TARGETS[:1], [{"priority": "high", "resolution_minutes": 1}, *TARGETS])),
        "calendar": st.sampled_from(
            (None, OFFICE, {**OFFICE, "timezone": "Europe/Stockholm", "holidays": ["2026-11-24"]})
        ),
        "pauses": st.sampled_from((["waiting"], ["approved", "waiting"], [])),
        "escalation": st.sampled_from(
            (
                [],
                [{"percent": 50, "act": "raise_priority", "does": "do"}],
                [{"percent": 30, "act": "assign", "assignee": "lead", "does": "suggest"}],
            )
        ),
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), QUEUES, PRIORITIES),
        st.tuples(st.just("act"), st.integers(0, 5), ACTS),
        st.tuples(st.just("bulk"), QUEUES, ACTS),
        st.tuples(st.just("undo"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.sampled_from((1, SECOND, 7 * MINUTE, HOUR, 9 * HOUR, 3 * DAY))),
        st.tuples(st.just("promise"), QUEUES, PROMISES),
        st.tuples(st.just("sweep")),
    ),
    min_size=6,
    max_size=25,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PROMISES, STEPS)
async def test_a_replay_gives_the_same_clocks(desk: Desk, time: Time, made: dict[str, Any], steps: list[Any]) -> None:
    """Also over changes of what is promised: clocks that have started keep what held then."""
    await wipe(desk.engine.store)
    time.now = MONDAY
    policy_ids = {queue: await promise(desk.at(queue), **made) for queue in (SUPPORT, RETURNS)}
    known = [(SUPPORT, (await enter(desk, priority="normal"))[0]), (RETURNS, (await enter(desk.at(RETURNS)))[0])]
    for name, *given_ in steps:
        try:
            await _do(desk, time, policy_ids, known, name, *given_)
        except Problem as problem:  # not from that state
            if problem.status >= 500:
                raise
    for queue in (SUPPORT, RETURNS):
        assert await differing(desk.at(queue)) == 0
    await due_as_they_say(desk)


async def _do(
    desk: Desk, time: Time, policy_ids: dict[Any, int], known: list[tuple[Any, int]], name: str, *given_: Any
) -> None:
    match name, *given_:
        case "enter", queue, priority:
            known.append((queue, (await enter(desk.at(queue), priority=priority))[0]))
        case "act", number, (verb, params):
            queue, item = known[number % len(known)]
            await desk.at(queue).act(item, verb, **params)
        case "undo", number:
            queue, item = known[number % len(known)]
            changed = [each.id for each in await desk.events(item) if each.changes and each.version_after]
            if changed:
                await desk.at(queue).undo(item, changed[-1])
        case "bulk", queue, (verb, params):
            await desk.at(queue).bulk(verb, [item for of, item in known if of is queue], **params)
        case "pass", milliseconds:
            time.pass_(milliseconds)
        case "promise", queue, anew:
            change = PolicyChange.model_validate({"settings": anew})
            await policies.change_policy(desk.engine, ROOT, policy_ids[queue], change)
        case _:
            await sweep.sweep(desk.engine)


async def due_as_they_say(desk: Desk) -> None:
    """What a sweep goes by, and what a queue is sorted by, is what the clocks say."""
    async with desk.engine.store.read() as connection:
        clocks = (await connection.execute(select(sla_clocks))).all()
        places = (await connection.execute(select(sla_due.c.item_id, sla_due.c.target, sla_due.c.next_at))).all()
        due = {row.id: row.sla_due_at for row in await connection.execute(select(items.c.id, items.c.sla_due_at))}
    assert set(map(tuple, places)) <= {(each.item_id, each.target, each.next_at) for each in clocks}
    for item, at in due.items():
        mine = [each.due_at for each in clocks if each.item_id == item and each.ended_at is None and each.due_at]
        assert at == min(mine, default=NO_DUE)
