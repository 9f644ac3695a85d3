"""Alerts that come and go: who is told what, when, and what people can do about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, from_iso, iso, to_datetime
from quarterdeck.contract.enums import AlertState, AlertType, Severity, SilenceState
from quarterdeck.contract.models import alert_rules as rule_models
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.models.channels import NewChannel
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import acting, evaluation, history, keeping, notices, outside, rules, silencing, trying
from quarterdeck.engine.alerts.sending import Notice, Outlet
from quarterdeck.engine.alerts.tables import alert_groups, alert_rules, alerts
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.channels.managing import create_channel
from quarterdeck.engine.channels.service import notify
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.seeding import seed
from quarterdeck.engine.series.tables import EVERYONE, dead_letter_minutes, run_counts
from quarterdeck.engine.sla.tables import sla_breaches, sla_clocks
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.workers.tables import workers
from tests.support.desk import ACME, ANA, ROOT, refused

MONDAY = from_iso("2026-11-23T09:00:00Z")
FIRING, RESOLVED, PENDING = AlertState.FIRING, AlertState.RESOLVED, AlertState.PENDING


@dataclass
class Day:
    """An engine whose time stands still unless a test moves it, with channels that keep what they are given."""

    engine: Engine
    now: int = MONDAY
    said: list[tuple[str, Notice]] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now

    async def notify(
        self, engine: Engine, transaction: Transaction, channels: Sequence[str], notice: Notice
    ) -> list[int]:
        self.said += [(channel, notice) for channel in channels]
        return []

    async def pass_(self, seconds: int, *, step: int = 60) -> list[str]:
        """Time goes by as the clock ticks, by `step` seconds: rules, then groups. Kinds of what was said."""
        before = len(self.said)
        end = self.now + seconds * SECOND
        while self.now < end:
            self.now = min(end, self.now + step * SECOND)
            await evaluation.evaluate(self.engine)
            await notices.flush(self.engine)
        return [notice.kind for _, notice in self.said[before:]]

    async def rule(self, type_: AlertType, threshold: float | None, **settings: Any) -> int:
        named = {key: settings.pop(key) for key in ("tenant_id", "name", "enabled") if key in settings}
        made = {"threshold": threshold, "channels": ["ops"], **settings}
        new = rule_models.NewRule(type=type_, settings=rule_models.RuleSettings(**made), **{"name": "a rule", **named})
        return (await rules.create_rule(self.engine, ROOT, new)).id

    async def external(self, **settings: Any) -> int:
        return await self.rule(AlertType.EXTERNAL, None, name=settings.pop("name", "outside"), **settings)

    async def post(self, *bodies: dict[str, Any], who: Principal = ROOT) -> models.PostResult:
        posted = models.PostedAlerts.model_validate_json(json.dumps(bodies), strict=True)
        return await outside.post(self.engine, who, posted)

    async def list(self, who: Principal = ROOT, **query: Any) -> list[models.Alert]:
        return (await history.history(self.engine, who, models.HistoryQuery(**query))).items

    async def put(self, table: Any, **values: Any) -> None:
        async with self.engine.store.write() as transaction:
            await transaction.connection.execute(insert(table).values(**values))

    async def empty(self, table: Any) -> None:
        async with self.engine.store.write() as transaction:
            await transaction.connection.execute(table.delete())

    async def number(self, table: Any) -> int:
        async with self.engine.store.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def worker(self, name: str, condition: str = "unhealthy") -> None:
        await self.put(workers, name=name, type="plain", queues=[], condition=condition)


@pytest.fixture
def day(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Day:
    made = Day(engine)
    monkeypatch.setattr("quarterdeck.engine.store.store.now_ms", made)
    for module in ("evaluation", "notices", "history", "silencing", "trying", "sampling"):
        monkeypatch.setattr(f"quarterdeck.engine.alerts.{module}.now_ms", made)
    engine.keep(Outlet, Outlet).notify = made.notify
    return made


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


async def breach(day: Day, item: int, **values: Any) -> None:
    made = {"item_id": item, "target": "resolution", "tenant_id": "acme", "resource": "support_tasks", "priority": 2}
    await day.put(sla_breaches, **{**made, "breached_at": MONDAY - MINUTE, **values})


async def test_each_type_reads_its_figures(day: Day) -> None:
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
    """Everything is in the store: another engine goes on where this one was."""
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, for_seconds=180)
    await day.worker("w1")
    await day.pass_(120)
    day.engine.kept.clear()
    day.engine.keep(Outlet, Outlet).notify = day.notify
    await day.pass_(120)
    (alert,) = await day.list()
    assert alert.state is FIRING
    assert alert.starts_at == to_datetime(MONDAY + 240 * SECOND)


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


# ----- groups


async def test_a_group_waits_then_speaks_at_intervals_then_repeats(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"])
    await day.worker("w1")
    await day.pass_(60)
    await day.worker("w2")
    assert await day.pass_(60) == ["trigger"]
    assert len(day.said[0][1].alerts) == 2
    await day.worker("w3")
    assert await day.pass_(240) == []  # the group has just spoken
    assert await day.pass_(60) == ["trigger"]
    assert len(day.said[1][1].alerts) == 3
    assert await day.pass_(4 * 3_600 - 300, step=300) == []
    assert await day.pass_(600) == ["trigger"]


async def test_groups_are_made_by_labels(day: Day) -> None:
    await day.external(group_by=["alertname", "cluster"])
    for cluster in ("a", "b"):
        for host in ("1", "2", "3"):
            await day.post({"labels": {"alertname": "Down", "cluster": cluster, "host": host}})
    assert await day.pass_(60) == ["trigger", "trigger"]
    assert sorted(notice.title for _, notice in day.said) == [
        "Down (cluster=a): 3 firing",
        "Down (cluster=b): 3 firing",
    ]


async def test_quiet_hours_end_with_what_still_fires(day: Day) -> None:
    hours = {"timezone": "UTC", "windows": [{"days": ["mon"], "start": "08:00", "end": "10:00"}]}
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], quiet_hours=hours)
    await day.worker("w1")
    await day.worker("short")
    assert await day.pass_(1_800) == []
    async with day.engine.store.write() as transaction:
        await transaction.connection.execute(workers.delete().where(workers.c.name == "short"))
    assert await day.pass_(1_740) == []
    assert await day.pass_(60) == ["trigger"]
    assert [each["labels"]["worker"] for each in day.said[0][1].alerts] == ["w1"]


async def test_a_storm_comes_as_a_summary(day: Day) -> None:
    await day.external(group_by=["host"])
    await day.post(*({"labels": {"alertname": "Down", "host": f"h{number}"}} for number in range(100)))
    assert len(await day.pass_(60)) == 29  # the last place of the minute is the summary's
    assert await day.pass_(60) == ["trigger"]
    summary = day.said[-1][1]
    assert summary.title.startswith("71 notices were too many for ops at once: ")
    assert await day.pass_(60) == []


async def test_a_notice_is_a_notification_of_its_channel(day: Day) -> None:
    """All the way: the group's notice is a run of the queue of notifications, and the alert says how that stands."""
    day.engine.keep(Outlet, Outlet).notify = notify
    await seed(day.engine)
    hook = {"name": "ops", "settings": {"kind": "webhook", "url": "https://hooks.example.com/x"}}
    await create_channel(day.engine, ROOT, NewChannel.model_validate(hook))
    await day.external(channels=["ops", "nowhere"])
    await day.post({"labels": {"alertname": "Down"}})
    await day.pass_(60)
    (alert,) = await day.list()
    sent = {each.channel: each for each in (await history.show(day.engine, ROOT, alert.id)).notices}
    assert (sent["ops"].kind, sent["ops"].status) == ("trigger", "pending")
    assert (sent["nowhere"].status, sent["nowhere"].error) == ("skipped", "There is no channel nowhere.")


