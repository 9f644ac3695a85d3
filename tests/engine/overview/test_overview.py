"""One answer about everything: each part as its own screen says it, whoever asks, whatever fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import insert

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, iso, now_ms, to_datetime
from quarterdeck.contract.enums import AlertState, HandlerKind, Severity
from quarterdeck.contract.models.alerts import Acknowledge, NewSilence, PostedAlerts
from quarterdeck.contract.models.overview import AlertLine
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts import acting, outside, silencing
from quarterdeck.engine.alerts.firing import critical
from quarterdeck.engine.alerts.tables import alert_rules, alerts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.tallying import Moves, record
from quarterdeck.engine.overview import keeping, service
from quarterdeck.engine.queues import changes
from quarterdeck.engine.series.tables import dead_letter_minutes
from quarterdeck.engine.sla.tables import sla_breaches, sla_clocks
from quarterdeck.engine.workers.tables import workers
from tests.support.counted import waiting
from tests.support.desk import ACME, RETURNS, ROOT, Desk


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine: answers wait for what is counted, and nothing is kept."""
    monkeypatch.setattr(keeping, "FIRST_PATIENCE_SECONDS", 10.0)
    monkeypatch.setattr(keeping, "PATIENCE_SECONDS", 10.0)
    monkeypatch.setattr(keeping, "KEPT_TIMES", 0)


async def put(engine: Engine, table: Any, *rows: dict[str, Any]) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(insert(table), list(rows))


def promise(item: int, tenant: str = "acme", **values: Any) -> dict[str, Any]:
    """A clock that runs and was due soon a minute ago."""
    now = now_ms()
    row = {"item_id": item, "target": "resolution", "version_id": 1, "tenant_id": tenant, "resource": "support_tasks"}
    row |= {"priority": 2, "state": "running", "started_at": now - HOUR, "total": 2 * HOUR, "used": 0}
    row |= {"since": now - HOUR, "due_at": now + HOUR, "soon_at": now - MINUTE, "next_at": None, "ended_at": None}
    return {**row, "responded": True, "steps": 0, **values}


def breach(item: int, at: int, tenant: str = "acme", ended_at: int | None = None) -> dict[str, Any]:
    row = {"item_id": item, "target": "resolution", "breached_at": at, "ended_at": ended_at}
    return {**row, "tenant_id": tenant, "resource": "support_tasks", "priority": 2}


async def post(engine: Engine, *names: str, severity: str = "critical", **labels: str) -> None:
    bodies = [{"labels": {"alertname": name, "severity": severity, **labels}} for name in names]
    await outside.post(engine, ROOT, PostedAlerts.model_validate_json(json.dumps(bodies)))


async def loud(engine: Engine, who: Principal = ROOT) -> list[AlertLine]:
    found = await critical(engine, who)
    assert found.count == len(found.newest)
    return found.newest


async def told(engine: Engine, who: Principal = ROOT) -> dict[str, Any]:
    return (await service.show(engine, who)).model_dump(mode="json")


