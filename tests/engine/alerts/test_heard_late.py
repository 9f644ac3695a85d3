"""What might never be told: because a rule came later, or was changed, or because something else cannot be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.contract.clock import DAY, SECOND, iso
from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.models.alert_rules import Matcher, RuleChange
from quarterdeck.engine.alerts import ending, flood, keeping, retention, rules
from quarterdeck.engine.alerts.tables import alert_groups, alert_notices, alert_rules, alerts
from quarterdeck.engine.channels.tables import notification_channels
from tests.engine.alerts.test_one_bad_rule import change
from tests.engine.alerts.world import MONDAY, Day
from tests.support.desk import ACME, ROOT

DOWN = {"labels": {"alertname": "Down", "tenant": "acme"}, "endsAt": iso(MONDAY + DAY)}


async def test_a_rule_takes_what_fires_already_when_it_is_posted_again(day: Day) -> None:
    """As Prometheus does every minute, for as long as it fires: it would never be told."""
    await day.post(DOWN)
    assert await day.pass_(600) == []
    await day.external(name="other", matchers=[Matcher(name="alertname", value="Up")])
    await day.external(name="taker", labels={"team": "infra"}, group_by=["team"], severity="critical")
    assert await day.pass_(120) == []
    for _ in range(2):
        await day.post(DOWN)
        await day.pass_(60, step=1)
    ((_, notice),) = day.said
    assert (notice.kind, notice.tenant_id, notice.severity) == ("trigger", "acme", "critical")
    assert notice.alerts[0]["labels"] == {**DOWN["labels"], "team": "infra"}  # type: ignore[dict-item]
    (alert,) = await day.list(ACME)
    assert (alert.rule_id, alert.group) == (2, notice.key)
    await day.post({**DOWN, "endsAt": iso(day.now)})
    assert await day.pass_(360) == ["resolve"]


async def test_quiet_hours_that_are_moved_are_over_when_they_say_so(day: Day) -> None:
    hours = {"timezone": "UTC", "windows": [{"days": ["mon"], "start": "08:00", "end": "23:00"}]}
    number = await day.external(quiet_hours=hours)
    await day.post(DOWN)
    assert await day.pass_(600) == []
    shorter = {**hours, "windows": [{"days": ["mon"], "start": "08:00", "end": "09:15"}]}
    await change(day, number, quiet_hours=shorter)
    async with day.engine.store.write() as transaction:
        await transaction.connection.execute(update(alert_rules).values(updated_at=day.now))
    assert await day.pass_(240) == []
    assert await day.pass_(120) == ["trigger"]


async def test_a_rule_that_is_called_otherwise_says_so_from_then_on(day: Day) -> None:
    """Its name is a label of its alerts."""
    number = await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], name="old")
    await day.worker("w1")
    assert await day.pass_(120) == ["trigger"]
    await rules.change_rule(day.engine, ROOT, number, RuleChange(name="new"))
    await day.pass_(360)
    told = [(notice.kind, notice.title) for _, notice in day.said[1:]]
    assert sorted(told) == [("resolve", "old"), ("trigger", "new")]
    assert [each.labels["alertname"] for each in await day.list(state="firing")] == ["new"]


async def test_what_cannot_be_done_keeps_nothing_else_from_being_told(
    day: Day, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A rule that cannot be read, time that ends something, and what a storm left."""
    broken = await day.external(name="broken")
    await day.external()
    await change(day, broken, threshold="many")
    told = {"kind": "resolve", "severity": "info", "title": "x", "held": True}
    for channel, group in (("gone", 77), ("ops", 78)):
        await day.put(alert_notices, at=day.now, channel=channel, group_id=group, **told)
    send_end = flood._send_end

    async def fails(*given: Any) -> None:
        if given[2].channel == "gone":
            raise RuntimeError
        await send_end(*given)

    async def never(*given: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(flood, "_send_end", fails)
    monkeypatch.setattr(ending, "turn", never)
    await day.post(DOWN, {"labels": {"alertname": "Short"}, "endsAt": iso(day.now + 30 * SECOND)})
    assert await day.pass_(60) == ["trigger"] * 2
    assert "never of alerts has failed; it is tried again" in caplog.text
    async with day.engine.store.read() as connection:
        rows = (await connection.execute(alert_notices.select().order_by(alert_notices.c.id).limit(2))).all()
    assert [(row.held, row.error) for row in rows] == [(True, None), (False, "Its group is not kept any more.")]


async def test_a_storm_of_one_tenant_takes_no_room_in_the_channel_of_another(day: Day) -> None:
    """That is called alike."""
    calm = replace(day.engine.settings.alerts, channel_per_minute=5)
    day.engine.settings = replace(day.engine.settings, alerts=calm)
    own = {"kind": "slack", "settings": {"kind": "slack"}, "secret_keyring": "x", "updated_by": "root"}
    await day.put(notification_channels, name="ops", tenant_id="acme", created_at=1, updated_at=1, **own)
    await day.external(group_by=["host"])
    tomorrow = iso(day.now + DAY)
    hosts = [("acme", "quiet"), *(("globex", f"h{number}") for number in range(9))]
    labels = [{"alertname": "Down", "tenant": tenant, "host": host} for tenant, host in reversed(hosts)]
    await day.post(*({"labels": each, "endsAt": tomorrow} for each in labels))
    await day.pass_(35, step=35)
    assert Counter(notice.tenant_id for _, notice in day.said) == {"acme": 1, "globex": 4}
    await day.pass_(60)
    assert [notice.tenant_id for _, notice in day.said[5:]] == ["globex"], "the summary"


@pytest.mark.parametrize("store_kind", ["postgresql"])  # SQLite has one writer at a time
async def test_a_group_that_is_forgotten_when_something_begins_in_it_is_made_anew(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    await day.external()
    await day.post({**DOWN, "endsAt": iso(day.now + 90 * SECOND)})
    await day.pass_(600)
    assert [notice.kind for _, notice in day.said] == ["trigger", "resolve"]
    day.now += 200 * DAY
    await day.empty(alerts)
    insert = keeping._insert

    async def meanwhile(*given: Any) -> None:
        monkeypatch.setattr(keeping, "_insert", insert)
        await retention.forget(day.engine)
        await insert(*given)

    monkeypatch.setattr(keeping, "_insert", meanwhile)
    again = {**DOWN, "endsAt": iso(day.now + DAY)}
    with pytest.raises(Exception, match="try again"):
        await day.post(again)
    assert await day.number(alert_groups) == 0
    await day.post(again)
    assert await day.pass_(60) == ["trigger"]
