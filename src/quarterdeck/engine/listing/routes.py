"""Binds what every listed resource has: a count, values to complete with, selections."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import items as models
from quarterdeck.contract.operations import items as operations
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.listing import counting, selections
from quarterdeck.engine.subjects import subject_of

router = APIRouter()


async def _count(call: Call) -> models.ItemCount:
    listing = subject_of(call.path["resource"]).listing
    return await counting.count(call.engine.store, call.principal, listing, call.query.filter)


async def _facets(call: Call) -> models.Facets:
    return await counting.facets(call.engine.store, call.principal, subject_of(call.path["resource"]).listing)


async def _select(call: Call) -> models.Selection:
    listing = subject_of(call.path["resource"]).listing
    return await selections.make_selection(call.engine, call.principal, listing, call.body)


bind(router, operations.COUNT, _count)
bind(router, operations.FACETS, _facets)
bind(router, operations.SELECT, _select)