async def test_a_source_that_flaps_a_thousand_times_a_minute_is_one_alert_in_one_group(day: Day) -> None:
    """For a quarter of a minute; its group may speak at 2, 7 and 12 s, and is looked at every half second."""
    times = replace(day.engine.settings.alerts, group_wait_seconds=2, group_interval_seconds=5)
    day.engine.settings = replace(day.engine.settings, alerts=times)
    await day.external()
    labels = {"alertname": "Flap", "host": "a"}
    for change in range(250):
        day.now = MONDAY + change * 60
        await day.post({"labels": labels} | ({"endsAt": iso(day.now)} if change % 2 else {}))
        if change % 8 == 0:
            await notices.flush(day.engine)
    (alert,) = await day.list()
    assert (alert.state, alert.changes) == (RESOLVED, 124)
    assert await day.number(alert_groups) == 1
    spoke = len(day.said)
    assert 1 <= spoke <= 3
    assert set(await day.pass_(60, step=1)) <= {"resolve"}  # and that is all
    assert len(day.said) - spoke <= 1


# ----- what keeps them quiet


async def test_an_acknowledged_alert_stops_repeating_and_starts_again_after_its_time(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1)
    await day.worker("w1")
    assert await day.pass_(120) == ["trigger"]
    (alert,) = await day.list()
    acted = await acting.acknowledge(day.engine, ANA, models.Acknowledge(ids=[alert.id, 999], minutes=600, note="mine"))
    assert (acted.done, acted.skipped) == ([alert.id], [999])
    (alert,) = await day.list(acknowledged=True)
    assert alert.acknowledged_by == "ana"
    assert await day.pass_(60) == ["acknowledge"]
    assert await day.pass_(9 * 3_600, step=900) == []
    assert await day.pass_(3_600) == ["trigger"]
    detail = await history.show(day.engine, ROOT, alert.id)
    assert [each.type for each in detail.events] == ["firing", "acknowledged", "acknowledgement_ended"]
    assert [each.kind for each in detail.notices] == ["trigger", "acknowledge", "trigger"]


