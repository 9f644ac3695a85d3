"""Alerts that others post, and what is remembered of all of them."""

from __future__ import annotations

import pytest

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, from_iso, iso, to_datetime
from quarterdeck.contract.enums import AlertType, Severity
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import history, outside, trying
from quarterdeck.engine.alerts.tables import alert_notices, alerts
from tests.engine.alerts.world import FIRING, MONDAY, RESOLVED, Day, breach
from tests.support.desk import ACME, ROOT, refused

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
    monkeypatch.setattr(retention, "_AT_ONCE", 1)
    for _ in range(3):
        old = {"at": MONDAY, "channel": "ops", "kind": "trigger", "severity": "info", "title": "x", "held": False}
        await day.put(alert_notices, **old)
    await retention.forget(day.engine)
    assert await day.number(alert_notices) == 0
    assert [each.name for each in await day.list()] == ["Fires"]
    assert await day.number(alerts) == 1
