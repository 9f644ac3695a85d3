"""Binds the operations on channels."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.operations import channels as operations
from quarterdeck.engine.channels import managing, verifying
from quarterdeck.engine.http.binding import serve

router = APIRouter()

serve(router, operations.LIST, managing.list_channels)
serve(router, operations.SHOW, managing.show_channel)
serve(router, operations.CREATE, managing.create_channel)
serve(router, operations.CHANGE, managing.change_channel)
serve(router, operations.DELETE, managing.delete_channel)
serve(router, operations.VERIFY, verifying.verify_channel)