async def test_an_acknowledged_alert_starts_again_when_it_gets_worse(day: Day) -> None:
    await day.rule(AlertType.SLA_BREACH, 1)
    for item in range(1, 11):
        await breach(day, item)
    assert await day.pass_(120) == ["trigger"]
    (alert,) = await day.list()
    await acting.acknowledge(day.engine, ANA, models.Acknowledge(ids=[alert.id]))
    for item in (11, 12):
        await breach(day, item)
    assert await day.pass_(360) == ["acknowledge"]  # a fifth more is not worse yet
    await breach(day, 13)
    assert await day.pass_(360) == ["trigger"]
    assert (await day.list())[0].acknowledged_by is None


async def test_what_is_resolved_by_hand_comes_back_only_after_it_has_ended(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1)
    await day.worker("w1")
    assert await day.pass_(120) == ["trigger"]
    (alert,) = await day.list()
    await acting.resolve(day.engine, ANA, models.Resolve(ids=[alert.id], note="Known."))
    assert await day.pass_(60) == ["resolve"]
    assert await day.pass_(3_600) == []
    assert [each.state for each in await day.list()] == [RESOLVED]
    await day.empty(workers)
    await day.pass_(60)
    await day.worker("w2")
    await day.pass_(360)
    assert (await day.list())[0].state is FIRING


async def test_a_silence_keeps_what_matches_quiet_for_its_time(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"])
    made = models.NewSilence.model_validate(
        {"matchers": [{"name": "worker", "value": "w[12]", "is_regex": True}], "comment": "Moving house.",
         "ends_at": iso(MONDAY + HOUR)}
    )  # fmt: skip
    silence = await silencing.silence(day.engine, ANA, made)
    await day.worker("w1")
    await day.worker("w3")
    assert await day.pass_(120) == ["trigger"]
    assert [each["labels"]["worker"] for each in day.said[0][1].alerts] == ["w3"]
    assert [each.labels["worker"] for each in await day.list(silenced=True)] == ["w1"]
    (listed,) = (await silencing.list_silences(day.engine, ROOT, models.SilenceQuery())).items
    assert (listed.state, listed.alerts) == (SilenceState.ACTIVE, 1)
    assert await day.pass_(3_600) == ["trigger"]  # it ends by itself
    assert await day.list(silenced=True) == []
    with refused(Code.UNCHANGED):
        await silencing.end_silence(day.engine, ANA, silence.id)


async def test_a_silence_reaches_what_fires_already_and_is_ended_by_hand(day: Day) -> None:
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"])
    await day.worker("w1")
    await day.pass_(60)
    body = {"matchers": [{"name": "worker", "value": "w1"}], "comment": "x", "ends_at": iso(MONDAY + HOUR)}
    silence = await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    assert await day.pass_(600) == []
    ended = await silencing.end_silence(day.engine, ANA, silence.id)
    assert ended.state is SilenceState.EXPIRED
    assert await day.pass_(300) == ["trigger"]


async def test_a_silence_made_while_an_alert_was_over_reaches_it_when_it_comes_back(day: Day) -> None:
    await day.external()
    labels = {"alertname": "Down"}
    await day.post({"labels": labels})
    assert await day.pass_(60) == ["trigger"]
    await day.post({"labels": labels, "endsAt": iso(day.now)})
    body = {"matchers": [{"name": "alertname", "value": "Down"}], "comment": "x", "ends_at": iso(day.now + HOUR)}
    await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    await day.post({"labels": labels, "endsAt": iso(day.now + 2 * HOUR)})
    (alert,) = await day.list(silenced=True)
    assert (alert.state, alert.changes) == (FIRING, 1)
    assert await day.pass_(1_800) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"ends_at": iso(MONDAY - 1_000)}, "/ends_at"),
        ({"ends_at": iso(MONDAY + 400 * 24 * HOUR)}, "/ends_at"),
        ({"matchers": [{"name": "a", "value": ".*", "is_regex": True}]}, "/matchers"),
    ],
)
async def test_a_silence_that_says_nothing_is_refused(day: Day, change: dict[str, Any], pointer: str) -> None:
    body = {"matchers": [{"name": "a", "value": "b"}], "comment": "x", "ends_at": iso(MONDAY + HOUR), **change}
    with refused(Code.INVALID_INPUT) as caught:
        await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    assert caught.value.errors[0][0] == pointer


