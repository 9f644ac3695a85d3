"""Channels: who may make, see and change them, and what is refused."""

from __future__ import annotations

import base64
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.contract.enums import MachineResource, NotificationState, Role
from quarterdeck.contract.models import items as item_models
from quarterdeck.contract.models.channels import ChannelChange, NewChannel
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.channels import managing, secrets, ticks
from quarterdeck.engine.channels.service import status_of
from quarterdeck.engine.channels.tables import notifications
from quarterdeck.engine.channels.verifying import verify_channel
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.executors import Failure
from quarterdeck.engine.subjects import subject_of
from tests.engine.channels import world
from tests.support.desk import ACME, ROOT, refused
from tests.support.sinks import always, sink

HOOK = {"kind": "webhook", "url": "https://example.org/x"}
OTHER = Principal("other-lead", Role.ADMIN, frozenset({"other"}))


async def change(engine: Engine, number: int, who: Principal = ROOT, **values: Any) -> Any:
    return await managing.change_channel(engine, who, number, ChannelChange(**values))


async def test_a_channel_is_made_changed_and_forgotten_and_each_is_audited(engine: Engine) -> None:
    made = await world.make(engine, settings=HOOK, secret_env=world.ENV)
    assert (made.name, made.kind, made.enabled, made.secret_env) == ("ops", "webhook", True, world.ENV)
    off = await change(engine, made.id, enabled=False, secret_env=None, reason="noise")
    assert (off.enabled, off.secret_env) == (False, None)
    with refused(Code.UNCHANGED):
        await change(engine, made.id, enabled=False)
    assert [each.id for each in (await managing.list_channels(engine, ROOT)).items] == [made.id]
    await managing.delete_channel(engine, ROOT, made.id)
    with refused(Code.NOT_FOUND):
        await managing.show_channel(engine, ROOT, made.id)
    async with engine.store.read() as connection:
        rows = (await connection.execute(select(audit_entries).order_by(audit_entries.c.id))).all()
    assert [row.action for row in rows] == ["channels.create", "channels.change", "channels.delete"]
    assert rows[1].reason == "noise"
    assert rows[1].details == {"changes": {"enabled": [True, False], "secret_env": [world.ENV, None]}}


async def test_an_id_is_never_used_again(engine: Engine) -> None:
    first = await world.make(engine, settings=HOOK)
    (number,) = await world.send(engine)
    await managing.delete_channel(engine, ROOT, first.id)
    second = await world.make(engine, settings=HOOK)
    assert second.id > first.id
    await world.work_off(engine)
    found = await world.status(engine, number)
    assert (found.state, found.error_code) == (NotificationState.FAILED, "no_channel")


async def test_tenants_see_their_own_channels_and_those_of_everybody(engine: Engine) -> None:
    everybody = await world.make(engine, settings=HOOK)
    own = await world.make(engine, who=ACME, tenant_id="acme", settings=HOOK)
    assert {each.id for each in (await managing.list_channels(engine, ACME)).items} == {everybody.id, own.id}
    assert {each.id for each in (await managing.list_channels(engine, OTHER)).items} == {everybody.id}
    with refused(Code.NOT_FOUND):
        await managing.show_channel(engine, OTHER, own.id)
    with refused(Code.FORBIDDEN):
        await world.make(engine, "mine", who=ACME, settings=HOOK)
    with refused(Code.FORBIDDEN):
        await change(engine, everybody.id, ACME, enabled=False)
    with refused(Code.FORBIDDEN):
        await managing.delete_channel(engine, OTHER, everybody.id)


async def test_where_a_channel_leads_is_for_those_who_set_it_up(engine: Engine) -> None:
    hook = {"kind": "webhook", "url": "https://hooks.example.org/T0/B1?key=k"}
    mail = {
        "kind": "email", "host": "mail.example.org", "username": "robot", "sender": "qd@example.org",
        "to": ["ana@example.org"],
    }  # fmt: skip
    shared = await world.make(engine, settings=hook, secret_env=world.ENV)
    posted = await world.make(engine, "post", settings=mail, secret_env=world.ENV)
    own = await world.make(engine, "own", who=ACME, tenant_id="acme", settings=HOOK)
    viewer = replace(ROOT, role=Role.VIEWER)
    for who in (ACME, viewer):
        seen = await managing.show_channel(engine, who, shared.id)
        assert (seen.settings.url, seen.secret_env) == ("https://hooks.example.org/•••", None)  # type: ignore[union-attr]
        told = (await managing.show_channel(engine, who, posted.id)).settings.model_dump()
        assert (told["to"], told["sender"], told["username"]) == (["•••@example.org"], "•••@example.org", "•••")
    assert (await managing.show_channel(engine, ROOT, shared.id)).settings == shared.settings
    assert (await managing.show_channel(engine, ACME, own.id)).settings == own.settings
    await change(engine, shared.id, ROOT, settings={**hook, "url": "https://hooks.example.org/T0/B2"})
    async with engine.store.read() as connection:
        written = str((await connection.execute(select(audit_entries.c.details))).all())
    assert "hooks.example.org" in written
    assert not [word for word in ("key=k", "/T0", "/B1", "/B2", "ana@", "robot") if word in written]


