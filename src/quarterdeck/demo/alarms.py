"""What the demo's shops want to be told of: rules over their own work, and hosts that another system watches."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.contract.enums import AlertType, Role
from quarterdeck.contract.operations import alerts
from quarterdeck.contract.principal import Principal
from quarterdeck.demo.crew import waited
from quarterdeck.demo.words import LEAD

RULES: tuple[tuple[str, AlertType, dict[str, Any]], ...] = (
    (
        "Work fails",
        AlertType.ERROR_RATE_HIGH,
        {
            "threshold": 25,
            "by": ["queue"],
            "severity": "critical",
            "labels": {"team": "platform"},
            "annotations": {
                "summary": "{queue}: {value} % of attempts fail",
                "runbook_url": "https://runbooks.example.com/{queue}",
            },
        },
    ),
    (
        "A queue waits",
        AlertType.QUEUE_STUCK,
        {"threshold": 10, "by": ["queue"], "annotations": {"summary": "{queue}: the oldest run waits {value} minutes"}},
    ),
    ("Dead letters grow", AlertType.DLQ_GROWTH, {"threshold": 8, "annotations": {"summary": "{value} more"}}),
    (
        "Promises are broken",
        AlertType.SLA_BREACH,
        {"threshold": 25, "by": ["tenant"], "severity": "critical", "for_seconds": 60},
    ),
    ("Promises fall due", AlertType.SLA_IMMINENT, {"threshold": 10, "by": ["priority"], "severity": "info"}),
    ("A worker is not well", AlertType.WORKER_UNHEALTHY, {"threshold": 1, "by": ["worker"]}),
    (
        "Hosts",
        AlertType.EXTERNAL,
        {"matchers": [{"name": "job", "value": "node"}], "group_by": ["alertname", "site"]},
    ),
)
_SITES = {"north": 14, "south": 9}
_SLOW_SECONDS = (20.0, 50.0)


async def watch(client: Client) -> None:
    """The rules, where there are none yet. Raises Problem, Unreachable."""
    if (await client.call(alerts.RULES))["items"]:
        return
    usual, client.act_as = client.act_as, Principal(LEAD, Role.SUPER_ADMIN)
    try:
        for name, kind, settings in RULES:
            await client.call(alerts.CREATE, body={"name": name, "type": kind, "settings": settings})
    finally:
        client.act_as = usual


def some_hosts(random: Random) -> list[dict[str, Any]]:
    """What a monitor of hosts has to say now; what it leaves out is well again in a while."""
    found = []
    for site, number in _SITES.items():
        for host in random.sample(range(1, number + 1), random.randint(1, number // 2)):
            name, severity = random.choices(
                (("Host is slow", "warning"), ("Disk fills", "info"), ("Host is down", "critical")), (12, 4, 1)
            )[0]
            found.append(
                {
                    "labels": {
                        "alertname": name,
                        "severity": severity,
                        "job": "node",
                        "site": site,
                        "host": f"{site}-{host:02d}",
                    },
                    "annotations": {"summary": f"{name}: {site}-{host:02d}"},
                    "generatorURL": f"https://prometheus.example.com/graph?host={site}-{host:02d}",
                }
            )
    return found


async def monitor(client: Client, random: Random, stopping: asyncio.Event) -> None:
    """Another system posts what it sees. Raises Problem, Unreachable."""
    while True:
        posted: Any = some_hosts(random)
        await client.call(alerts.POST, body=posted)
        if await waited(stopping, random.uniform(*_SLOW_SECONDS)):
            return
