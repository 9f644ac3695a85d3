"""A test through a channel, at once and outside of any queue."""

from __future__ import annotations

import time
from uuid import uuid4

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.models.channels import Verified
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.channels.managing import CHANNEL, find
from quarterdeck.engine.channels.messages import Message
from quarterdeck.engine.channels.words import plain
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.executors import Failure

_SECONDS = 15.0
_LONGEST = 2_000


async def verify_channel(engine: Engine, principal: Principal, channel_id: int) -> Verified:
    """Also through a channel that is switched off, and changes nothing of it. Raises Problem: NOT_FOUND,
    FORBIDDEN for one that is not the caller's to set up."""
    # HTTP and mail are imported with the first message: an engine starts without them.
    from quarterdeck.engine.channels.sending import VERIFIERS, told_by

    async with engine.store.read() as connection:
        channel = await find(connection, principal, channel_id)
    may_set_up(principal, channel.tenant_id)
    name = f"test_{uuid4().hex}"
    message = Message(
        id=name,
        at=now_ms(),
        key=f"quarterdeck-{name}",
        kind="trigger",
        severity="info",
        title=f"This is a test of the channel {channel.name}; there is nothing to do.",
        alerts=(),
        total=0,
        tenant_id=channel.tenant_id,
    )
    began = time.monotonic()
    delivered, code = True, None
    try:
        told = await told_by(engine, channel, message, _SECONDS, VERIFIERS)
        said, detail = told.said, told.detail
    except Failure as failure:
        delivered, code, said, detail = False, failure.code, failure.message, failure.detail
    took = round((time.monotonic() - began) * 1_000)
    async with engine.store.write() as transaction:
        details = {"name": channel.name, "delivered": delivered, "code": code}
        await CHANNEL.audit(engine, transaction, principal, "verify", channel, details)
    return Verified(
        delivered=delivered,
        code=code,
        said=said,
        detail=None if detail is None else plain(detail, _LONGEST),
        took_ms=took,
    )
