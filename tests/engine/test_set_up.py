"""Two people who set up the same: nobody overwrites what they have not seen, and nothing names what is not there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.contract.enums import AlertType, Resource
from quarterdeck.contract.models import alert_rules, sla
from quarterdeck.contract.models.base import Seen
from quarterdeck.contract.models.channels import Channel, ChannelChange, NewChannel
from quarterdeck.contract.models.usage import NewUsageLimit
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts import rules, tables
from quarterdeck.engine.channels import managing
from quarterdeck.engine.core import Engine
from quarterdeck.engine.sla import policies
from quarterdeck.engine.usage import limits
from tests.support import desk
from tests.support.desk import ACME, ROOT

BEN = Principal("ben", ROOT.role)
SINCE = "since you looked, by ben; look again, then decide."


def refused(code: Code, said: str = "") -> AbstractContextManager[Any]:
    return desk.refused(code, re.escape(said))


async def channel(engine: Engine, name: str, tenant: str | None = None) -> Channel:
    settings = {"kind": "email", "host": "mail.example.org", "sender": "a@example.org", "to": ["b@example.org"]}
    new = NewChannel.model_validate({"name": name, "tenant_id": tenant, "settings": settings})
    return await managing.create_channel(engine, ROOT, new)


async def rule(engine: Engine, name: str = "mail", who: Principal = ROOT, **settings: Any) -> alert_rules.Rule:
    tenant = None if who.tenants is None else next(iter(who.tenants))
    new = {"name": name, "type": "error_rate_high", "tenant_id": tenant, "settings": {"threshold": 20, **settings}}
    return await rules.create_rule(engine, who, alert_rules.NewRule.model_validate(new))


async def change_rule(engine: Engine, number: int, who: Principal = ROOT, **body: Any) -> alert_rules.Rule:
    return await rules.change_rule(engine, who, number, alert_rules.RuleChange.model_validate(body))


async def policy(engine: Engine, **settings: Any) -> sla.Policy:
    targets = [{"priority": "normal", "resolution_minutes": 60}]
    body = {"name": "Standard", "resource": Resource.RETURNS, "settings": {"targets": targets, **settings}}
    return await policies.create_policy(engine, ROOT, sla.NewPolicy.model_validate(body))


async def change_policy(engine: Engine, number: int, who: Principal = ROOT, **body: Any) -> sla.Policy:
    return await policies.change_policy(engine, who, number, sla.PolicyChange.model_validate(body))


async def test_a_change_of_a_rule_is_for_the_rule_that_was_seen(engine: Engine) -> None:
    seen = await rule(engine, labels={"team": "mail"})
    bens = await change_rule(engine, seen.id, BEN, settings={"threshold": 30})
    assert (bens.version, bens.settings.threshold, bens.settings.labels) == (2, 30, {"team": "mail"})
    with refused(Code.CHANGED_SINCE, f"Rule {seen.id} (mail) has changed {SINCE}"):
        await change_rule(engine, seen.id, enabled=False, version=seen.version)
    with refused(Code.CHANGED_SINCE):
        await rules.delete_rule(engine, ROOT, seen.id, Seen(version=seen.version))
    off = await change_rule(engine, seen.id, enabled=False, version=bens.version)
    assert (off.version, off.enabled, off.settings.threshold) == (3, False, 30)
    assert (await change_rule(engine, seen.id, name="post")).version == 4, "who names no version has seen what is there"
    with pytest.raises(Problem) as wrong:
        await change_rule(engine, seen.id, settings={"threshold": 300})
    assert wrong.value.errors[0][0] == "/settings/threshold"
    await rules.delete_rule(engine, ROOT, seen.id, Seen(version=4))


async def test_a_change_of_a_policy_is_for_the_policy_that_was_seen(engine: Engine) -> None:
    seen = await policy(engine, due_soon_percent=60)
    named = await change_policy(engine, seen.id, BEN, name="Usual")
    assert (named.version, named.effective_from) == (2, seen.effective_from)
    with refused(Code.CHANGED_SINCE, f"Policy {seen.id} (Usual) has changed {SINCE}"):
        await change_policy(engine, seen.id, settings={"pauses": []}, version=seen.version)
    with refused(Code.CHANGED_SINCE):
        await policies.delete_policy(engine, ROOT, seen.id, Seen(version=seen.version))
    changed = await change_policy(engine, seen.id, settings={"pauses": []}, version=named.version)
    assert (changed.version, changed.settings.pauses, changed.settings.due_soon_percent) == (3, [], 60)
    assert len(changed.settings.targets) == 1
    switched = await change_policy(engine, seen.id, enabled=False)
    assert (switched.version, switched.settings) == (4, changed.settings)
    async with engine.store.read() as connection:
        kept = await policies.versions_by_id(connection, {1, 2, 3})
    assert sorted(each.number for each in kept.values()) == [1, 3], "a version of settings has the number of its change"
    await policies.delete_policy(engine, ROOT, seen.id, Seen(version=switched.version))


async def test_a_change_of_a_channel_is_for_the_channel_that_was_seen(engine: Engine) -> None:
    seen = await channel(engine, "ops")

    async def change(who: Principal = ROOT, **body: Any) -> Channel:
        return await managing.change_channel(engine, who, seen.id, ChannelChange.model_validate(body))

    bens = await change(BEN, settings={"kind": "email", "port": 25})
    assert (bens.version, bens.settings.port, bens.settings.host) == (2, 25, "mail.example.org")  # type: ignore[union-attr]
    with refused(Code.CHANGED_SINCE, f"Channel {seen.id} (ops) has changed {SINCE}"):
        await change(enabled=False, version=seen.version)
    with refused(Code.CHANGED_SINCE):
        await managing.delete_channel(engine, ROOT, seen.id, Seen(version=seen.version))
    with pytest.raises(Problem) as wrong:
        await change(settings={"kind": "email", "sender": None})
    assert wrong.value.errors[0][0] == "/settings/sender"
    with refused(Code.INVALID_INPUT, "stays so"):
        await change(settings={"kind": "slack"})
    async with engine.store.write() as transaction:
        row = await managing.find(transaction.connection, ROOT, seen.id)
        await managing.disable(engine, transaction, row, "It answered 410.")
    with refused(Code.CHANGED_SINCE, "by quarterdeck"):
        await change(enabled=True, version=bens.version)
    assert (await change(enabled=True, version=3)).version == 4


async def test_a_limit_is_set_over_the_one_that_was_seen(engine: Engine) -> None:
    async def put(quantity: int, who: Principal = ROOT, version: int | None = None) -> int:
        new = NewUsageLimit(resource_type="sms_sent", tenant_id="acme", quantity=quantity, version=version)
        return (await limits.set_limit(engine, who, new)).version

    mine = await put(10, version=0)
    with refused(Code.CHANGED_SINCE, "was set to 10 since you looked, by root"):
        await put(20, BEN, version=0)
    assert await put(20, BEN) == mine + 1
    with refused(Code.CHANGED_SINCE, f"The limit on sms_sent of acme a month was set to 20 {SINCE}"):
        await put(30, version=mine)
    (there,) = (await limits.list_limits(engine, ROOT)).items
    with refused(Code.CHANGED_SINCE):
        await limits.delete_limit(engine, ROOT, there.id, Seen(version=mine))
    gone = await limits.delete_limit(engine, BEN, there.id, Seen(version=there.version))
    assert (await limits.list_limits(engine, ROOT)).items == []
    with refused(Code.CHANGED_SINCE, f"was forgotten {SINCE}"):
        await put(40, version=there.version)
    assert await put(50, version=gone.version) == gone.version + 1, "what was forgotten comes back as it was"
    with refused(Code.CHANGED_SINCE):
        await put(60, version=gone.version)


async def test_of_two_who_change_the_same_at_once_one_is_told(engine: Engine) -> None:
    made, held = await rule(engine), await policy(engine)
    mail = await channel(engine, "ops")

    def limit(number: int) -> Awaitable[Any]:
        return limits.set_limit(engine, ROOT, NewUsageLimit(resource_type="x", quantity=number, version=0))

    def mail_change(number: int) -> Awaitable[Any]:
        change = ChannelChange.model_validate({"settings": {"kind": "email", "port": number}, "version": 1})
        return managing.change_channel(engine, ROOT, mail.id, change)

    ways: tuple[Callable[[int], Awaitable[Any]], ...] = (
        lambda number: change_rule(engine, made.id, settings={"threshold": number}, version=1),
        lambda number: change_policy(engine, held.id, settings={"due_soon_percent": number}, version=1),
        mail_change,
        limit,
    )
    for way in ways:
        ends = await asyncio.gather(*(way(number) for number in (31, 32)), return_exceptions=True)
        problems = [end for end in ends if isinstance(end, Problem)]
        assert [problem.code for problem in problems] == [Code.CHANGED_SINCE], ends
    assert (await policies.show_policy(engine, ROOT, held.id)).settings.due_soon_percent in (31, 32)


async def test_what_names_a_channel_is_told_and_keeps_it(engine: Engine) -> None:
    everybodys, acmes = await channel(engine, "ops"), await channel(engine, "ops", "acme")
    await channel(engine, "own", "acme")
    for who, names, place in ((ROOT, ["ops", "away"], 1), (ROOT, ["own"], 0)):
        with pytest.raises(Problem) as wrong:
            await rule(engine, who=who, channels=names)
        assert wrong.value.errors == ((f"/settings/channels/{place}", "is no channel for every tenant"),)
    mine = await rule(engine, "mine", ACME, channels=["ops", "own"])
    others = await rule(engine, "others", channels=["ops"])
    with pytest.raises(Problem) as wrong:
        await change_rule(engine, others.id, settings={"channels": ["own"]})
    assert wrong.value.errors[0][0] == "/settings/channels/0"
    step = {"percent": 100, "act": "notify", "does": "do", "channels": ["ops"]}
    promised = await policy(engine, escalation=[step])
    said = f"Channel ops is named by rule {others.id} (others), policy {promised.id} (Standard); name another one there"
    with refused(Code.WRONG_STATE, said):
        await managing.delete_channel(engine, ROOT, everybodys.id)
    with refused(Code.WRONG_STATE, f"{said}, then rename it."):
        await managing.change_channel(engine, ROOT, everybodys.id, ChannelChange(name="new"))
    await managing.delete_channel(engine, ROOT, acmes.id)  # there is the one of everybody
    with refused(Code.WRONG_STATE, f"rule {mine.id} (mine), rule {others.id} (others), policy"):
        await managing.delete_channel(engine, ROOT, everybodys.id)
    for each in (mine, others):
        await rules.delete_rule(engine, ROOT, each.id)
    await change_policy(engine, promised.id, settings={"escalation": []})
    await managing.delete_channel(engine, ROOT, everybodys.id)


async def test_a_rule_that_cannot_be_read_is_listed_with_the_others(engine: Engine) -> None:
    bad, good = await rule(engine, "bad", labels={"team": "mail"}), await rule(engine, "good")
    kept = {"threshold": "many", "labels": {"team": "mail"}, "colour": "red"}
    async with engine.store.write() as transaction:
        this = tables.alert_rules.c.id == bad.id
        await transaction.connection.execute(update(tables.alert_rules).where(this).values(settings=kept))
    first, second = (await rules.list_rules(engine, ROOT)).items
    assert (second.id, second.error) == (good.id, None)
    assert (first.type, first.settings.threshold, first.settings.labels) == (
        AlertType.ERROR_RATE_HIGH,
        None,
        {"team": "mail"},
    )
    assert first.error is not None
    assert first.error.startswith("Its settings cannot be read (colour: ")
    assert "; threshold: " in first.error
    mended = await change_rule(engine, bad.id, settings={"threshold": 5}, version=first.version)
    assert (mended.error, mended.settings.threshold, mended.settings.labels) == (None, 5, {"team": "mail"})
