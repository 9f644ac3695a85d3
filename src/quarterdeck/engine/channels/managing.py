"""Channels: making, changing, deleting, and switching one off whose receiver is gone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import ChannelKind
from quarterdeck.contract.models.base import Seen
from quarterdeck.contract.models.channels import (
    SETTINGS,
    Channel,
    ChannelChange,
    ChannelList,
    ChannelSettingsChange,
    NewChannel,
)
from quarterdeck.contract.principal import SYSTEM, Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.channels.lately import last_of_each
from quarterdeck.engine.channels.naming import refuse_while_named
from quarterdeck.engine.channels.showing import shown_to, without_address
from quarterdeck.engine.channels.tables import notification_channels
from quarterdeck.engine.core import Engine
from quarterdeck.engine.set_up import Lock, SetUp, merged
from quarterdeck.engine.store.store import Transaction

MOST_CHANNELS = 1_000
CHANNEL = SetUp("channel", "channels", "channels")
_SECRETS = ("secret_env", "secret_keyring")
_ORDER = (notification_channels.c.name, notification_channels.c.id)


async def list_channels(engine: Engine, principal: Principal) -> ChannelList:
    async with engine.store.read() as connection:
        rows = (await connection.execute(select(notification_channels).order_by(*_ORDER))).all()
        last = await last_of_each(connection, principal)
    mine = [row for row in rows if principal.sees_shared(row.tenant_id)]
    return ChannelList(items=[shown_to(principal, row).model_copy(update={"last": last.get(row.id)}) for row in mine])


async def show_channel(engine: Engine, principal: Principal, channel_id: int) -> Channel:
    """Raises Problem(NOT_FOUND)."""
    async with engine.store.read() as connection:
        return shown_to(principal, await find(connection, principal, channel_id))


async def create_channel(engine: Engine, principal: Principal, new: NewChannel) -> Channel:
    """Raises Problem: INVALID_INPUT, FORBIDDEN, ADDRESS_REFUSED, UNCHANGED for a name that is taken."""
    may_set_up(principal, new.tenant_id)
    values = new.model_dump(mode="json")
    values["kind"] = str(new.settings.kind)
    _check(engine, values)
    _may_lend(principal, values)
    async with engine.store.write() as transaction:
        connection, now = transaction.connection, transaction.now
        rows = (await connection.execute(select(notification_channels.c.id))).all()
        if len(rows) >= MOST_CHANNELS:
            raise Problem(Code.INVALID_INPUT, f"There are {MOST_CHANNELS:,} channels; delete some first.")
        await _is_free(connection, new.name, new.tenant_id)
        values |= {"created_at": now, "updated_at": now, "updated_by": principal.actor}
        made = await connection.execute(
            notification_channels.insert().values(**values).returning(notification_channels.c.id)
        )
        row = await find(connection, principal, made.scalar_one())
        told = {name: values[name] for name in ("name", "kind", "settings", *_SECRETS, "enabled")}
        told["settings"] = without_address(told["settings"])
        await CHANNEL.audit(engine, transaction, principal, "create", row, told)
        return shown_to(principal, row)


async def change_channel(engine: Engine, principal: Principal, channel_id: int, change: ChannelChange) -> Channel:
    """Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE, INVALID_INPUT, ADDRESS_REFUSED, UNCHANGED, and WRONG_STATE
    for another name where its own is in use."""
    async with engine.store.write() as transaction:
        connection = transaction.connection
        before = await find(connection, principal, channel_id, lock=engine.store.dialect.lock)
        may_set_up(principal, before.tenant_id)
        CHANNEL.check_version(before, change)
        wanted = change.model_dump(mode="json", include=change.model_fields_set - {"reason", "version", "settings"})
        if change.settings is not None:
            wanted["settings"] = _merged(before, change.settings)
        values = {name: value for name, value in wanted.items() if value is not None or name in _SECRETS}
        values = {name: value for name, value in values.items() if value != getattr(before, name)}
        if not values:
            raise CHANNEL.unchanged(before)
        whole = {**before._mapping, **values}
        if values.keys() & {"settings", *_SECRETS}:
            _check(engine, whole)
            _may_lend(principal, whole)
        if "name" in values:
            await _is_free(connection, values["name"], before.tenant_id)
            await refuse_while_named(connection, before, "rename")
        changes = {name: [getattr(before, name), value] for name, value in values.items()}
        if "settings" in changes:
            changes["settings"] = [without_address(each) for each in changes["settings"]]
        if values.get("enabled"):
            values["disabled_reason"] = None
        values |= {"version": before.version + 1, "updated_at": transaction.now, "updated_by": principal.actor}
        this = notification_channels.c.id == channel_id
        await connection.execute(notification_channels.update().where(this).values(**values))
        row = await find(connection, principal, channel_id)
        await CHANNEL.audit(engine, transaction, principal, "change", row, {"changes": changes}, change.reason)
        return shown_to(principal, row)


async def delete_channel(engine: Engine, principal: Principal, channel_id: int, seen: Seen | None = None) -> Channel:
    """The answer is as it was. Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE, WRONG_STATE where it is in use."""
    async with engine.store.write() as transaction:
        before = await find(transaction.connection, principal, channel_id, lock=engine.store.dialect.lock)
        may_set_up(principal, before.tenant_id)
        CHANNEL.check_version(before, seen)
        await refuse_while_named(transaction.connection, before, "delete")
        this = notification_channels.c.id == channel_id
        await transaction.connection.execute(delete(notification_channels).where(this))
        await CHANNEL.audit(engine, transaction, principal, "delete", before, {"name": before.name})
        return shown_to(principal, before)


async def disable(engine: Engine, transaction: Transaction, channel: Row[Any], why: str) -> None:
    """Switch a channel off whose receiver wants nothing any more; nothing where it is off, or changed meanwhile."""
    this = (
        notification_channels.c.id == channel.id,
        notification_channels.c.enabled,
        notification_channels.c.version == channel.version,
    )
    values: dict[str, Any] = {"enabled": False, "disabled_reason": why, "version": channel.version + 1}
    values |= {"updated_at": transaction.now, "updated_by": SYSTEM.actor}
    done = await transaction.connection.execute(notification_channels.update().where(*this).values(**values))
    if done.rowcount:
        await CHANNEL.audit(engine, transaction, SYSTEM, "disable", channel, {"name": channel.name}, why)


async def find(
    connection: AsyncConnection, principal: Principal, channel_id: int, *, lock: Lock | None = None
) -> Row[Any]:
    """Raises Problem(NOT_FOUND); one of another tenant does not exist for the caller."""
    query = select(notification_channels).where(notification_channels.c.id == channel_id)
    row: Row[Any] | None = (await connection.execute(query if lock is None else lock(query))).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise CHANNEL.missing(channel_id)
    return row


def _merged(before: Row[Any], given: ChannelSettingsChange) -> dict[str, Any]:
    """The settings with what was given of them. Raises Problem(INVALID_INPUT)."""
    if given.kind != before.kind:
        said = f"Channel {before.name} is of the kind {before.kind} and stays so; make another one instead."
        raise Problem(Code.INVALID_INPUT, said, errors=(("/settings/kind", said),))
    return merged(SETTINGS[ChannelKind(before.kind)], before.settings, given).model_dump(mode="json")


async def _is_free(connection: AsyncConnection, name: str, tenant: str | None) -> None:
    query = select(notification_channels.c.id).where(
        notification_channels.c.name == name, notification_channels.c.tenant_id.is_not_distinct_from(tenant)
    )
    taken = (await connection.execute(query)).scalar_one_or_none()
    if taken is not None:
        raise Problem(Code.UNCHANGED, f"Channel {taken} is called {name} already; change that one, or choose a name.")


def _check(engine: Engine, values: dict[str, Any]) -> None:
    """What goes together, and where it leads. Raises Problem: INVALID_INPUT, ADDRESS_REFUSED."""
    kind, settings = ChannelKind(values["settings"]["kind"]), values["settings"]
    named = [name for name in _SECRETS if values[name] is not None]
    if len(named) > 1:
        raise _refused("secret_keyring", "The secret stands in one place: give secret_env or secret_keyring, not both.")
    if kind in (ChannelKind.SLACK, ChannelKind.PAGERDUTY) and not named:
        raise _refused("secret_env", f"A channel to {kind} needs its secret: name secret_env or secret_keyring.")
    if kind is ChannelKind.EMAIL and bool(named) != (settings["username"] is not None):
        raise _refused(
            "secret_env", "A password belongs to a username, and a username needs one; give both or neither."
        )
    _check_address(engine, kind, settings)


def _check_address(engine: Engine, kind: ChannelKind, settings: dict[str, Any]) -> None:
    # With the first channel: an engine starts without what deliveries need.
    from quarterdeck.engine.deliveries.addresses import check_url, literal, networks, refusal, why_refused

    allowed = networks(engine.settings.engine.allowed_addresses)
    if kind is ChannelKind.WEBHOOK:
        try:
            check_url(settings["url"], allowed)
        except Problem as problem:
            sentence = problem.detail.replace("the queue", "the channel")
            raise Problem(problem.code, sentence, errors=(("/settings/url", sentence),)) from None
    elif kind is ChannelKind.EMAIL:
        host = settings["host"]
        address = literal("127.0.0.1" if host.rstrip(".").lower() == "localhost" else host)
        why = None if address is None else why_refused(address, allowed)
        if why is not None:
            sentence = refusal(host, why)
            raise Problem(Code.ADDRESS_REFUSED, sentence, errors=(("/settings/host", sentence),))


def _refused(member: str, sentence: str) -> Problem:
    return Problem(Code.INVALID_INPUT, sentence, errors=((f"/{member}", sentence),))


def _may_lend(principal: Principal, values: dict[str, Any]) -> None:
    """A channel sends its secret where its settings say, and secrets are the engine's: whoever answers for some
    tenants cannot have one of another sent to a place of their own."""
    if principal.tenants is not None and any(values[name] is not None for name in _SECRETS):
        raise Problem(
            Code.FORBIDDEN,
            f"{principal.actor} answers for some tenants only; a channel with a secret is set up by somebody who"
            " sees all of them.",
        )
