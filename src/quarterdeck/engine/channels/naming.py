"""Who names channels, and that whoever is named is there: rules and policies know them by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts.tables import alert_rules
from quarterdeck.engine.channels.service import visible
from quarterdeck.engine.channels.tables import notification_channels
from quarterdeck.engine.sla.tables import is_newest, sla_policies, sla_versions

_SAID = 3


async def refuse_unknown(connection: AsyncConnection, named: Iterable[tuple[str, str]], tenant: str | None) -> None:
    """`named`: where a channel is named, and which. Raises Problem(INVALID_INPUT) with the place of one that means
    none to this tenant; None: to every one."""
    places = list(named)
    known = await visible(connection, sorted({name for _, name in places}), tenant) if places else set()
    whose = "for every tenant" if tenant is None else f"for {tenant}"
    for at, name in places:
        if name not in known:
            said = f"There is no channel {name} {whose}; qd alerts channels list says which there are."
            raise Problem(Code.INVALID_INPUT, said, errors=((at, f"is no channel {whose}"),))


async def refuse_while_named(connection: AsyncConnection, channel: Row[Any], doing: str) -> None:
    """`doing` would take the name away. Raises Problem(WRONG_STATE) that says which rules and policies would tell
    nobody by it."""
    same = notification_channels.c.name == channel.name
    others = select(notification_channels.c.tenant_id).where(same, notification_channels.c.id != channel.id)
    left = set((await connection.execute(others)).scalars())
    users = [
        who
        for who, tenant in await _users(connection, channel.name)
        if (channel.tenant_id is None or tenant == channel.tenant_id) and not left & {None, tenant}
    ]
    if users:
        some = ", ".join(users[:_SAID]) + (f" and {len(users) - _SAID} more" if len(users) > _SAID else "")
        raise Problem(
            Code.WRONG_STATE,
            f"Channel {channel.name} is named by {some}; name another one there, then {doing} it.",
            extra={"named_by": users},
        )


async def _users(connection: AsyncConnection, name: str) -> list[tuple[str, str | None]]:
    """What names it, as people call it, and its tenant; of policies what they promise now."""
    rules = select(alert_rules).where(alert_rules.c.deleted_at.is_(None)).order_by(alert_rules.c.id)
    policies = (
        select(sla_policies.c.id, sla_policies.c.name, sla_policies.c.tenant_id, sla_versions.c.settings)
        .where(sla_policies.c.deleted_at.is_(None), is_newest())
        .order_by(sla_policies.c.id)
    )
    return [
        (f"{noun} {row.id} ({row.name})", row.tenant_id)
        for noun, query in (("rule", rules), ("policy", policies))
        for row in await connection.execute(query)
        if name in _named(row.settings)
    ]


def _named(settings: Any) -> set[str]:
    """Of settings that may be such as nobody can read any more."""
    if isinstance(settings, dict):
        own = settings.get("channels")
        named = {each for each in own if isinstance(each, str)} if isinstance(own, list) else set()
        return named.union(*(_named(part) for part in settings.values()))
    return set().union(*map(_named, settings)) if isinstance(settings, list) else set()
