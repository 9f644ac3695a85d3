"""A machine whose clock is set while promises run, or that loses a time zone: nothing is told twice, nothing stops, and
what that has broken is shown and put right."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

import pytest
from sqlalchemy import select

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, to_datetime
from quarterdeck.contract.enums import ClockState
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.sla import calendar, clockwork, policies, sweep
from quarterdeck.engine.sla.tables import sla_breaches, sla_due
from tests.engine.sla.world import DONE, MONDAY, OFFICE, Time, clocks, differing, enter, lines, promise
from tests.support.desk import ROOT, Desk

TARGETS = [{"priority": "normal", "resolution_minutes": 60}]


async def broken(desk: Desk) -> dict[int, str]:
    query = select(sla_breaches.c.item_id, sla_breaches.c.breached_at)
    async with desk.engine.store.read() as connection:
        return {
            row.item_id: to_datetime(row.breached_at).strftime("%a %H:%M") for row in await connection.execute(query)
        }


async def places(desk: Desk) -> int:
    async with desk.engine.store.read() as connection:
        return len((await connection.execute(select(sla_due))).all())


async def test_a_clock_that_is_set_back_tells_no_breach_twice(desk: Desk, time: Time) -> None:
    await promise(desk, targets=TARGETS)
    late, paused, done = await enter(desk, 3)
    time.pass_(HOUR + SECOND)
    await sweep.sweep(desk.engine)
    assert await broken(desk) == dict.fromkeys((late, paused, done), "Mon 10:00")
    time.pass_(-HOUR)
    (fresh,) = await enter(desk)
    await sweep.sweep(desk.engine)
    await desk.act(paused, "update-status", status="waiting")
    await desk.act(done, "resolve")
    time.pass_(MINUTE)
    await desk.act(paused, "update-status", status="in_progress")
    await sweep.sweep(desk.engine)
    shown = {item: (await clocks(desk, item))[DONE] for item in (late, paused, done, fresh)}
    assert [each.state for each in shown.values()] == [*[ClockState.BREACHED] * 3, ClockState.RUNNING]
    assert all(each.used_minutes >= 0 for each in shown.values())
    assert shown[fresh].due_at == to_datetime(MONDAY + HOUR + SECOND)
    # The time comes a second time.
    time.pass_(HOUR)
    await sweep.sweep(desk.engine)
    assert await broken(desk) == dict.fromkeys((late, paused, done, fresh), "Mon 10:00")
    for item in (late, paused, done, fresh):
        assert [word for _, word in await lines(desk, item)].count("breached") == 1
    assert await places(desk) == 0
    # By their timelines one was done, and one paused, before they were due: that is shown, and put right.
    assert await differing(desk, write=True) == 2
    assert await differing(desk) == 0
    assert await broken(desk) == {late: "Mon 10:00", fresh: "Mon 10:00", paused: "Mon 10:01"}
    assert (await clocks(desk, done))[DONE].state is ClockState.MET


async def test_a_clock_that_jumps_a_day_ahead_in_the_middle_of_a_sweep_and_comes_back(
    desk: Desk, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "AT_ONCE", 2)
    await promise(desk, targets=TARGETS)
    due = await enter(desk, 3)
    time.pass_(30 * MINUTE)
    early = await enter(desk, 3)
    time.pass_(30 * MINUTE + SECOND)
    batch = sweep._batch

    async def jumping(*args: object) -> int:
        done = await batch(*args)  # type: ignore[arg-type]
        if time.now < MONDAY + DAY:
            time.pass_(DAY)
        return done

    monkeypatch.setattr(sweep, "_batch", jumping)
    await sweep.sweep(desk.engine)
    # Whatever the clock says, a promise is broken when it was due.
    assert await broken(desk) == {**dict.fromkeys(due, "Mon 10:00"), **dict.fromkeys(early, "Mon 10:30")}
    assert await places(desk) == 0
    time.pass_(-DAY)
    monkeypatch.setattr(sweep, "_batch", batch)
    await sweep.sweep(desk.engine)
    # It is not half past ten yet: what was broken too early is shown, runs on once it is put right, and breaks then.
    assert await differing(desk, write=True) == 3
    assert await broken(desk) == dict.fromkeys(due, "Mon 10:00")
    assert await differing(desk) == 0
    time.pass_(30 * MINUTE)
    await sweep.sweep(desk.engine)
    assert await broken(desk) == {**dict.fromkeys(due, "Mon 10:00"), **dict.fromkeys(early, "Mon 10:30")}
    for item in (*due, *early):
        assert [word for _, word in await lines(desk, item)] == ["started", "breached"]
    assert await differing(desk) == 0


async def test_a_zone_that_the_host_knows_no_more_stops_nobody(
    desk: Desk, time: Time, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither items of others in the queue, nor what falls due; and once the zone is back, clocks can be put right."""
    abroad = {**OFFICE, "timezone": "Europe/Stockholm", "country": "SE"}
    await promise(desk, tenant_id="acme", calendar=abroad, targets=TARGETS)
    await promise(desk, targets=TARGETS)
    (early,) = await enter(desk)

    def nobody_knows(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    def forget() -> None:
        for kept in (calendar._compiled, calendar._without, clockwork.rules_of):
            kept.cache_clear()

    with monkeypatch.context() as host:
        host.setattr(calendar, "ZoneInfo", nobody_knows)
        forget()
        late, other = *await enter(desk), *await enter(desk, tenant_id="globex")
        await desk.act(early, "update-status", status="waiting")
        assert "Europe/Stockholm is no time zone" in caplog.text
        time.pass_(HOUR + SECOND)
        await sweep.sweep(desk.engine)
        assert await broken(desk) == dict.fromkeys((late, other), "Mon 10:00")
        told, other_policy = (await policies.list_policies(desk.engine, ROOT)).items
        assert told.error is not None
        assert told.error.startswith("Its hours count by UTC and without public holidays: Europe/Stockholm is no time")
        assert other_policy.error is None
        with pytest.raises(Problem, match="no time zone"):
            await promise(desk, kind="new", calendar=abroad)
    forget()
    assert await differing(desk) == 0  # on this day it made no difference