async def test_a_tenants_admin_tries_only_its_own_channels(engine: Engine) -> None:
    async with sink(always(200)) as made:
        shared = await world.make(world.at_home(engine), settings={"kind": "webhook", "url": made.url()})
        with refused(Code.FORBIDDEN):
            await verify_channel(engine, ACME, shared.id)
        assert not made.received


@pytest.mark.parametrize("before", ["", "\0", "\0u", "\0user\0"])
def test_a_password_that_comes_back_encoded_is_hidden(before: str) -> None:
    said = base64.b64encode(f"{before}correct horse{before}".encode()).decode()
    left = (secrets.scrubbed(said, ["correct horse"]) or "").replace(secrets.HIDDEN, "")
    assert len(left) <= len(said) - 16


async def test_a_tenant_is_lent_no_secret(engine: Engine) -> None:
    with refused(Code.FORBIDDEN, "set up by somebody who sees all"):
        await world.make(engine, who=ACME, tenant_id="acme", settings=HOOK, secret_env=world.ENV)
    lent = await world.make(engine, tenant_id="acme", settings=HOOK, secret_env=world.ENV)
    with refused(Code.FORBIDDEN):
        await change(engine, lent.id, ACME, settings={**HOOK, "url": "https://thief.example/"})
    assert not (await change(engine, lent.id, ACME, enabled=False)).enabled


async def test_a_name_means_the_tenants_own_channel_first(engine: Engine) -> None:
    everybody = await world.make(engine, settings=HOOK)
    own = await world.make(engine, tenant_id="acme", settings=HOOK)
    with refused(Code.UNCHANGED):
        await world.make(engine, tenant_id="acme", settings=HOOK)
    with refused(Code.UNCHANGED):
        await world.make(engine, settings=HOOK)
    numbers = [(await world.send(engine, tenant_id=each))[0] for each in ("acme", "other", None)]
    async with engine.store.read() as connection:
        query = select(notifications.c.channel_id).where(notifications.c.id.in_(numbers)).order_by(notifications.c.id)
        assert list((await connection.execute(query)).scalars()) == [own.id, everybody.id, everybody.id]
    assert [(await world.run_of(engine, each)).tenant_id for each in numbers] == ["acme", "other", "quarterdeck"]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x", "http://localhost/x", "http://10.1.2.3/", "http://[::1]/", "http://169.254.169.254/meta",
     "http://0x7f.1/", "http://[::ffff:10.0.0.1]/"],
)  # fmt: skip
async def test_an_address_inside_is_refused_with_its_field(engine: Engine, url: str) -> None:
    with refused(Code.ADDRESS_REFUSED) as caught:
        await world.make(engine, settings={**HOOK, "url": url})
    ((field, sentence),) = caught.value.errors
    assert field == "/settings/url"
    assert "calls no address inside its own network" in sentence, "a form shows it under its field, and nothing else"


@pytest.mark.parametrize("url", ["ftp://x.y/", "x", "https://user:secret@x.y/", "https://x.y/a b"])
async def test_what_is_no_address_is_refused_with_its_field(engine: Engine, url: str) -> None:
    with refused(Code.INVALID_INPUT) as caught:
        await world.make(engine, settings={**HOOK, "url": url})
    assert caught.value.errors[0][0] == "/settings/url"


MAIL = {"kind": "email", "host": "mail.example.org", "sender": "a@x.org", "to": ["b@x.org"]}


