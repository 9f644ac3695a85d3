"""The board of alerts: what matches a filter, in pages from both ends, and groups of what fires."""

from __future__ import annotations

import json
from typing import Any

from quarterdeck.contract.clock import HOUR, now_ms, to_datetime
from quarterdeck.contract.enums import AlertType, Severity
from quarterdeck.contract.models import alert_rules as rule_models
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import acting, board, history, outside, rules, silencing
from quarterdeck.engine.core import Engine
from tests.support.desk import ACME, ANA, ROOT, refused


async def post(engine: Engine, *labels: dict[str, str]) -> None:
    bodies = [{"labels": each, "annotations": {"summary": f"{each['host']} is slow"}} for each in labels]
    await outside.post(engine, ROOT, models.PostedAlerts.model_validate_json(json.dumps(bodies), strict=True))


async def test_what_fires_is_counted_in_groups_and_read_from_both_ends(engine: Engine) -> None:
    settings = rule_models.RuleSettings(matchers=[rule_models.Matcher(name="team", value="mail")])
    await rules.create_rule(engine, ROOT, rule_models.NewRule(name="mail", type=AlertType.EXTERNAL, settings=settings))
    mail = {"alertname": "Mail fails", "team": "mail", "severity": "warning", "tenant": "acme"}
    await post(engine, *({**mail, "host": f"web-{n}"} for n in range(5)))
    await post(engine, {**mail, "host": "web-5", "severity": "critical"})
    await post(engine, {"alertname": "Alone", "host": 'db-"1"', "severity": "info"})

    async def read(filter_: str = "", who: Principal = ROOT, **query: Any) -> models.AlertPage:
        return await history.history(engine, who, models.HistoryQuery(filter=filter_, **query))

    async def hosts(filter_: str = "", who: Principal = ROOT, **query: Any) -> list[str]:
        return [each.labels["host"][-3:] for each in (await read(filter_, who, **query)).items]

    everything = await hosts()
    assert everything == ['"1"', "b-5", "b-4", "b-3", "b-2", "b-1", "b-0"]

    first = await read(limit=3)
    second = await read(limit=3, cursor=first.next)
    assert [each.id for each in (await read(limit=3, cursor=second.previous, direction="previous")).items] == [
        each.id for each in first.items
    ]
    assert await hosts(limit=2, direction="previous") == everything[-2:]
    assert await hosts(limit=2, direction="previous", skip=2) == everything[-4:-2]
    assert await hosts(limit=2, skip=3) == everything[3:5]

    group = first.items[1].group_id
    found = await board.board(engine, ROOT, models.BoardQuery())
    assert [(each.id, each.name, each.severity, each.labels) for each in found.groups] == [
        (group, "Mail fails", Severity.CRITICAL, {"alertname": "Mail fails"})
    ]
    assert found.groups[0].firing == {Severity.CRITICAL: 1, Severity.WARNING: 5, Severity.INFO: 0}
    assert found.firing == {Severity.CRITICAL: 1, Severity.WARNING: 5, Severity.INFO: 1}
    assert await hosts(f"-group:{group}") == everything[:1]
    assert await hosts(f"group:{group} severity:critical") == ["b-5"]

    # Every key of the grammar.
    assert await hosts("slow") == everything
    assert await hosts("web-3") == ["b-3"]
    assert await hosts('label:"host=db-\\"1\\""') == everything[:1]
    assert await hosts("field.host:web-4,web-2") == ["b-4", "b-2"]
    assert await hosts("type:external tenant:acme created:<1h state:firing -severity:warning") == ["b-5"]
    assert await hosts('name:Alone,"Mail fails" rule:1') == everything[1:]
    assert await hosts("created:yesterday,2020-01-01..2020-02-01") == []
    assert await hosts(ids=f"{first.items[2].id},{first.items[0].id}") == ['"1"', "b-4"]
    assert await hosts(who=ANA) == (everything if ANA.tenants is None else everything[1:])
    assert len((await board.board(engine, ACME, models.BoardQuery())).groups) == 1
    with refused(Code.FILTER_INVALID, "'stat' is no key"):
        await read("stat:firing")

    # What people do.
    ids = [each.id for each in (await read()).items]
    await acting.acknowledge(engine, ROOT, models.Acknowledge(ids=ids[1:3]))
    await acting.resolve(engine, ROOT, models.Resolve(ids=ids[3:4], note="moved"))
    ends = to_datetime(now_ms() + HOUR)
    matchers = [rule_models.Matcher(name="host", value="web-[01]", is_regex=True)]
    new = models.NewSilence(matchers=matchers, ends_at=ends, comment="moving")
    would = await silencing.preview(engine, ROOT, new)
    assert (would.firing, would.pending, would.quiet) == (2, 0, 0)
    assert [each.labels["host"] for each in would.first] == ["web-1", "web-0"]
    with refused(Code.INVALID_INPUT, "would match alerts without any label"):
        empty = [rule_models.Matcher(name="host", value=".*", is_regex=True)]
        await silencing.preview(engine, ROOT, new.model_copy(update={"matchers": empty}))
    await silencing.silence(engine, ROOT, new)
    assert await hosts("is:acknowledged") == everything[1:3]
    assert await hosts("is:silenced,acknowledged state:firing") == [*everything[1:3], *everything[5:]]
    assert await hosts("state:resolved") == everything[3:4]
    found = await board.board(engine, ROOT, models.BoardQuery(filter="tenant:acme"))
    assert (found.groups[0].acknowledged, found.groups[0].quiet, found.pending, found.resolved) == (2, 2, 0, 1)
    assert sum(found.firing.values()) == 5
