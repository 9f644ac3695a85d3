"""The demo's alerts: its rules are valid, hosts fire in groups."""

from __future__ import annotations

from random import Random

from quarterdeck.client.client import Client
from quarterdeck.contract.operations import alerts
from quarterdeck.demo.alarms import some_hosts, watch


async def test_rules_are_made_once_and_hosts_fire_in_groups(running_engine: Client) -> None:
    for _ in range(2):
        await watch(running_engine)
    rules = (await running_engine.call(alerts.RULES))["items"]
    assert len(rules) == 7
    assert not any(each["error"] for each in rules)
    for seed in range(3):
        posted = some_hosts(Random(seed))
        await running_engine.call(alerts.POST, body=posted)  # type: ignore[arg-type]
    board = await running_engine.call(alerts.BOARD)
    assert board["groups"]
    assert sum(board["firing"].values()) > 8
