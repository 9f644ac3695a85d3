"""Silences and matchers at their edges: what is kept that may not be made any more, and what is much."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.models import alert_rules as rule_models
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import keeping, reaching, rules, silencing
from quarterdeck.engine.alerts.tables import alert_rules, silences
from quarterdeck.engine.sla.tables import sla_breaches
from tests.engine.alerts.world import MONDAY, Day, breach
from tests.support.desk import ACME, ANA, ROOT, refused

NOT_ALLOWED = {"name": "host", "value": "(?=a).*", "is_regex": True, "is_equal": True}


async def test_an_expression_that_is_kept_and_not_allowed_matches_nothing_and_its_rule_says_so(day: Day) -> None:
    number = await day.external(name="bad", channels=["never"])
    await day.external(name="rest")
    body = {"matchers": [{"name": "host", "value": "a.*"}], "comment": "x", "ends_at": iso(MONDAY + HOUR)}
    quiet = await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    async with day.engine.store.write() as transaction:
        row = (await transaction.connection.execute(alert_rules.select().where(alert_rules.c.id == number))).one()
        kept = {**row.settings, "matchers": [NOT_ALLOWED], "inhibits": [{"matchers": [NOT_ALLOWED], "equal": []}]}
        await transaction.connection.execute(
            update(alert_rules).where(alert_rules.c.id == number).values(settings=kept)
        )
        unlike = {**NOT_ALLOWED, "is_equal": False}
        await transaction.connection.execute(update(silences).values(matchers=[NOT_ALLOWED, unlike]))
    await day.post({"labels": {"alertname": "Down", "host": "a" * 500}})
    assert await day.pass_(60) == ["trigger"]
    assert [channel for channel, _ in day.said] == ["ops"]
    assert await day.list(silenced=True) == []
    (told,) = (await silencing.list_silences(day.engine, ANA, models.SilenceQuery())).items
    assert told.error is not None
    assert told.error.startswith("The matcher on host is no regular expression")
    assert told.error.endswith("It keeps nothing quiet; make it anew.")
    assert (await silencing.end_silence(day.engine, ANA, quiet.id)).alerts == 0
    shown = await rules.show_rule(day.engine, ROOT, number)
    assert shown.error is not None
    assert shown.error.startswith("The matcher on host is no regular expression")
    off = rule_models.RuleChange(enabled=False)
    assert not (await rules.change_rule(day.engine, ROOT, number, off)).enabled
    better = shown.settings.model_copy(update={"matchers": [], "inhibits": []})
    assert (await rules.change_rule(day.engine, ROOT, number, rule_models.RuleChange(settings=better))).error is None


async def test_silences_at_a_time_have_a_number(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silencing, "MOST_SILENCES", 2)
    body = {"matchers": [{"name": "host", "value": "a"}], "comment": "x", "ends_at": iso(MONDAY + HOUR)}
    new = models.NewSilence.model_validate(body)
    first, _ = [await silencing.silence(day.engine, ANA, new) for _ in range(2)]
    with refused(Code.INVALID_INPUT, "2 silences are not over yet"):
        await silencing.silence(day.engine, ANA, new)
    await silencing.end_silence(day.engine, ANA, first.id)
    assert (await silencing.silence(day.engine, ANA, new)).id > first.id


async def test_who_sees_one_tenant_is_told_how_many_of_its_own_fire_and_are_quiet(day: Day) -> None:
    number = await day.rule(AlertType.SLA_BREACH, 1, by=["tenant", "item"])
    await day.external()
    for item in (1, 2, 3):
        await breach(day, item, tenant_id="globex")
    await breach(day, 4)
    await day.pass_(60)
    body = {"matchers": [{"name": "alertname", "value": "a rule"}], "comment": "x", "ends_at": iso(day.now + HOUR)}
    quiet = await silencing.silence(day.engine, ROOT, models.NewSilence.model_validate(body))
    assert quiet.alerts == 4
    for who, firing in ((ROOT, 4), (ACME, 1)):
        (rule, _) = (await rules.list_rules(day.engine, who)).items
        assert (rule.firing, (await rules.show_rule(day.engine, who, number)).firing) == (firing, firing)
        (listed,) = (await silencing.list_silences(day.engine, who, models.SilenceQuery())).items
        assert listed.alerts == firing
    await day.empty(sla_breaches)
    await day.pass_(60)
    (listed,) = (await silencing.list_silences(day.engine, ROOT, models.SilenceQuery())).items
    assert listed.alerts == 0  # what is over is not kept quiet any more


async def test_much_is_compared_in_pages_beside_the_loop_and_only_what_may_match(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare, seen = reaching._compared, list[int]()

    def counted(silences: Sequence[reaching.Quieted], rows: Sequence[Any]) -> list[Any]:
        assert threading.current_thread() is not threading.main_thread()
        seen.append(len(rows))
        return compare(silences, rows)

    monkeypatch.setattr(reaching, "_compared", counted)
    monkeypatch.setattr(reaching, "_AT_ONCE", 2)
    await day.external()
    await day.post(*({"labels": {"alertname": "Down", "host": f"web-{n}", "site": f"s{n % 3}"}} for n in range(9)))

    def new(*matchers: dict[str, Any]) -> models.NewSilence:
        return models.NewSilence.model_validate({"matchers": matchers, "comment": "x", "ends_at": iso(day.now + HOUR)})

    every = {"name": "host", "value": "web-.*", "is_regex": True}
    would = await silencing.preview(day.engine, ROOT, new(every))
    assert (would.firing, [each.labels["host"] for each in would.first]) == (9, ["web-8", "web-7", "web-6"])
    assert seen == [2, 2, 2, 2, 1]
    seen.clear()
    some = new({"name": "site", "value": "s1"}, {**every, "is_equal": True}, {"name": "gone", "value": ""})
    assert (await silencing.preview(day.engine, ROOT, some)).firing == 3
    assert sum(seen) == 3
    made = await silencing.silence(day.engine, ROOT, some)
    assert made.alerts == 3
    rest = await silencing.silence(day.engine, ROOT, new(every))
    assert rest.alerts == 6
    await silencing.end_silence(day.engine, ROOT, made.id)  # the other one takes them over
    assert {each.silenced_by for each in await day.list()} == {rest.id}
    assert await day.pass_(60) == []


async def test_what_begins_while_a_silence_is_made_is_kept_quiet_too(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    await day.external()
    labels = {"alertname": "Down", "host": "a"}
    body = {"matchers": [{"name": "host", "value": "a"}], "comment": "x", "ends_at": iso(day.now + HOUR)}
    new = models.NewSilence.model_validate(body)
    seek = silencing.reached

    async def meanwhile(*args: Any) -> AsyncIterator[Any]:
        async for found in seek(*args):
            yield found
        await day.post({"labels": labels})

    monkeypatch.setattr(silencing, "reached", meanwhile)
    quiet = await silencing.silence(day.engine, ROOT, new)
    assert quiet.alerts == 1
    await silencing.end_silence(day.engine, ROOT, quiet.id)
    monkeypatch.setattr(silencing, "reached", seek)
    await day.post({"labels": labels, "endsAt": iso(day.now)})
    if not day.engine.store.dialect.skips_locked:
        return  # one writes at a time
    known = keeping.active_silences

    async def then(*args: Any) -> Any:
        found = await known(*args)
        monkeypatch.setattr(keeping, "active_silences", known)
        await silencing.silence(day.engine, ROOT, new)
        return found

    monkeypatch.setattr(keeping, "active_silences", then)
    day.now += HOUR // 2
    await day.post({"labels": labels})
    (alert,) = await day.list(state="firing")
    assert alert.silenced_by is None  # neither has seen the other
    assert await day.pass_(60) == []
    (alert,) = await day.list(state="firing")
    assert alert.silenced_by is not None
