"""Silences and matchers at their edges: what is kept that may not be made any more, and what is much."""

from __future__ import annotations

from sqlalchemy import update

from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.contract.models import alert_rules as rule_models
from quarterdeck.contract.models import alerts as models
from quarterdeck.engine.alerts import rules, silencing
from quarterdeck.engine.alerts.tables import alert_rules, silences
from tests.engine.alerts.world import MONDAY, Day
from tests.support.desk import ANA, ROOT

FOR_EVER = {"name": "host", "value": "(a+a?)+$x", "is_regex": True, "is_equal": True}


async def test_an_expression_that_is_kept_and_may_take_for_ever_matches_nothing_and_its_rule_says_so(day: Day) -> None:
    number = await day.external(name="bad", channels=["never"])
    await day.external(name="rest")
    body = {"matchers": [{"name": "host", "value": "a.*"}], "comment": "x", "ends_at": iso(MONDAY + HOUR)}
    quiet = await silencing.silence(day.engine, ANA, models.NewSilence.model_validate(body))
    async with day.engine.store.write() as transaction:
        row = (await transaction.connection.execute(alert_rules.select().where(alert_rules.c.id == number))).one()
        kept = {**row.settings, "matchers": [FOR_EVER], "inhibits": [{"matchers": [FOR_EVER], "equal": []}]}
        await transaction.connection.execute(
            update(alert_rules).where(alert_rules.c.id == number).values(settings=kept)
        )
        unlike = {**FOR_EVER, "is_equal": False}
        await transaction.connection.execute(update(silences).values(matchers=[FOR_EVER, unlike]))
    await day.post({"labels": {"alertname": "Down", "host": "a" * 500}})
    assert await day.pass_(60) == ["trigger"]
    assert [channel for channel, _ in day.said] == ["ops"]
    assert await day.list(silenced=True) == []
    assert (await silencing.end_silence(day.engine, ANA, quiet.id)).alerts == 0
    shown = await rules.show_rule(day.engine, ROOT, number)
    assert shown.error is not None
    assert shown.error.startswith("The matcher on host is a regular expression that may take for ever")
    off = rule_models.RuleChange(enabled=False)
    assert not (await rules.change_rule(day.engine, ROOT, number, off)).enabled
    better = shown.settings.model_copy(update={"matchers": [], "inhibits": []})
    assert (await rules.change_rule(day.engine, ROOT, number, rule_models.RuleChange(settings=better))).error is None
