"""Rules, and what becomes of what they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, iso, to_datetime
from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.models import alert_rules as rule_models
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import acting, evaluation, history, keeping, rules, silencing
from quarterdeck.engine.alerts.sending import Outlet
from quarterdeck.engine.alerts.tables import alert_rules
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series.tables import EVERYONE, dead_letter_minutes, run_counts
from quarterdeck.engine.sla.tables import sla_clocks
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.workers.tables import workers
from tests.engine.alerts.world import FIRING, MONDAY, PENDING, RESOLVED, Day, breach
from tests.engine.runs.world import make_queue
from tests.support.desk import ACME, ANA, ROOT, make_engine, refused

# ----- rules


async def test_a_rule_is_made_changed_and_forgotten(day: Day) -> None:
    number = await day.rule(AlertType.ERROR_RATE_HIGH, 20, by=["queue"])
    shown = await rules.show_rule(day.engine, ROOT, number)
    assert (shown.type, shown.settings.threshold, shown.firing) == (AlertType.ERROR_RATE_HIGH, 20, 0)
    settings = shown.settings.model_copy(update={"threshold": 30.0})
    changed = await rules.change_rule(
        day.engine, ROOT, number, rule_models.RuleChange(settings=settings, reason="calmer")
    )
    assert changed.settings.threshold == 30
    with refused(Code.UNCHANGED):
        await rules.change_rule(day.engine, ROOT, number, rule_models.RuleChange(settings=settings))
    with refused(Code.UNCHANGED):
        await day.rule(AlertType.ERROR_RATE_HIGH, 20)
    assert [each.id for each in (await rules.list_rules(day.engine, ROOT)).items] == [number]
    await rules.delete_rule(day.engine, ROOT, number)
    with refused(Code.NOT_FOUND):
        await rules.show_rule(day.engine, ROOT, number)
    async with day.engine.store.read() as connection:
        written = (await connection.execute(select(audit_entries.c.action).order_by(audit_entries.c.id))).scalars()
        assert list(written) == [f"alerts.rules.{verb}" for verb in ("create", "change", "delete")]


@pytest.mark.parametrize(
    ("type_", "threshold", "more", "pointer"),
    [
        ("error_rate_high", None, {}, "/settings/threshold"),
        ("error_rate_high", 101, {}, "/settings/threshold"),
        ("error_rate_high", 5, {"unit": "count"}, "/settings/unit"),
        ("sla_breach", 1.5, {}, "/settings/threshold"),
        ("sla_breach", 0, {}, "/settings/threshold"),
        ("sla_breach", 5, {"unit": "minutes"}, "/settings/unit"),
        ("sla_breach", 5, {"by": ["item"], "unit": "percent"}, "/settings/by"),
        ("queue_stuck", 5, {"by": ["worker"]}, "/settings/by/0"),
        ("queue_stuck", 5, {"by": ["queue", "queue"]}, "/settings/by"),
        ("worker_unhealthy", 1, {"tenant_id": "acme"}, "/tenant_id"),
        ("external", 5, {}, "/settings/threshold"),
        ("bulk_failure_rate", 5, {"matchers": [{"name": "a", "value": "b"}]}, "/settings/matchers"),
        (
            "queue_stuck",
            5,
            {"quiet_hours": {"timezone": "Moon", "windows": [{"days": ["mon"], "start": "1:00", "end": "02:00"}]}},
            None,
        ),
        (
            "queue_stuck",
            5,
            {"quiet_hours": {"timezone": "Moon", "windows": [{"days": ["mon"], "start": "01:00", "end": "02:00"}]}},
            "/settings/quiet_hours/timezone",
        ),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_with_its_field(
    day: Day, type_: str, threshold: float | None, more: dict[str, Any], pointer: str | None
) -> None:
    if pointer is None:
        with pytest.raises(ValueError, match="start"):
            await day.rule(AlertType(type_), threshold, **more)
        return
    with refused(Code.INVALID_INPUT) as caught:
        await day.rule(AlertType(type_), threshold, **more)
    assert caught.value.errors[0][0] == pointer


async def test_a_tenant_has_rules_and_alerts_of_its_own(day: Day) -> None:
    mine = rule_models.NewRule(
        name="ours", type=AlertType.SLA_BREACH, tenant_id="acme", settings=rule_models.RuleSettings(threshold=1)
    )
    number = (await rules.create_rule(day.engine, ACME, mine)).id
    with refused(Code.FORBIDDEN):
        await rules.create_rule(day.engine, ACME, mine.model_copy(update={"tenant_id": None}))
    theirs = await day.rule(AlertType.SLA_BREACH, 1, tenant_id="other")
    assert [each.id for each in (await rules.list_rules(day.engine, ACME)).items] == [number]
    with refused(Code.NOT_FOUND):
        await rules.show_rule(day.engine, ACME, theirs)
    await day.external()
    await day.post({"labels": {"alertname": "X", "tenant": "other"}}, {"labels": {"alertname": "Y"}})
    assert await day.list(ACME) == []
    (number,) = [each.id for each in await day.list(tenant="other")]
    with refused(Code.NOT_FOUND):
        await history.show(day.engine, ACME, number)
    acted = await acting.acknowledge(day.engine, ACME, models.Acknowledge(ids=[number]))
    assert acted.skipped == [number]


# ----- evaluation


async def test_a_worker_that_is_ill_fires_waits_and_is_over(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], for_seconds=120, severity="critical")
    await day.worker("w1")
    assert await day.pass_(60) == []
    (alert,) = await day.list()
    assert (alert.state, alert.labels["worker"]) == (PENDING, "w1")
    assert await day.pass_(120) == []  # it fires, and its group waits for others
    assert [each.state for each in await day.list()] == [FIRING]
    assert await day.pass_(60) == ["trigger"]
    channel, notice = day.said[0]
    assert (channel, notice.severity, notice.alerts[0]["labels"]["worker"]) == ("ops", "critical", "w1")
    await day.empty(workers)
    assert await day.pass_(360) == ["resolve"]
    assert day.said[-1][1].key == notice.key
    (alert,) = await day.list(state=RESOLVED)
    assert alert.resolved_at is not None
    assert await day.pass_(3_600) == []


async def test_what_waits_and_ends_was_nothing(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, for_seconds=300)
    await day.worker("w1")
    await day.pass_(120)
    await day.empty(workers)
    await day.pass_(60)
    assert await day.list() == []


async def test_each_type_reads_its_figures(day: Day) -> None:
    await make_queue(day.engine, "mail")
    for item in range(1, 4):
        await breach(day, item)
    running = {
        "item_id": 9, "target": "resolution", "version_id": 1, "tenant_id": "other", "resource": "support_tasks",
        "priority": 2, "state": "running", "started_at": MONDAY - HOUR, "total": HOUR, "used": 0, "steps": 0,
        "responded": False, "soon_at": MONDAY - 1, "due_at": MONDAY + HOUR,
    }  # fmt: skip
    await day.put(sla_clocks, **running)
    minute = MONDAY - 2 * MINUTE
    counts = {"tenant_id": EVERYONE, "step": 60, "whole": 0, "kind": "k", "at": minute}
    await day.put(run_counts, **counts, queue="mail", completed=60, failed=40)
    await day.put(run_counts, **counts, queue="calm", completed=100, failed=0)
    await day.put(run_counts, **counts, queue="few", completed=0, failed=5)
    quarters = {**counts, "step": 900}
    for number in range(96):
        await day.put(
            run_counts, **{**quarters, "at": MONDAY - HOUR - number * 15 * MINUTE}, queue="mail", completed=200
        )
    await day.put(dead_letter_minutes, minute=minute, tenant_id="acme", added=50, resolved=8, expired=2)
    await day.worker("w1")
    made: dict[AlertType, dict[str, Any]] = {
        AlertType.SLA_BREACH: {"threshold": 3, "by": ["resource", "priority"]},
        AlertType.SLA_IMMINENT: {"threshold": 1, "by": ["tenant"]},
        AlertType.ERROR_RATE_HIGH: {"threshold": 40, "by": ["queue"]},
        AlertType.THROUGHPUT_LOW: {"threshold": 50, "by": ["queue"]},
        AlertType.DLQ_GROWTH: {"threshold": 40},
        AlertType.WORKER_UNHEALTHY: {"threshold": 1},
    }
    for type_, settings in made.items():
        await day.rule(type_, name=str(type_), **settings)
    await day.pass_(60)
    found = {each.type: each for each in await day.list(state=FIRING)}
    assert set(found) == set(made)
    assert found[AlertType.SLA_BREACH].labels == {
        "alertname": "sla_breach", "priority": "normal", "resource": "support_tasks", "severity": "warning"
    }  # fmt: skip
    assert found[AlertType.SLA_BREACH].value == 3
    assert found[AlertType.SLA_IMMINENT].tenant_id == "other"
    assert (found[AlertType.ERROR_RATE_HIGH].labels["queue"], found[AlertType.ERROR_RATE_HIGH].value) == ("mail", 40)
    assert found[AlertType.THROUGHPUT_LOW].value == pytest.approx(30, rel=0.1)
    assert found[AlertType.DLQ_GROWTH].value == 40


async def test_the_same_thing_is_one_alert_and_its_value_moves(day: Day) -> None:
    await day.rule(AlertType.SLA_BREACH, 1)
    await breach(day, 1)
    await day.pass_(60)
    await breach(day, 2)
    await day.pass_(60)
    (alert,) = await day.list()
    assert alert.value == 2
    detail = await history.show(day.engine, ROOT, alert.id)
    assert [each.value for each in detail.values] == [2]
    assert [each.type for each in detail.events] == ["firing"]


async def test_another_threshold_holds_for_what_fires_already(day: Day) -> None:
    number = await day.rule(AlertType.SLA_BREACH, 1)
    for item in (1, 2):
        await breach(day, item)
    await day.pass_(60)
    for threshold, state in ((2, FIRING), (3, RESOLVED)):
        settings = rule_models.RuleSettings(threshold=threshold, channels=["ops"])
        await rules.change_rule(day.engine, ROOT, number, rule_models.RuleChange(settings=settings))
        await day.pass_(60)
        (alert,) = await day.list()
        assert (alert.threshold, alert.state) == (threshold, state)


async def test_states_outlive_the_engine(day: Day) -> None:
    """What waits, what somebody looks after and what is silenced: another engine goes on where this one was."""
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], for_seconds=180)
    for name in ("seen", "quiet"):
        await day.worker(name)
    await day.pass_(240)
    found = {each.labels["worker"]: each.id for each in await day.list()}
    await acting.acknowledge(day.engine, ANA, models.Acknowledge(ids=[found["seen"]], minutes=600))
    body = {"matchers": [{"name": "worker", "value": "quiet"}], "comment": "x", "ends_at": iso(MONDAY + HOUR)}
    await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    await day.worker("waits")
    await day.pass_(120)
    before = [each.model_dump() for each in await day.list()]
    assert [each["state"] for each in before] == [PENDING, FIRING, FIRING]
    day.said.clear()

    day.engine = make_engine(day.engine.store, day.engine.home)
    day.engine.keep(Outlet, Outlet).notify = day.notify
    assert [each.model_dump() for each in await day.list()] == before
    assert await day.pass_(600) == ["trigger"]
    assert await day.pass_(1_800, step=300) == []
    (_, notice), *_ = day.said
    assert sorted(each["labels"]["worker"] for each in notice.alerts) == ["seen", "waits"]
    (waited, *_) = await day.list(state=FIRING)
    assert waited.starts_at == to_datetime(MONDAY + 480 * SECOND)


async def test_two_engines_at_once_make_one_alert(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1)
    await day.worker("w1")
    async with day.engine.store.read() as connection:
        row = (await connection.execute(select(alert_rules))).one()
    for _ in range(2):
        await evaluation.evaluate_rule(day.engine, rules.rule_of(row), row.updated_at)
    assert len(await day.list()) == 1


async def test_very_many_begin_in_parts_and_no_more_once_the_rule_has_gone(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quarterdeck.engine.alerts.evaluation.AT_ONCE", 2)
    number = await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"])
    for name in "abcde":
        await day.worker(name)
    begun: list[int] = []

    async def begin(engine: Engine, transaction: Transaction, new: Sequence[Any]) -> None:
        begun.append(len(new))
        await keeping.begin(engine, transaction, new)
        if len(begun) == 5:  # somebody deletes the rule after the second part of the second time
            gone = alert_rules.update().where(alert_rules.c.id == number)
            await transaction.connection.execute(gone.values(deleted_at=transaction.now))

    monkeypatch.setattr("quarterdeck.engine.alerts.evaluation.begin", begin)
    await day.pass_(60)
    assert begun == [2, 2, 1]
    assert [each.labels["worker"] for each in reversed(await day.list())] == list("abcde")
    for name in "fghij":
        await day.worker(name)
    await day.pass_(60)
    assert begun == [2, 2, 1, 2, 2]


async def test_a_rule_that_is_switched_off_or_deleted_ends_its_alerts(day: Day) -> None:
    number = await day.rule(AlertType.WORKER_UNHEALTHY, 1)
    await day.worker("w1")
    assert await day.pass_(120) == ["trigger"]
    await rules.change_rule(day.engine, ROOT, number, rule_models.RuleChange(enabled=False))
    assert await day.pass_(300) == ["resolve"]
    (alert,) = await day.list()
    detail = await history.show(day.engine, ROOT, alert.id)
    assert [(each.type, each.body) for each in detail.events][-1] == ("resolved", "The rule was switched off.")
    await rules.change_rule(day.engine, ROOT, number, rule_models.RuleChange(enabled=True))
    assert await day.pass_(400) == ["trigger"]
    await rules.delete_rule(day.engine, ROOT, number)
    assert await day.pass_(300) == ["resolve"]
