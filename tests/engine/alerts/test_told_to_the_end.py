"""Whoever heard of something hears that it is over."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.clock import DAY, iso
from quarterdeck.contract.models.alert_rules import RuleChange
from quarterdeck.engine.alerts import rules
from tests.engine.alerts.world import Day
from tests.support.desk import ROOT


async def test_whoever_was_told_is_told_the_end_whatever_became_of_the_rule(day: Day) -> None:
    """Its channels are others now, its alerts are told in other groups, or it tells nobody any more."""
    number = await day.external(channels=["old", "both"])
    await day.post({"labels": {"alertname": "Down", "host": "a"}})
    assert await day.pass_(60) == ["trigger"] * 2
    await change(day, number, channels=["both", "new"])
    over = {"labels": {"alertname": "Down", "host": "a"}, "endsAt": iso(day.now)}
    await day.post(over)
    assert await day.pass_(300) == ["resolve"] * 3
    assert sorted(channel for channel, _ in day.said[2:]) == ["both", "new", "old"]
    other = {"labels": {"alertname": "Down", "host": "b"}, "endsAt": iso(day.now + DAY)}
    await day.post(other)
    await day.pass_(60)
    first = {notice.key for _, notice in day.said[5:]}
    await change(day, number, channels=["new"], group_by=["host"])
    await day.post(other)  # it is so still, by another name
    await day.pass_(360)
    said = [(channel, notice.kind, notice.key in first) for channel, notice in day.said[7:]]
    assert sorted(said) == [("both", "resolve", True), ("new", "resolve", True), ("new", "trigger", False)]
    await change(day, number, channels=[])
    await day.post({**other, "endsAt": iso(day.now)})
    assert await day.pass_(300) == ["resolve"]


async def change(day: Day, number: int, **settings: Any) -> None:
    await day.channels(settings["channels"])
    kept = (await rules.show_rule(day.engine, ROOT, number)).settings.model_dump(mode="json")
    await rules.change_rule(
        day.engine, ROOT, number, RuleChange.model_validate({"settings": {**kept, **settings}, "reason": "moves"})
    )
