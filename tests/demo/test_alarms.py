"""The demo's alerts: its rules are valid, and what it posts are groups of them."""

from __future__ import annotations

from random import Random

from quarterdeck.contract.models.alert_rules import DIMENSIONS, NewRule
from quarterdeck.contract.models.alerts import PostedAlerts
from quarterdeck.demo.alarms import RULES, some_hosts


def test_rules_are_valid() -> None:
    for name, kind, settings in RULES:
        rule = NewRule.model_validate({"name": name, "type": kind, "settings": settings})
        assert set(rule.settings.by) <= set(DIMENSIONS[kind]), name


def test_hosts_are_posted_as_prometheus_does() -> None:
    for seed in range(20):
        posted = PostedAlerts.model_validate(some_hosts(Random(seed))).root
        assert len({alert.labels["site"] for alert in posted}) == 2
        assert all(alert.labels["job"] == "node" for alert in posted)