async def test_items_promises_and_dead_letters(engine: Engine, desk: Desk) -> None:
    now = now_ms()
    first, second, third, done = await desk.new(4)
    (other,) = await desk.new(tenant_id="globex")
    await desk.at(RETURNS).new(2)
    await desk.act(done, "resolve")
    ended = {"state": "met", "ended_at": now - HOUR}
    await put(
        engine,
        sla_clocks,
        *(promise(first), promise(second, soon_at=now + HOUR), promise(third, due_at=now - 1)),
        *(promise(done, **ended), promise(other, "globex", **{**ended, "ended_at": now - 2 * DAY})),
    )
    await put(engine, sla_breaches, breach(third, now - MINUTE), breach(other, now - 3 * DAY, "globex", now))
    added = Moves()
    heading = ("acme", "mail", "mail.sent", "g")
    for _ in range(3):
        added.added(heading, "pending")
    async with engine.store.write() as transaction:
        await record(transaction, engine.store.dialect, added)
    minute = (now - 5 * HOUR) // MINUTE * MINUTE
    await put(
        engine, dead_letter_minutes, {"minute": minute, "tenant_id": "globex", "added": 4, "resolved": 1, "expired": 1}
    )

    found = await told(engine)
    assert found["failed"] == []
    items = {each["resource"]: (each["open"], each["due_soon"], each["breached"]) for each in found["items"]}
    assert items == {"support_tasks": (4, 1, 1), "returns": (2, 0, 0), "exceptions": (0, 0, 0)}
    kept = found["promises"]
    assert kept["day"] == {"met": 1, "breached": 1, "percent": 50.0}
    assert kept["week"] == {"met": 2, "breached": 2, "percent": 50.0}
    days = [(each["met"], each["breached"]) for each in kept["days"]]
    wanted = [[0, 0] for _ in range(7)]
    for at, broken in ((now - HOUR, 0), (now - 2 * DAY, 0), (now - MINUTE, 1), (now - 3 * DAY, 1)):
        wanted[6 - (now // DAY - at // DAY)][broken] += 1  # by days in UTC, the last one today
    assert [list(each) for each in days] == wanted
    letters = found["dead_letters"]
    assert (letters["pending"], letters["hour"], letters["day"], len(letters["hours"])) == (3, 3, 5, 24)
    assert sum(letters["hours"][-7:-4]) == 2

    mine = await told(engine, ACME)
    assert (mine["items"][0]["open"], mine["items"][0]["breached"]) == (3, 1)
    assert mine["promises"]["week"] == {"met": 1, "breached": 1, "percent": 50.0}
    assert (mine["dead_letters"]["pending"], mine["dead_letters"]["day"]) == (3, 3)


async def test_alerts_workers_queues_and_operations(engine: Engine, desk: Desk) -> None:
    await post(engine, *(f"Disk {n}" for n in range(11)), severity="warning")
    await post(engine, "Mail fails", tenant="acme")
    await post(engine, "Search is down", tenant="globex")
    worker = {"type": "plain", "queues": [], "why": None, "last_seen_at": now_ms(), "url": "http://127.0.0.1:1"}
    await put(
        engine,
        workers,
        {**worker, "name": "w-1", "condition": "healthy"},
        {**worker, "name": "w-2", "condition": "unhealthy", "why": "Nobody answers.", "last_seen_at": None},
    )
    await changes.put_queue(engine, ROOT, "refunds", QueueSettings(handler=HandlerKind.WORKER))
    await waiting(engine.store, 2, ago=HOUR, queue="refunds")
    preview = await desk.draft("assign", await desk.new(3), assignee="ana")
    running = (await desk.confirm(preview.operation.id)).id

    kept = {"type": "external", "enabled": True, "settings": {}, "created_at": 0, "updated_at": 0, "updated_by": "root"}
    off, others = {**kept, "name": "off", "enabled": False}, {**kept, "name": "theirs", "tenant_id": "globex"}
    await put(engine, alert_rules, {**kept, "name": "of all", "tenant_id": None})
    for each in (off, {**kept, "name": "deleted", "deleted_at": 1}, others):
        await put(engine, alert_rules, each)

    found = await told(engine)
    assert found["alerts"]["rules"] == 2
    assert (found["alerts"]["firing"], found["alerts"]["acknowledged"]) == (13, 0)
    severities = {each["name"]: each["count"] for each in found["alerts"]["by_severity"]}
    assert severities == {"critical": 2, "warning": 11, "info": 0}
    assert found["alerts"]["unseen"] == found["alerts"]["by_severity"]
    assert [each["name"] for each in found["alerts"]["latest"]][:2] == ["Search is down", "Mail fails"]
    assert len(found["alerts"]["latest"]) == 10
    assert (found["workers"]["healthy"], found["workers"]["unhealthy"]) == (1, 1)
    assert found["workers"]["unwell"] == [{"name": "w-2", "condition": "unhealthy", "why": "Nobody answers."}]
    stuck = {"name": "refunds", "condition": "unhealthy", "why": "No worker leases it; 2 runs wait."}
    assert found["queues"]["unwell"] == [stuck]
    assert [each["id"] for each in found["bulk"]["operations"]] == [running]
    mine = await told(engine, ACME)
    assert [each["name"] for each in mine["alerts"]["latest"]] == ["Mail fails"]
    assert mine["alerts"]["rules"] == 1


async def test_critical_alerts_are_told_until_somebody_sees_to_them(engine: Engine) -> None:
    await post(engine, "Slow", severity="warning")
    await post(engine, "Mail fails", tenant="acme")
    await post(engine, "Search is down", "Orders stand still")
    assert [each.name for each in await loud(engine)] == ["Orders stand still", "Search is down", "Mail fails"]
    assert [each.name for each in await loud(engine, ACME)] == ["Mail fails"]
    newest, _, third = await loud(engine)
    await acting.acknowledge(engine, ROOT, Acknowledge(ids=[newest.id]))
    until = to_datetime(now_ms() + HOUR)
    matchers = [{"name": "alertname", "value": "Search is down"}]
    await silencing.silence(engine, ROOT, NewSilence(matchers=matchers, ends_at=until, comment="It moves."))  # type: ignore[arg-type]
    assert await loud(engine) == [third]
    ends = iso(now_ms() - SECOND)
    body = {"labels": {"alertname": "Mail fails", "severity": "critical", "tenant": "acme"}, "endsAt": ends}
    await outside.post(engine, ROOT, PostedAlerts.model_validate_json(json.dumps([body])))
    assert await loud(engine) == []


async def test_of_very_many_critical_ones_some_are_read(engine: Engine) -> None:
    row = {"fingerprint": "", "type": "external", "name": "Storm", "series": "", "labels": {}, "annotations": {}}
    row |= {"severity": str(Severity.CRITICAL), "state": str(AlertState.FIRING), "updated_at": 0}
    await put(engine, alerts, *({**row, "fingerprint": str(n)} for n in range(501)))
    found = await critical(engine, ROOT)
    assert (found.count, found.more, len(found.newest)) == (500, True, 20)


async def test_a_part_that_fails_is_named_and_the_others_are_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> Any:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(service, "firing", breaks)
    monkeypatch.setattr(service, "days_kept", breaks)
    found = await told(engine)
    assert [each["part"] for each in found["failed"]] == ["promises", "alerts"]
    assert "the engine log has it" in found["failed"][0]["why"]
    absent = [part for part in ("items", "promises", "alerts", "queues") if found[part] is None]
    assert absent == ["promises", "alerts"]


async def test_what_takes_long_to_count_is_counted_once_and_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "KEPT_TIMES", 1_000_000)
    monkeypatch.setattr(keeping, "FIRST_PATIENCE_SECONDS", 0.0)
    figures, ready, asked = keeping.figures_of(engine), asyncio.Event(), 0

    async def count() -> int:
        nonlocal asked
        asked += 1
        await ready.wait()
        return asked

    assert await figures.get("a", count) == (None, 0.0)
    assert await figures.get("a", count) == (None, 0.0)
    ready.set()
    monkeypatch.setattr(keeping, "FIRST_PATIENCE_SECONDS", 10.0)
    value, age = await figures.get("a", count)
    assert (value, asked) == (1, 1)
    assert age >= 0
    assert (await figures.get("a", count))[0] == 1
    assert asked == 1

    async def breaks() -> int:
        raise ZeroDivisionError

    # Whoever asks for what cannot be counted is told, each time.
    ready.clear()
    with pytest.raises(ZeroDivisionError):
        await figures.get("b", breaks)
    waits = asyncio.create_task(figures.get("c", count))
    await asyncio.sleep(0)
    await figures.stop()
    with pytest.raises(asyncio.CancelledError):
        await waits
