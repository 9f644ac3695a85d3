"""Usage: each event counts once, sums are exact at any moment, and each sees its own."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from quarterdeck.config.settings import UsageSettings
from quarterdeck.contract.clock import DAY, HOUR, MINUTE, from_iso, iso, to_datetime
from quarterdeck.contract.enums import Metered, Period, Role, UsageStep
from quarterdeck.contract.models.alerts import PostedAlert, PostedAlerts
from quarterdeck.contract.models.dead_letters import NewDeadLetter, NewDeadLetters
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.models.usage import (
    NewUsageLimit,
    UsageDetailsQuery,
    UsageEvent,
    UsageExportQuery,
    UsageSpan,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import outside
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import posting as dead_letters
from quarterdeck.engine.series.folding import fold
from quarterdeck.engine.series.recording import Moves
from quarterdeck.engine.usage import limits, metering, posting, retention, seeding, spans, telling
from quarterdeck.engine.usage.tables import usage_days, usage_events, usage_minutes
from tests.support import counted
from tests.support.desk import ACME, ROOT, Desk, refused, wipe

NOW = from_iso("2026-11-22T12:00:30Z")
GLOBEX = Principal("globex-lead", Role.ADMIN, frozenset({"globex"}))


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("store.store", "usage.spans", "usage.against", "usage.metering", "usage.retention", "usage.telling"):
        monkeypatch.setattr(f"quarterdeck.engine.{module}.now_ms", lambda: NOW)


def event(name: str, quantity: int = 1, *, tenant: str = "acme", at: int | None = None, **more: Any) -> UsageEvent:
    values = {"source": "gateway", "resource_type": "sms_sent", **more}
    time = None if at is None else to_datetime(at)
    return UsageEvent(id=name, tenant_id=tenant, quantity=quantity, time=time, **values)


async def post(engine: Engine, *events: UsageEvent, who: Principal = ROOT) -> tuple[int, int]:
    """(recorded, duplicates)"""
    found = await posting.record(engine, who, events)
    return found.recorded, found.duplicates


async def totals(engine: Engine, who: Principal = ROOT, **query: Any) -> dict[str, int]:
    found = await telling.summary(engine, who, UsageSpan(**query))
    return {each.resource_type: each.quantity for each in found.totals if each.quantity}


async def rows(engine: Engine, who: Principal = ROOT, **query: Any) -> list[tuple[str, str | None, int]]:
    """Every page of details."""
    found: list[tuple[str, str | None, int]] = []
    cursor = None
    while True:
        page = await telling.details(engine, who, UsageDetailsQuery(cursor=cursor, **query))
        found += [
            (each.start.strftime("%m-%d %H:%M").removesuffix(" 00:00"), each.tenant_id, each.quantity)
            for each in page.items
        ]
        cursor = page.next
        if cursor is None:
            return found


async def sums_agree(engine: Engine) -> Counter[tuple[int, str, str]]:
    """The raw sum by day, which days and minutes must equal."""
    found = []
    async with engine.store.read() as connection:
        for table in (usage_events, usage_minutes, usage_days):
            columns = table.c
            wanted = select(columns.at, columns.tenant_id, columns.resource_type, columns.quantity)
            sums: Counter[tuple[int, str, str]] = Counter()
            for at, tenant, kind, quantity in await connection.execute(wanted):
                sums[at - at % DAY, tenant, kind] += quantity
            found.append(sums)
    raw, minutes, days = found
    assert minutes == raw
    assert days == raw
    return raw


async def test_the_same_source_and_id_counts_once(engine: Engine) -> None:
    assert await post(engine, event("a", 5), event("b", 2), event("a", 5)) == (2, 1)
    assert await post(engine, event("a", 7), event("c")) == (1, 1), "what came first stays"
    assert await post(engine, event("a", 3, source="other"), event("a", 11, tenant="globex")) == (2, 0)
    assert await totals(engine) == {"sms_sent": 5 + 2 + 1 + 3 + 11}
    await sums_agree(engine)


async def test_eight_writers_of_the_same_events_count_each_once(engine: Engine) -> None:
    events = [event(f"e{number}", number, at=NOW - number * HOUR) for number in range(1, 101)]

    async def writer(number: int) -> int:
        mine = events[number * 5 :] + events[: number * 5]
        parts = [await post(engine, *mine[start : start + 25]) for start in range(0, 100, 25)]
        return sum(recorded for recorded, _ in parts)

    async with asyncio.timeout(60):
        made = await asyncio.gather(*(writer(number) for number in range(8)))
    assert sum(made) == 100
    assert await totals(engine) == {"sms_sent": 5_050}
    await sums_agree(engine)


async def test_a_late_event_corrects_its_minute_and_its_day(engine: Engine) -> None:
    await post(engine, event("a", 1), event("b", 2, at=NOW - DAY))
    assert await rows(engine) == [("11-22", None, 1), ("11-21", None, 2)]
    await post(engine, event("late", 40, at=NOW - DAY - HOUR))
    assert await rows(engine) == [("11-22", None, 1), ("11-21", None, 42)]
    assert await rows(engine, step=UsageStep.MINUTE) == [
        ("11-22 12:00", None, 1),
        ("11-21 12:00", None, 2),
        ("11-21 11:00", None, 40),
    ]
    await sums_agree(engine)


async def test_steps_are_cut_in_utc_and_weeks_begin_on_monday(engine: Engine) -> None:
    # 2026-11-22 is a Sunday.
    for number, moment in enumerate(
        ("2026-11-22T00:00:00Z", "2026-11-21T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-15T23:59:59Z",
         "2026-11-01T00:00:00Z", "2026-10-31T23:59:59Z")
    ):  # fmt: skip
        await post(engine, event(f"e{number}", 10**number, at=from_iso(moment)))
    since = to_datetime(from_iso("2026-10-15T00:00:00Z"))
    assert await rows(engine, step=UsageStep.WEEK, since=since) == [
        ("11-16", None, 111),
        ("11-09", None, 1_000),
        ("10-26", None, 110_000),
    ]
    assert await rows(engine, step=UsageStep.MONTH, since=since) == [("11-01", None, 11_111), ("10-01", None, 100_000)]
    hours = await rows(engine, step=UsageStep.HOUR, since=to_datetime(from_iso("2026-11-21T23:00:00Z")))
    assert hours == [("11-22", None, 1), ("11-21 23:00", None, 10)]


async def test_details_come_in_pages_that_miss_and_repeat_nothing(engine: Engine) -> None:
    made = [
        event(f"{tenant}{kind}{day}", 1 + day, tenant=tenant, resource_type=kind, at=NOW - day * DAY)
        for tenant in ("acme", "globex", "initech")
        for kind in ("a", "b")
        for day in range(0, 80, 7)
    ]
    await post(engine, *made)
    whole = {"since": to_datetime(NOW - 85 * DAY), "by_tenant": True}
    for step in UsageStep:
        once = await rows(engine, **whole, step=step, limit=1_000)
        assert await rows(engine, **whole, step=step, limit=5) == once
        assert len(set(once)) <= len(once)
        assert sum(quantity for *_, quantity in once) == sum(each.quantity for each in made)
    with refused(Code.CURSOR_INVALID):
        await telling.details(engine, ROOT, UsageDetailsQuery(cursor="bm9wZQ"))


async def test_a_time_that_goes_back_to_the_beginning_is_read_from_the_first_event(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []

    def noted(*given: Any) -> Any:
        read.extend(spans.windows(*given))
        return spans.windows(*given)

    monkeypatch.setattr(telling, "windows", noted)
    since = to_datetime(0)
    for step in UsageStep:
        assert await rows(engine, step=step, since=since) == []
    assert read == []
    await post(engine, event("a", at=NOW - DAY))
    for step in UsageStep:
        assert [quantity for *_, quantity in await rows(engine, step=step, since=since)] == [1]
    assert len(read) < 15


async def test_the_summary_tells_the_time_before_beside(engine: Engine) -> None:
    await post(engine, event("a", 3), event("b", 4, at=NOW - 40 * DAY))
    (total,) = (await telling.summary(engine, ROOT, UsageSpan())).totals
    assert (total.quantity, total.previous) == (3, 4)
    with refused(Code.INVALID_INPUT, "since must be before"):
        await totals(engine, since=to_datetime(NOW + DAY))


async def test_each_sees_and_writes_its_own(engine: Engine) -> None:
    await post(engine, event("a", 3), event("b", 5, tenant="globex"))
    assert await totals(engine, ACME) == {"sms_sent": 3}
    assert await totals(engine, GLOBEX) == {"sms_sent": 5}
    assert await totals(engine, ACME, tenant="globex") == {}
    assert await totals(engine) == {"sms_sent": 8}
    assert await rows(engine, ACME, by_tenant=True) == [("11-22", "acme", 3)]
    with refused(Code.FORBIDDEN, "globex is not yours"):
        await post(engine, event("c"), event("d", tenant="globex"), who=ACME)
    assert await totals(engine) == {"sms_sent": 8}, "all of a request, or nothing"


@pytest.mark.parametrize(
    ("given_", "pointer", "why"),
    [
        ({"at": NOW - 91 * DAY}, "/events/1/time", "from when on usage is taken"),
        ({"at": NOW + 25 * HOUR}, "/events/1/time", "ahead of the engine's clock"),
        ({"source": "quarterdeck"}, "/events/1/source", "engine's own name"),
    ],
)
async def test_what_cannot_be_counted_is_refused_with_its_place(
    engine: Engine, given_: dict[str, Any], pointer: str, why: str
) -> None:
    with refused(Code.INVALID_INPUT, why) as caught:
        await post(engine, event("good"), event("bad", **given_))
    assert caught.value.errors[0][0] == pointer
    assert await totals(engine) == {}


async def test_what_is_posted_is_audited_with_it(engine: Engine) -> None:
    await post(engine, event("a"), event("b"), event("a"))
    await post(engine, event("a"))
    async with engine.store.read() as connection:
        found = (await connection.execute(select(audit_entries))).all()
    assert [(each.action, each.tenant_id, each.details["events"]) for each in found] == [("usage.record", "acme", 2)]


async def test_what_the_engine_does_is_metered_by_itself(engine: Engine, desk: Desk) -> None:
    from quarterdeck.engine.queues.changes import put_queue

    await desk.new(3)
    await desk.new(2, tenant_id="globex")
    await put_queue(engine, ROOT, "mail", QueueSettings(handler="worker"))
    letters = [NewDeadLetter(queue="mail", event_type="x", tenant_id="acme", source_id=name) for name in ("a", "b")]
    await dead_letters.add(engine, ROOT, NewDeadLetters(dead_letters=letters))
    await dead_letters.add(engine, ROOT, NewDeadLetters(dead_letters=letters))
    metering.note_call(engine, ACME, "globex", reads=True)
    metering.note_call(engine, ROOT, "globex", reads=True)
    metering.note_call(engine, ROOT, None, reads=True)
    both = Principal("both", Role.VIEWER, frozenset({"acme", "globex"}))
    for named in ("initech", "globex"):
        metering.note_call(engine, both, named, reads=True)
    assert await totals(engine) == {}, "nothing is written before the flush"
    await metering.flush(engine)
    await metering.flush(engine)
    assert await totals(engine, ACME) == {"api_calls": 1, "events_processed": 2, "items_ingested": 3}
    assert await totals(engine, GLOBEX) == {"api_calls": 1, "items_ingested": 2}
    assert await totals(engine) == {"api_calls": 5, "events_processed": 2, "items_ingested": 5}
    await sums_agree(engine)


async def test_posted_alerts_are_events_where_they_change_something(engine: Engine) -> None:
    labels = {"alertname": "DiskFull", "tenant": "acme"}
    posted = [PostedAlert(labels=labels), PostedAlert(labels={"alertname": "Down"})]
    for _ in range(2):
        await outside.post(engine, ROOT, PostedAlerts(posted))
    await metering.flush(engine)
    assert await totals(engine, ACME) == {"events_processed": 1}
    assert await totals(engine) == {"events_processed": 2}


async def test_runs_count_when_they_have_ended(engine: Engine) -> None:
    await counted.attempts(engine.store, completed=3, failed=2)
    await counted.attempts(engine.store, completed=1, tenant="globex", ago=HOUR)
    await counted.attempts(engine.store, completed=5, queue="notifications")
    await counted.attempts(engine.store, completed=2, queue="notifications", tenant="quarterdeck")
    await counted.attempts(engine.store, completed=7, queue="bulk")
    moves = Moves()
    moves.ended("mail", "welcome", "acme", "active", "dead", took_ms=1, error_class="network")
    await counted.said(engine.store, moves)
    assert await totals(engine, ACME) == {"notifications_sent": 5, "runs_executed": 4}
    assert await totals(engine, GLOBEX) == {"runs_executed": 1}
    assert (await totals(engine))["notifications_sent"] == 7
    await sums_agree(engine)


async def test_nothing_is_metered_that_is_switched_off(engine: Engine) -> None:
    engine.settings = replace(engine.settings, usage=UsageSettings(metering=False))
    metering.note_call(engine, ACME, None, reads=True)
    metering.note(engine, Metered.ITEMS_INGESTED, ["acme"])
    await counted.attempts(engine.store)
    await metering.flush(engine)
    await fold(engine)
    assert await totals(engine) == {}


async def test_a_name_that_no_store_can_keep_stops_nothing(engine: Engine) -> None:
    metering.note_call(engine, Principal("odd", Role.VIEWER, frozenset({"\ud800\0"})), None, reads=True)
    metering.note_call(engine, ACME, None, reads=True)
    await metering.flush(engine)
    assert {each[1:] for each in await rows(engine, by_tenant=True)} == {("?\ufffd", 1), ("acme", 1)}
    await sums_agree(engine)


async def test_what_cannot_be_flushed_is_kept_for_the_next_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        metering.note_call(engine, ACME, None, reads=True)
        raise RuntimeError("the disk is full")

    metering.note_call(engine, ACME, None, reads=True)
    with monkeypatch.context() as patch:
        patch.setattr(metering, "add_ours", broken)
        with pytest.raises(RuntimeError):
            await metering.flush(engine)
    await metering.flush(engine)
    assert await totals(engine) == {"api_calls": 2}


async def test_limits_are_shown_beside_what_is_used(engine: Engine) -> None:
    await post(engine, event("a", 30), event("b", 80, tenant="globex"), event("c", 7, at=NOW - 2 * DAY))
    every = await limits.set_limit(engine, ROOT, NewUsageLimit(resource_type="sms_sent", quantity=1_000))
    own = NewUsageLimit(resource_type="sms_sent", tenant_id="acme", period=Period.DAY, quantity=40)
    await limits.set_limit(engine, ROOT, own)
    with refused(Code.UNCHANGED):
        await limits.set_limit(engine, ROOT, own)

    async def shown(who: Principal) -> list[tuple[str, str, int, int]]:
        found = (await telling.summary(engine, who, UsageSpan())).limits
        return [(each.tenant_id, str(each.period), each.used, each.limit) for each in found]

    assert await shown(ROOT) == [
        ("acme", "day", 30, 40),
        ("globex", "month", 80, 1_000),
        ("acme", "month", 37, 1_000),
    ]
    assert await shown(ACME) == [("acme", "day", 30, 40), ("acme", "month", 37, 1_000)]
    await limits.set_limit(engine, ROOT, own.model_copy(update={"quantity": 60, "tenant_id": None}))
    assert ("globex", "day", 80, 60) in await shown(ROOT)
    with refused(Code.FORBIDDEN, "set by an admin of all"):
        await limits.set_limit(engine, ACME, own)
    with refused(Code.FORBIDDEN):
        await limits.delete_limit(engine, ACME, every.id)
    await limits.delete_limit(engine, ROOT, every.id)
    with refused(Code.NOT_FOUND):
        await limits.delete_limit(engine, ROOT, every.id)
    assert [each.quantity for each in (await limits.list_limits(engine, GLOBEX)).items] == [60]


async def test_limits_of_the_config_are_set_at_every_start(engine: Engine) -> None:
    def named(**periods: dict[str, int]) -> None:
        engine.settings = replace(engine.settings, usage=UsageSettings(limits=periods))

    async def shown() -> dict[tuple[str, str | None, str], tuple[int, str]]:
        found = (await limits.list_limits(engine, ROOT)).items
        return {(one.resource_type, one.tenant_id, str(one.period)): (one.quantity, one.updated_by) for one in found}

    own = NewUsageLimit(resource_type="sms_sent", tenant_id="acme", quantity=9)
    await limits.set_limit(engine, ROOT, own)
    named(sms_sent={"day": 10, "month": 200}, api_calls={"day": 5})
    await seeding.seed(engine)
    await seeding.seed(engine)
    assert await shown() == {
        ("api_calls", None, "day"): (5, "config.toml"),
        ("sms_sent", None, "day"): (10, "config.toml"),
        ("sms_sent", None, "month"): (200, "config.toml"),
        ("sms_sent", "acme", "month"): (9, "root"),
    }
    # A change of somebody lasts until the next start; what the config names cannot be deleted.
    changed = await limits.set_limit(engine, ROOT, NewUsageLimit(resource_type="sms_sent", quantity=300))
    assert changed.updated_by == "root"
    with refused(Code.WRONG_STATE, "take it out of"):
        await limits.delete_limit(engine, ROOT, changed.id)
    named(sms_sent={"month": 200})
    await seeding.seed(engine)
    assert await shown() == {
        ("sms_sent", None, "month"): (200, "config.toml"),
        ("sms_sent", "acme", "month"): (9, "root"),
    }
    async with engine.store.read() as connection:
        said = (await connection.execute(select(audit_entries.c.action, audit_entries.c.reason))).all()
    assert Counter(said)["usage.limits.set", "[usage.limits] of the config."] == 4
    assert Counter(said)["usage.limits.delete", "[usage.limits] of the config."] == 2


async def exported(engine: Engine, **query: Any) -> str:
    return b"".join([chunk async for chunk in telling.export(engine, ROOT, UsageExportQuery(**query))]).decode()


async def test_an_export_is_whole_and_no_cell_is_a_formula(engine: Engine) -> None:
    assert json.loads(await exported(engine, format="json")) == []
    await post(engine, event("a", 3, tenant="=HYPERLINK(1)"), event("b", 4, tenant="ok", at=NOW - 20 * DAY))
    found = list(csv.reader((await exported(engine)).splitlines()))
    assert found == [
        ["start", "tenant_id", "resource_type", "quantity"],
        ["2026-11-22T00:00:00Z", "'=HYPERLINK(1)", "sms_sent", "3"],
        ["2026-11-02T00:00:00Z", "ok", "sms_sent", "4"],
    ]
    with refused(Code.INVALID_INPUT, "more than 32 days ago, and hours are kept no longer"):
        await exported(engine, format="csv", step=UsageStep.HOUR, since=to_datetime(NOW - 40 * DAY))
    (row,) = json.loads(await exported(engine, format="json", step=UsageStep.MONTH, by_tenant=False))
    assert (row["start"], row["tenant_id"], row["quantity"]) == ("2026-11-01T00:00:00Z", None, 7)


async def test_what_is_old_goes_and_its_day_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await post(engine, event("old", 3, at=NOW - 89 * DAY), event("new", 4))
    for days, left in ((3, [2, 1, 2]), (92, [0, 0, 2])):
        monkeypatch.setattr("quarterdeck.engine.usage.retention.now_ms", lambda days=days: NOW + days * DAY)
        await retention.drop_old(engine)
        async with engine.store.read() as connection:
            counts = [
                (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (usage_events, usage_minutes, usage_days)
            ]
        assert counts == left
        if days == 3:  # it was posted three days ago, so whoever posts it again with another time is known
            assert await post(engine, event("old", 3)) == (0, 1)


MOMENTS = st.integers(0, 80 * DAY // MINUTE).map(lambda minutes: NOW - minutes * MINUTE)
POSTED = st.builds(
    event,
    st.sampled_from("abcdefgh"),
    st.integers(1, 10**9),
    tenant=st.sampled_from(("acme", "globex")),
    at=st.none() | MOMENTS,
    source=st.sampled_from(("one", "two")),
    resource_type=st.sampled_from(("sms_sent", "gigabytes")),
)
STEPS = st.lists(
    st.lists(POSTED, min_size=1, max_size=12) | st.tuples(st.sampled_from(("acme", "globex")), st.integers(1, 50)),
    max_size=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_totals_always_equal_the_raw_sum(engine: Engine, steps: list[Any]) -> None:
    """Whatever is posted how often and how late, and metered in between."""
    await wipe(engine.store)
    known: set[tuple[str, str, str]] = set()
    wanted: Counter[tuple[int, str, str]] = Counter()
    for step in steps:
        if isinstance(step, tuple):
            metering.note(engine, Metered.ITEMS_INGESTED, [step[0]] * step[1])
            await metering.flush(engine)
            wanted[NOW - NOW % DAY, step[0], "items_ingested"] += step[1]
        else:
            await post(engine, *step)
            for each in step:
                if (each.tenant_id, each.source, each.id) not in known:
                    known.add((each.tenant_id, each.source, each.id))
                    at = NOW if each.time is None else from_iso(each.time.isoformat())
                    wanted[at - at % DAY, each.tenant_id, each.resource_type] += each.quantity
        assert await sums_agree(engine) == wanted


@given(st.integers(0, 4 * 10**12), st.sampled_from(UsageStep))
def test_a_step_begins_where_the_one_before_ends(moment: int, step: UsageStep) -> None:
    start, end = spans.floor(moment, step), spans.ceiling(moment + 1, step)
    assert start <= moment < end
    assert spans.floor(end, step) == end == spans.ceiling(end, step)
    assert spans.floor(end - 1, step) == start, (iso(start), iso(end))