async def test_one_alert_keeps_others_quiet_as_its_rule_says(day: Day) -> None:
    matcher = {"name": "alertname", "value": "Host.*", "is_regex": True}
    rule = {"matchers": [{"name": "severity", "value": "info"}], "equal": ["cluster"]}
    await day.external(name="hosts", matchers=[matcher], inhibits=[rule])
    await day.external(name="rest", channels=["rest"])
    await day.post(
        {"labels": {"alertname": "HostDown", "cluster": "a", "severity": "critical"}},
        {"labels": {"alertname": "Slow", "cluster": "a", "severity": "info"}},
        {"labels": {"alertname": "Slower", "cluster": "b", "severity": "info"}},
    )
    await day.pass_(60)
    assert sorted((channel, notice.title) for channel, notice in day.said) == [("ops", "HostDown"), ("rest", "Slower")]
    (quiet,) = await day.list(silenced=True)
    assert quiet.name == "Slow"
    day.said.clear()
    await day.post(
        {"labels": {"alertname": "HostDown", "cluster": "a", "severity": "critical"}, "endsAt": iso(day.now)}
    )
    await day.post({"labels": {"alertname": "Slow", "cluster": "a", "severity": "info"}, "endsAt": iso(day.now + HOUR)})
    await day.pass_(360)
    assert ("rest", "Slow") in [(channel, notice.title) for channel, notice in day.said]


# ----- from outside

# As Prometheus 2.45 writes it.
PROMETHEUS = """[{"annotations":{"summary":"<b>Instance</b> \\u001b[31mdown"},"endsAt":"2026-11-23T09:04:00.000Z",
"startsAt":"2026-11-23T08:59:30.141Z","generatorURL":"http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
"labels":{"alertname":"InstanceDown","instance":"db:9100","job":"node","severity":"critical","empty":""}}]"""
# As amtool 0.25 writes it: times that were not given are those of the year 1.
AMTOOL = """[{"annotations":{"summary":"by hand"},"endsAt":"0001-01-01T00:00:00.000Z",
"startsAt":"0001-01-01T00:00:00.000Z","generatorURL":"","labels":{"alertname":"ByHand","node":"bar"}}]"""


async def test_what_prometheus_sends_is_taken(day: Day) -> None:
    await day.external()
    posted = models.PostedAlerts.model_validate_json(PROMETHEUS, strict=True)
    assert (await outside.post(day.engine, ROOT, posted)).changed == 1
    assert (await outside.post(day.engine, ROOT, posted)).changed == 0  # it is sent again and again
    (alert,) = await day.list()
    assert (alert.name, alert.severity, alert.type) == ("InstanceDown", Severity.CRITICAL, AlertType.EXTERNAL)
    assert "empty" not in alert.labels
    assert alert.starts_at == to_datetime(from_iso("2026-11-23T08:59:30.141Z"))
    assert await day.pass_(60) == ["trigger"]
    assert day.said[0][1].url == "http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1"
    assert await day.pass_(600) == ["resolve"]  # its endsAt is over
    (alert,) = await day.list()
    assert alert.resolved_at == to_datetime(from_iso("2026-11-23T09:04:00Z"))


