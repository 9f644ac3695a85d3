"""What people and the engine do to keep alerts quiet, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.contract.enums import AlertType, Role, SilenceState
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import acting, history, inhibition, silencing
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.workers.tables import workers
from tests.engine.alerts.world import FIRING, MONDAY, RESOLVED, Day, breach
from tests.support.desk import ANA, ROOT, refused


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


async def test_an_acknowledgement_is_taken_back_by_who_sees_the_alert(day: Day) -> None:
    await day.external()
    labels = {"alertname": "Down", "tenant": "acme"}
    await day.post({"labels": labels, "endsAt": iso(day.now + HOUR)})
    await day.pass_(60)
    (alert,) = await day.list()
    await acting.acknowledge(day.engine, ROOT, models.Acknowledge(ids=[alert.id]))
    assert await day.pass_(5, step=1) == ["acknowledge"]
    wrong = models.Unacknowledge(ids=[alert.id, 99], note="The wrong one.")
    other = Principal("globex-lead", Role.OPERATOR, frozenset({"globex"}))
    assert (await acting.unacknowledge(day.engine, other, wrong)).done == []
    done = await acting.unacknowledge(day.engine, ANA, wrong)
    assert (done.done, done.skipped) == ([alert.id], [99])
    assert (await acting.unacknowledge(day.engine, ANA, wrong)).done == []
    assert await day.pass_(5, step=1) == ["trigger"]
    detail = await history.show(day.engine, ROOT, alert.id)
    assert (detail.alert.acknowledged_by, detail.events[-1].type, detail.events[-1].actor) == (
        None,
        "unacknowledged",
        "ana",
    )
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


async def test_a_cause_keeps_others_quiet_for_as_long_as_it_fires(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there are more alerts than are read at once."""
    monkeypatch.setattr(inhibition, "_AT_ONCE", 2)
    info = {"matchers": [{"name": "severity", "value": "info"}], "equal": ["cluster"]}
    await day.external(name="all", group_by=["cluster", "severity"], inhibits=[info])
    hosts = [
        {"labels": {"alertname": f"Down{number}", "cluster": cluster, "severity": severity}}
        for number in range(3)
        for cluster in ("a", "b", "c")
        for severity in ("critical", "info")
        if (cluster, severity) != ("c", "critical")
    ]
    await day.post(*({**each, "endsAt": iso(day.now + HOUR)} for each in hosts))
    await day.pass_(60)
    assert sorted(str(notice.title) for _, notice in day.said) == [
        "all (cluster=a, severity=critical): 3 firing",
        "all (cluster=b, severity=critical): 3 firing",
        "all (cluster=c, severity=info): 3 firing",
    ]
    assert len(await day.list(silenced=True)) == 6
    over = [each for each in hosts if each["labels"]["cluster"] == "a" and each["labels"]["severity"] == "critical"]
    await day.post(*({**each, "endsAt": iso(day.now)} for each in over))
    day.said.clear()
    await day.pass_(360)
    assert {"a, severity=critical", "a, severity=info"} == {
        notice.title.partition("cluster=")[2].partition(")")[0] for _, notice in day.said
    }
    assert len(await day.list(silenced=True)) == 3


async def test_what_time_begins_and_ends_is_in_the_audit_trail(day: Day) -> None:
    await day.external()
    await day.post({"labels": {"alertname": "Short"}}, {"labels": {"alertname": "Long"}, "endsAt": iso(day.now + HOUR)})
    (long,) = await day.list(name="Long")
    await acting.acknowledge(day.engine, ANA, models.Acknowledge(ids=[long.id], minutes=5))
    body = {"matchers": [{"name": "a", "value": "b"}], "comment": "x", "ends_at": iso(MONDAY + 300_000)}
    await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    await day.pass_(420)
    entries = select(audit_entries.c.details).where(audit_entries.c.action == "alerts.timed")
    async with day.engine.store.read() as connection:
        (details,) = (await connection.execute(entries)).scalars()
    assert details == {"acknowledgements_ended": 1, "silences_ended": 1, "alerts_ended": 1}
