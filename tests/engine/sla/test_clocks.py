"""Clocks of items that people work on: what they show, what they write, and that a replay gives the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, iso, to_datetime
from quarterdeck.contract.enums import ClockState, Resource
from quarterdeck.contract.models.dead_letters import NewDeadLetters
from quarterdeck.contract.models.items import ImportBatch
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.models.sla import (
    BreachQuery,
    ClockQuery,
    FigureQuery,
    PolicyChange,
    PolicySettings,
    ReplayRequest,
)
from quarterdeck.contract.problems import Code
from quarterdeck.engine.dead_letters import posting
from quarterdeck.engine.items import ingest
from quarterdeck.engine.items.tables import item_events
from quarterdeck.engine.queues import changes
from quarterdeck.engine.sla import figures, lists, policies, proving, sweep
from tests.engine.channels.world import make as channel
from tests.engine.sla.world import (
    DONE,
    FIRST,
    MONDAY,
    OFFICE,
    TARGETS,
    Time,
    clocks,
    differing,
    due,
    enter,
    lines,
    promise,
)
from tests.support.desk import ACME, ROOT, SUPPORT, Desk, refused


async def test_clocks_start_when_an_item_enters_and_say_when_it_is_due(desk: Desk) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    assert await due(desk, item) == "Mon 10:00"  # the first response comes first
    found = await clocks(desk, item)
    assert (found[FIRST].state, found[DONE].state) == (ClockState.RUNNING, ClockState.RUNNING)
    assert iso(int(found[DONE].due_at.timestamp() * 1000)) == "2026-11-23T17:00:00Z"
    assert await lines(desk, item) == [("Mon 09:00", "started")]


async def test_without_a_policy_there_is_no_clock(desk: Desk) -> None:
    await promise(desk, tenant_id="globex")
    (item,) = await enter(desk, sla_due_at="2027-01-01T00:00:00Z")
    assert await clocks(desk, item) == {}
    assert await due(desk, item) == "Fri 00:00"  # as it was given


async def test_the_most_particular_policy_counts(desk: Desk) -> None:
    await promise(desk, targets=[{"priority": "normal", "resolution_minutes": 400}])
    await promise(desk, kind="refund", targets=[{"priority": "normal", "resolution_minutes": 300}])
    await promise(desk, tenant_id="acme", targets=[{"priority": "normal", "resolution_minutes": 200}])
    await promise(desk, tenant_id="acme", kind="refund", targets=[{"priority": "normal", "resolution_minutes": 100}])
    for tenant, kind, minutes in (
        ("acme", "refund", 100), ("acme", "question", 200), ("globex", "refund", 300), ("globex", "question", 400),
    ):  # fmt: skip
        (item,) = await enter(desk, tenant_id=tenant, kind=kind)
        assert (await clocks(desk, item))[DONE].target_minutes == minutes


async def test_the_first_word_meets_the_first_response_and_nothing_moves_it_later(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(20 * MINUTE)
    await desk.act(item, "comment", body="We are looking.")
    met = (await clocks(desk, item))[FIRST]
    assert (met.state, met.used_minutes) == (ClockState.MET, 20)
    assert await due(desk, item) == "Mon 17:00"
    time.pass_(20 * MINUTE)
    await desk.act(item, "claim")
    await desk.act(item, "comment", body="Nearly there.")
    await desk.act(item, "release")
    assert (await clocks(desk, item))[FIRST] == met


async def test_waiting_pauses_and_going_on_moves_the_time_it_is_due(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(60 * MINUTE)
    await desk.act(item, "update-status", status="waiting")
    assert await due(desk, item) is None
    assert (await clocks(desk, item))[DONE].state is ClockState.PAUSED
    time.pass_(30 * HOUR)
    assert (await clocks(desk, item))[DONE].used_minutes == 60
    await desk.act(item, "update-status", status="open")
    assert await due(desk, item) == "Tue 23:00"  # seven hours are left
    assert [word for _, word in await lines(desk, item)] == ["started", "met", "paused", "resumed"]


async def test_only_office_hours_count(desk: Desk, time: Time) -> None:
    await promise(desk, calendar=OFFICE)
    time.pass_(7 * HOUR + 30 * MINUTE)
    (item,) = await enter(desk)
    assert await due(desk, item) == "Tue 08:30"
    await desk.act(item, "comment", body="Tomorrow.")
    assert await due(desk, item) == "Tue 15:30"


async def test_the_priority_of_the_moment_counts(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    await desk.act(item, "comment", body="Yes?")
    time.pass_(HOUR)
    await desk.act(item, "set-priority", priority="urgent")
    assert await due(desk, item) == "Mon 11:00"
    await desk.act(item, "set-priority", priority="normal")
    assert await due(desk, item) == "Mon 17:00"
    await desk.act(item, "set-priority", priority="low")  # for which nothing is promised
    assert (await clocks(desk, item))[DONE].state is ClockState.CANCELLED
    assert await due(desk, item) is None


async def test_a_priority_for_which_it_is_too_late_is_a_breach_of_now(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    await desk.act(item, "comment", body="Yes?")
    time.pass_(3 * HOUR)
    await desk.act(item, "set-priority", priority="urgent")
    time.pass_(SECOND)
    await sweep.sweep(desk.engine)
    found = (await clocks(desk, item))[DONE]
    assert (found.state, found.breached_at) == (ClockState.BREACHED, to_datetime(MONDAY + 3 * HOUR))


async def test_a_breach_is_told_with_the_time_it_was_due_and_runs_on(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(9 * HOUR)
    await sweep.sweep(desk.engine)
    found = await clocks(desk, item)
    assert [each.state for each in found.values()] == [ClockState.BREACHED] * 2
    assert await lines(desk, item) == [("Mon 09:00", "started"), ("Mon 10:00", "breached"), ("Mon 17:00", "breached")]
    assert await due(desk, item) == "Mon 10:00"
    assert (await clocks(desk, item))[DONE].used_minutes == 540
    await desk.act(item, "resolve")
    assert await due(desk, item) is None
    assert (await clocks(desk, item))[DONE].state is ClockState.BREACHED
    assert (await lines(desk, item))[-1] == ("Mon 18:00", "ended")
    time.pass_(9 * HOUR)
    assert (await clocks(desk, item))[DONE].used_minutes == 540  # it does not run on after it ended


async def test_what_ends_when_it_is_due_is_in_time(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(HOUR)
    await sweep.sweep(desk.engine)
    await desk.act(item, "comment", body="At the last moment.")
    assert (await clocks(desk, item))[FIRST].state is ClockState.MET


async def test_what_ends_too_late_before_anybody_swept_is_broken_all_the_same(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(20 * HOUR)
    await desk.act(item, "resolve")
    found = await clocks(desk, item)
    assert {each.state for each in found.values()} == {ClockState.BREACHED}
    assert found[DONE].breached_at == to_datetime(MONDAY + 8 * HOUR)


async def test_reopening_goes_on_with_what_was_used(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(2 * HOUR)
    await desk.act(item, "resolve")
    assert (await clocks(desk, item))[DONE].state is ClockState.MET
    time.pass_(48 * HOUR)
    await desk.act(item, "reopen")
    assert (await clocks(desk, item))[DONE].state is ClockState.RUNNING
    assert await due(desk, item) == "Wed 17:00"
    assert await differing(desk) == 0


async def test_undo_takes_the_clock_along(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    await desk.act(item, "comment", body="Yes?")
    time.pass_(HOUR)
    done = await desk.act(item, "resolve")
    assert done.item.sla_due_at is None
    back = await desk.undo(item, done.event_id)
    assert back.item.sla_due_at == to_datetime(MONDAY + 8 * HOUR)
    assert (await clocks(desk, item))[DONE].state is ClockState.RUNNING


async def test_an_item_in_the_bin_is_nobodys_promise_until_it_is_back(desk: Desk, time: Time) -> None:
    await promise(desk)
    (item,) = await enter(desk)
    time.pass_(HOUR // 2)
    await desk.act(item, "delete")
    time.pass_(50 * HOUR)
    await sweep.sweep(desk.engine)
    await desk.act(item, "restore")
    found = await clocks(desk, item)
    assert (found[FIRST].state, found[FIRST].used_minutes) == (ClockState.RUNNING, 30)
    assert await differing(desk) == 0


async def test_a_new_version_holds_for_new_items_and_past_clocks_keep_theirs(desk: Desk, time: Time) -> None:
    policy = await promise(desk)
    (old,) = await enter(desk)
    time.pass_(MINUTE)
    shorter = {"settings": {"targets": [{"priority": "normal", "resolution_minutes": 30}]}}
    await policies.change_policy(desk.engine, ROOT, policy, PolicyChange.model_validate(shorter))
    (new,) = await enter(desk)
    time.pass_(10 * MINUTE)
    await desk.act(old, "update-status", status="waiting")
    await desk.act(old, "update-status", status="open")
    assert (await clocks(desk, old))[DONE].target_minutes == 480
    assert (await clocks(desk, old))[DONE].used_minutes == 11
    assert (await clocks(desk, new))[DONE].target_minutes == 30
    assert (await clocks(desk, new))[DONE].policy_version == 2
    assert await differing(desk) == 0


async def test_bulk_moves_clocks_as_single_acts_do(desk: Desk, time: Time) -> None:
    await promise(desk)
    ids = await enter(desk, 30)
    time.pass_(10 * MINUTE)
    await desk.bulk("set-priority", ids, priority="urgent")
    assert {await due(desk, each) for each in ids} == {"Mon 09:15"}
    assert await differing(desk) == 0


async def test_history_that_is_imported_gets_the_clocks_it_would_have_had(desk: Desk, time: Time) -> None:
    await promise(desk, effective_from="2026-01-01T00:00:00Z")
    events = [
        {"at": at, "actor": "ana", "type": "moved", "changes": {"status": moved}}
        for at, moved in (
            ("2026-11-20T08:00:00Z", [None, "open"]),
            ("2026-11-20T08:30:00Z", ["open", "in_progress"]),
            ("2026-11-20T09:00:00Z", ["in_progress", "waiting"]),
            ("2026-11-21T09:00:00Z", ["waiting", "resolved"]),
        )
    ]
    item = {"external_id": "V-1", "tenant_id": "acme", "kind": "x", "title": "Old", "status": "resolved"}
    batch = ImportBatch.model_validate({"import_id": "one", "items": [{**item, "events": events}]})
    assert (await ingest.import_batch(desk.engine, ROOT, SUPPORT, batch)).created == 1
    (id_,) = await desk.ids()
    found = await clocks(desk, id_)
    assert (found[FIRST].state, found[FIRST].used_minutes) == (ClockState.MET, 30)
    assert (found[DONE].state, found[DONE].used_minutes) == (ClockState.MET, 60)
    # The same with one more line: worked out again.
    again = {"at": "2026-11-22T09:00:00Z", "actor": "ana", "type": "again", "changes": {"status": ["resolved", "open"]}}
    batch = ImportBatch.model_validate(
        {"import_id": "two", "items": [{**item, "status": "open", "events": [*events, again]}]}
    )
    assert (await ingest.import_batch(desk.engine, ROOT, SUPPORT, batch)).updated == 1
    assert (await clocks(desk, id_))[DONE].state is ClockState.BREACHED
    assert await differing(desk) == 0


async def test_a_replay_finds_a_clock_that_was_tampered_with_and_puts_it_right(desk: Desk) -> None:
    from sqlalchemy import update

    from quarterdeck.engine.sla.tables import sla_clocks

    await promise(desk)
    one, other = await enter(desk, 2)
    async with desk.engine.store.write() as transaction:
        wrong = update(sla_clocks).where(sla_clocks.c.item_id == one).values(due_at=sla_clocks.c.due_at + MINUTE)
        await transaction.connection.execute(wrong)
    found = await proving.replay(desk.engine, ROOT, ReplayRequest(resource=SUPPORT))
    assert (found.items, found.clocks, found.differing) == (2, 4, 1)
    assert {each.item_id for each in found.differences} == {one}
    assert await differing(desk, write=True) == 1
    assert await differing(desk) == 0
    assert await due(desk, one) == await due(desk, other) == "Mon 10:00"


async def test_a_policy_made_later_reaches_back_when_it_is_replayed(desk: Desk, time: Time) -> None:
    (item,) = await enter(desk)
    time.pass_(HOUR)
    await promise(desk, effective_from="2026-01-01T00:00:00Z")
    assert await clocks(desk, item) == {}
    assert await differing(desk, write=True) == 1
    assert (await clocks(desk, item))[DONE].used_minutes == 60


async def test_an_escalation_suggests_or_does_what_it_says(desk: Desk, time: Time) -> None:
    steps = [
        {"percent": 50, "act": "assign", "assignee": "lead", "note": "Ask her."},
        {"percent": 75, "act": "raise_priority", "does": "do"},
        {"percent": 100, "act": "notify", "does": "do", "note": "Tell the customer.", "channels": ["ops"]},
    ]
    targets = [{"priority": each, "resolution_minutes": 480} for each in ("high", "normal")]
    await channel(desk.engine, settings={"kind": "webhook", "url": "https://example.org/hook"})
    await promise(desk, targets=targets, escalation=steps)
    (item,) = await enter(desk)
    assert (await lists.item_clocks(desk.engine, ROOT, SUPPORT, item)).suggestions == []
    time.pass_(5 * HOUR)
    await sweep.sweep(desk.engine)
    (found,) = (await lists.item_clocks(desk.engine, ROOT, SUPPORT, item)).suggestions
    assert (found.verb, found.params) == ("assign", {"assignee": "lead"})
    assert found.why == "50 % of the time for the resolution is used up. Ask her."
    await desk.act(item, found.verb, **found.params)
    assert (await lists.item_clocks(desk.engine, ROOT, SUPPORT, item)).suggestions == []
    time.pass_(2 * HOUR)
    await sweep.sweep(desk.engine)
    assert (await desk.show(item)).priority == "high"
    time.pass_(2 * HOUR)
    await sweep.sweep(desk.engine)
    await sweep.sweep(desk.engine)
    async with desk.engine.store.read() as connection:
        said = select(item_events.c.body).where(item_events.c.item_id == item, item_events.c.type == "escalated")
        bodies = list((await connection.execute(said.order_by(item_events.c.id))).scalars())
    assert bodies == [
        "75 % of the time for the resolution is used up.",
        "The time for the resolution is over. Tell the customer. Told: ops.",
    ]
    assert await differing(desk) == 0


async def test_an_escalation_reaches_as_far_as_urgent_and_the_clock_with_it(desk: Desk, time: Time) -> None:
    targets = [{"priority": "urgent", "resolution_minutes": 60}, {"priority": "high", "resolution_minutes": 480}]
    await promise(desk, targets=targets, escalation=[{"percent": 50, "act": "raise_priority", "does": "do"}])
    (item,) = await enter(desk, priority="high")
    time.pass_(5 * HOUR)
    await sweep.sweep(desk.engine)
    assert (await desk.show(item)).priority == "urgent"
    assert (await clocks(desk, item))[DONE].target_minutes == 60
    time.pass_(SECOND)
    await sweep.sweep(desk.engine)
    assert (await clocks(desk, item))[DONE].state is ClockState.BREACHED
    assert await differing(desk) == 0


async def test_a_dead_letter_hands_its_exception_over_with_a_clock(desk: Desk, time: Time) -> None:
    exceptions = replace(desk, resource=Resource.EXCEPTIONS)
    await promise(exceptions)
    await changes.put_queue(desk.engine, ROOT, "refunds", QueueSettings())
    letter = {"tenant_id": "acme", "queue": "refunds", "event_type": "refund.send", "error_code": "503"}
    await posting.add(desk.engine, ROOT, NewDeadLetters.model_validate({"dead_letters": [letter]}))
    (item,) = await exceptions.ids()
    assert await due(exceptions, item) == "Mon 10:00"
    time.pass_(10 * MINUTE)
    await exceptions.act(item, "cancel")
    assert (await clocks(exceptions, item))[DONE].state is ClockState.CANCELLED
    assert await differing(exceptions) == 0


async def test_lists_and_figures_say_what_is_at_risk_and_what_was_kept(desk: Desk, time: Time) -> None:
    await promise(desk)
    kept, broken, near = await enter(desk, 3)
    (foreign,) = await enter(desk, tenant_id="globex")
    for each in (kept, broken, near, foreign):
        await desk.act(each, "comment", body="Yes?")
    time.pass_(2 * HOUR)
    await desk.act(kept, "resolve")
    time.pass_(7 * HOUR)
    await desk.act(broken, "resolve")
    await desk.act(near, "resolve")
    await desk.act(near, "reopen")
    await desk.act(foreign, "resolve")
    (open_one,) = await enter(desk)
    await desk.act(open_one, "comment", body="Yes?")
    time.pass_(6 * HOUR + 30 * MINUTE)
    await sweep.sweep(desk.engine)
    risk = (await lists.at_risk(desk.engine, ROOT, ClockQuery())).items
    assert [(each.item_id, each.target) for each in risk] == [(open_one, DONE)]
    page = await lists.breaches(desk.engine, ROOT, BreachQuery(limit=2))
    rest = await lists.breaches(desk.engine, ROOT, BreachQuery(limit=2, cursor=page.next))
    assert {each.item_id for each in (*page.items, *rest.items)} == {broken, near, foreign}
    assert len((await lists.breaches(desk.engine, ACME, BreachQuery())).items) == 2
    fell = MONDAY + 8 * HOUR
    for values, count in (
        ({"end": fell}, 0),
        ({"end": fell + 1}, 3),
        ({"days": 1}, 0),
        ({"days": 2}, 3),
        ({"days": 1, "end": fell + DAY}, 0),
        ({"days": 2, "end": fell + DAY}, 3),
        ({"days": 1, "end": fell - fell % DAY + DAY}, 3),
        ({"days": 1, "end": fell - fell % DAY}, 0),
    ):
        asked = BreachQuery(**{**values, **({"end": to_datetime(values["end"])} if "end" in values else {})})
        assert len((await lists.breaches(desk.engine, ROOT, asked)).items) == count, values
    figure = await figures.compliance(desk.engine, ACME, FigureQuery(days=2))
    assert (figure.met, figure.breached, figure.percent) == (1, 2, 33.33)
    assert [each.breached for each in figure.periods] == [2, 0]  # yesterday, and today
    took = await figures.resolution_time(desk.engine, ACME, FigureQuery(days=2))
    assert (took.ended, took.median_minutes) == (2, 330)
    assert [(each.priority, each.ended) for each in took.priorities] == [("normal", 2)]
    everybody = await figures.resolution_time(desk.engine, ROOT, FigureQuery(days=2))
    assert (everybody.ended, everybody.median_minutes) == (3, 540)


async def test_a_filter_finds_what_is_due_soon_and_what_is_late(
    desk: Desk, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quarterdeck.engine.items.listing.now_ms", time)
    await promise(desk)
    late, done, soon = await enter(desk, 3)
    await desk.act(soon, "comment", body="Yes?")
    time.pass_(7 * HOUR)
    (fresh,) = await enter(desk)
    await sweep.sweep(desk.engine)
    await desk.act(done, "resolve")
    assert await desk.ids("due:soon") == [late, soon]  # the first response of one is late, its resolution due soon
    assert await desk.ids("due:breached") == [late]
    assert await desk.ids("-due:breached,soon status:open") == [fresh]
    assert await desk.count("is:breached") == 1


async def test_policies_are_each_tenants_own(desk: Desk) -> None:
    acme = desk.by(ACME)
    with refused(Code.FORBIDDEN, "tenants only"):
        await promise(acme)
    mine = await promise(acme, tenant_id="acme")
    foreign = await promise(desk, tenant_id="globex")
    assert [each.id for each in (await policies.list_policies(desk.engine, ACME)).items] == [mine]
    with refused(Code.NOT_FOUND):
        await policies.show_policy(desk.engine, ACME, foreign)
    with refused(Code.NOT_FOUND):
        await policies.delete_policy(desk.engine, ACME, foreign)
    with refused(Code.UNCHANGED, "for the same items already"):
        await promise(desk, tenant_id="acme")
    await policies.delete_policy(desk.engine, ACME, mine)
    assert (await policies.list_policies(desk.engine, ACME)).items == []


async def test_a_policy_whose_calendar_is_none_is_refused_with_its_place_and_not_kept(desk: Desk) -> None:
    """Made or changed: no window, one that never opens, two that overlap, a zone nobody knows."""
    mondays = [(date(2026, 1, 5) + timedelta(weeks=week)).isoformat() for week in range(200)]
    monday = {"days": ["mon"], "start": "08:00", "end": "17:00"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"timezone": "Europe/Atlantis", "windows": [monday]}, "/settings/calendar/timezone"),
        ({"timezone": "UTC", "windows": [monday, monday]}, "/settings/calendar/windows/1"),
        ({"timezone": "UTC", "windows": [monday], "holidays": mondays}, "/settings/calendar"),
    ]
    for calendar, place in wrong:
        with refused(Code.INVALID_INPUT) as caught:
            await promise(desk, calendar=calendar)
        assert [pointer for pointer, _ in caught.value.errors] == [place]
    assert (await policies.list_policies(desk.engine, ROOT)).items == []
    number = await promise(desk, calendar=OFFICE)
    for calendar, place in wrong:
        changed = PolicyChange.model_validate({"settings": {"calendar": calendar}})
        with refused(Code.INVALID_INPUT) as caught:
            await policies.change_policy(desk.engine, ROOT, number, changed)
        assert caught.value.errors[0][0] == place
    assert (await policies.show_policy(desk.engine, ROOT, number)).version == 1
    for windows in ([], [{**monday, "end": "08:00"}], [{**monday, "days": []}], [{**monday, "end": "25:00"}]):
        with pytest.raises(ValidationError):
            PolicySettings.model_validate({"targets": TARGETS, "calendar": {"timezone": "UTC", "windows": windows}})
