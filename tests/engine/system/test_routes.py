"""What an engine says about itself."""

from __future__ import annotations

import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import items, system
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import operating_system_user


async def test_it_says_who_it_is_and_who_you_are(running_engine: Client, engine_home: Home) -> None:
    for tenant in ("globex", "acme", "initech"):
        new = {"items": [{"tenant_id": tenant, "title": "x"}] * 3}
        await running_engine.call(items.CREATE, resource="returns", body=new)
    info = await running_engine.typed(system.ENGINE)
    assert info.home == str(engine_home.path)
    assert info.principal.actor == operating_system_user()
    assert info.principal.role is Role.SUPER_ADMIN
    assert info.tenants == ["acme", "globex", "initech"]
    async with await connect(engine_home, act_as=Principal("ana", Role.VIEWER, frozenset({"acme", "gone"}))) as ana:
        assert ana.info["tenants"] == ["acme"]
        assert ana.info["pid"] == info.pid


async def test_health(running_engine: Client) -> None:
    assert await running_engine.call(system.HEALTHZ) == {"status": "ok", "checks": {"process": "ok"}}
    assert await running_engine.call(system.READYZ) == {"status": "ok", "checks": {"store": "ok", "clock": "ok"}}


async def test_numbers_that_prometheus_can_read(running_engine: Client) -> None:
    new = {"items": [{"tenant_id": "acme", "title": "x"}] * 5}
    await running_engine.call(items.CREATE, resource="exceptions", body=new)
    found = {
        family.name: family for family in text_string_to_metric_families(await running_engine.text(system.METRICS))
    }
    requests = {
        (sample.labels["operation"], sample.labels["status"]): sample.value
        for sample in found["quarterdeck_requests"].samples
    }
    assert requests["items.create", "201"] == 1
    count = [
        sample.value
        for sample in found["quarterdeck_request_seconds"].samples
        if sample.name.endswith("_count") and sample.labels["operation"] == "items.create"
    ]
    assert count == [1]
    (counted,) = found["quarterdeck_items"].samples
    assert (counted.labels, counted.value) == ({"resource": "exceptions"}, 5)
    for name in ("runs", "bulk", "store_write_wait_seconds", "subscribers", "started_at_seconds"):
        assert f"quarterdeck_{name}" in found


def test_a_user_without_a_name_is_called_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert operating_system_user() == "uid-4000000001"