async def test_what_amtool_adds_is_over_after_the_resolve_timeout(day: Day) -> None:
    await day.external()
    await outside.post(day.engine, ROOT, models.PostedAlerts.model_validate_json(AMTOOL, strict=True))
    (alert,) = await day.list(state=FIRING)
    assert alert.ends_at == to_datetime(MONDAY + 300 * SECOND)
    await day.pass_(240)
    await outside.post(day.engine, ROOT, models.PostedAlerts.model_validate_json(AMTOOL, strict=True))
    await day.pass_(120)
    assert [each.state for each in await day.list()] == [FIRING]
    await day.pass_(240)
    assert [each.state for each in await day.list()] == [RESOLVED]


@pytest.mark.parametrize(
    "body",
    [
        '[{"labels":{}}]', '[{"labels":{"a":""}}]', '[{"labels":{"1a":"x"}}]', '[{"annotations":{}}]', '{"labels":{}}',
        '[{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]',
        '[{"labels":{"a":"b"},"startsAt":1700000000}]',
    ],
)  # fmt: skip
def test_what_alertmanager_refuses_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"label|after|time|list|Field|missing|before|array"):
        models.PostedAlerts.model_validate_json(body, strict=True)


async def test_a_tenants_poster_posts_for_that_tenant(day: Day) -> None:
    await day.post({"labels": {"alertname": "X"}}, who=ACME)
    assert [each.tenant_id for each in await day.list(ACME)] == ["acme"]
    with refused(Code.FORBIDDEN):
        await day.post({"labels": {"alertname": "X", "tenant": "other"}}, who=ACME)


# ----- history


async def test_history_is_filtered_and_paged(day: Day) -> None:
    await day.external()
    for number in range(25):
        severity = "critical" if number % 5 == 0 else "info"
        await day.post({"labels": {"alertname": f"A{number % 3}", "n": str(number), "severity": severity}})
    assert len(await day.list(severity=Severity.CRITICAL)) == 5
    assert len(await day.list(name="A1")) == 8
    assert [each.labels["n"] for each in await day.list(label="n=7")] == ["7"]
    assert await day.list(label='n=7","severity') == []
    seen: list[int] = []
    cursor = None
    while True:
        page = await history.history(day.engine, ROOT, models.HistoryQuery(limit=10, cursor=cursor))
        seen += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 25
    found = await history.stats(day.engine, ROOT, models.StatsQuery())
    assert (found.firing, found.fired, found.by_severity[0].count) == (25, 25, 5)
    with refused(Code.CURSOR_INVALID):
        await day.list(cursor="x")


async def test_a_rule_says_what_it_would_have_done(day: Day) -> None:
    for begin, end in ((-20, -10), (-5, None)):
        values = {"breached_at": MONDAY + begin * MINUTE, "ended_at": None if end is None else MONDAY + end * MINUTE}
        await breach(day, -begin, **values)
    number = await day.rule(AlertType.SLA_BREACH, 1, for_seconds=120)
    found = await trying.try_out(day.engine, ROOT, number)
    assert found.values
    assert max(each.value for each in found.values) == max(each.worst for each in found.episodes)
    assert [(each.value, each.fires) for each in found.now] == [(1, True)]
    assert [(each.since, each.until) for each in found.episodes] == [
        (to_datetime(MONDAY - 18 * MINUTE), to_datetime(MONDAY - 10 * MINUTE)),
        (to_datetime(MONDAY - 3 * MINUTE), None),
    ]
    assert await day.list() == []  # it only tried
    other = await day.rule(AlertType.WORKER_UNHEALTHY, 1, name="workers")
    assert (await trying.try_out(day.engine, ROOT, other)).why == "Of this only the present is known."


async def test_alerts_that_are_over_are_forgotten_after_their_time(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    from quarterdeck.engine.alerts import retention

    monkeypatch.setattr("quarterdeck.engine.alerts.retention.now_ms", day)
    await day.external()
    await day.post({"labels": {"alertname": "Old"}, "endsAt": iso(MONDAY + MINUTE)})
    await day.pass_(120)
    await day.post({"labels": {"alertname": "Fires"}, "endsAt": iso(MONDAY + 100 * 24 * HOUR)})
    day.now += 91 * 24 * HOUR
    await retention.forget(day.engine)
    assert [each.name for each in await day.list()] == ["Fires"]
    assert await day.number(alerts) == 1
