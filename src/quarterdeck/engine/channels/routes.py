"""Binds the operations on channels."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import channels as models
from quarterdeck.contract.operations import channels as operations
from quarterdeck.engine.channels import managing, verifying
from quarterdeck.engine.http.binding import Call, bind

router = APIRouter()


async def _list(call: Call) -> models.ChannelList:
    return await managing.list_channels(call.engine, call.principal)


async def _show(call: Call) -> models.Channel:
    return await managing.show_channel(call.engine, call.principal, call.path["id"])


async def _create(call: Call) -> models.Channel:
    return await managing.create_channel(call.engine, call.principal, call.body)


async def _change(call: Call) -> models.Channel:
    return await managing.change_channel(call.engine, call.principal, call.path["id"], call.body)


async def _delete(call: Call) -> models.Channel:
    return await managing.delete_channel(call.engine, call.principal, call.path["id"], call.query.version)


async def _verify(call: Call) -> models.Verified:
    return await verifying.verify_channel(call.engine, call.principal, call.path["id"])


bind(router, operations.LIST, _list)
bind(router, operations.SHOW, _show)
bind(router, operations.CREATE, _create)
bind(router, operations.CHANGE, _change)
bind(router, operations.DELETE, _delete)
bind(router, operations.VERIFY, _verify)