@pytest.mark.parametrize(
    "values",
    [
        {"settings": {"kind": "fax"}},
        {"settings": HOOK, "secret_env": "HOME"},
        {"settings": HOOK, "secret_env": "DATABASE_URL"},
        {"settings": {**HOOK, "secret": "whsec_x"}},
        {"settings": MAIL | {"to": []}},
        {"settings": MAIL | {"to": ["b@x.org\r\nBcc: c@x.org"]}},
        {"settings": MAIL | {"sender": "A <a@x.org>"}},
        {"settings": MAIL | {"port": 0}},
        {"settings": MAIL | {"security": "none", "username": "u"}},
        {"settings": MAIL | {"host": "mail.example.org\r\n"}},
        {"settings": HOOK, "name": "a\nb"},
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewChannel.model_validate({"name": "ops", **values})


async def test_secrets_and_kinds_go_together(engine: Engine) -> None:
    for settings in ({"kind": "slack"}, {"kind": "pagerduty"}, {**MAIL, "username": "u"}):
        with refused(Code.INVALID_INPUT):
            await world.make(engine, settings=settings)
    with refused(Code.INVALID_INPUT):
        await world.make(engine, settings=MAIL, secret_env=world.ENV)
    with refused(Code.INVALID_INPUT):
        await world.make(engine, settings=HOOK, secret_env=world.ENV, secret_keyring="x")
    made = await world.make(engine, settings=HOOK)
    with refused(Code.INVALID_INPUT, "stays so"):
        await change(engine, made.id, settings={"kind": "slack"}, secret_env=world.ENV)


async def test_a_secret_comes_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {("quarterdeck", "channel:duty"): " from the ring \n"}
    fake = SimpleNamespace(get_password=lambda service, user: kept.get((service, user)))
    monkeypatch.setitem(sys.modules, "keyring", fake)
    row = SimpleNamespace(secret_env=None, secret_keyring="duty")
    assert await secrets.secret_of(row) == "from the ring"
    kept.clear()
    with pytest.raises(Failure, match="keyring set quarterdeck channel:duty"):
        await secrets.secret_of(row)


async def test_what_somebody_cancels_is_seen_as_cancelled(engine: Engine) -> None:
    await world.make(engine, settings=HOOK)
    (number,) = await world.send(engine)
    run = await world.run_of(engine, number)
    await subject_of(MachineResource.RUNS).act(engine, ROOT, run.id, "cancel", item_models.ActionRequest())
    assert (await world.status(engine, number)).state is NotificationState.CANCELLED
    last = (await managing.list_channels(engine, ROOT)).items[0].last
    assert last is not None
    assert (last.state, last.run_id) == (NotificationState.CANCELLED, run.id)
    assert (await managing.list_channels(engine, OTHER)).items[0].last is None, "it was not about a tenant of theirs"


async def test_old_notifications_are_forgotten(engine: Engine) -> None:
    (old,) = await world.send(engine, "nobody")
    (young,) = await world.send(engine, "nobody")
    async with engine.store.write() as transaction:
        aged = notifications.update().where(notifications.c.id == old)
        await transaction.connection.execute(aged.values(created_at=now_ms() - (ticks.KEPT_DAYS + 1) * DAY))
    await ticks.forget_old(engine)
    async with engine.store.read() as connection:
        assert set(await status_of(connection, [old, young])) == {young}


async def test_a_payload_that_names_another_tenants_notification_sends_nothing(engine: Engine) -> None:
    from quarterdeck.engine.runs.tables import runs

    await world.make(engine, settings=HOOK)
    (theirs,) = await world.send(engine, tenant_id="acme")
    (number,) = await world.send(engine, tenant_id="other")
    run = await world.run_of(engine, number)
    first = await world.run_of(engine, theirs)
    async with engine.store.write() as transaction:
        change_it = runs.update().where(runs.c.id == run.id).values(payload={"notification": theirs})
        await transaction.connection.execute(change_it)
        await transaction.connection.execute(runs.update().where(runs.c.id == first.id).values(status="cancelled"))
    await world.work_off(engine)
    assert (await world.run_of(engine, number)).error_code == "no_notification"


async def test_a_flood_is_kept_within_bounds(engine: Engine) -> None:
    await world.make(engine, settings=HOOK)
    alerts = tuple({"labels": {"n": str(n), "text": "x" * 1_000}} for n in range(100_000))
    (number,) = await world.send(engine, alerts=alerts)
    async with engine.store.read() as connection:
        query = select(notifications.c.content).where(notifications.c.id == number)
        content = (await connection.execute(query)).scalar_one()
    assert (content["total"], len(content["alerts"])) == (100_000, 100)
