"""Assembles the engine: its parts in their order, and the API over them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from quarterdeck import __version__
from quarterdeck.config.home import Home
from quarterdeck.config.settings import Settings
from quarterdeck.engine.clock import SchedulerClock
from quarterdeck.engine.core import Activity, Engine
from quarterdeck.engine.http import failures, openapi
from quarterdeck.engine.live.hub import Hub
from quarterdeck.engine.metrics.meter import Meter
from quarterdeck.engine.store.store import Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

# What serves operations and what the clock calls, one package a capability.
CAPABILITIES = (
    "items", "listing", "bulk", "queues", "runs", "dead_letters", "series", "deliveries", "workers", "sla",
    "alerts", "channels", "usage", "overview", "audit", "idempotency", "live", "system",
)  # fmt: skip


@asynccontextmanager
async def running(settings: Settings, home: Home) -> AsyncIterator[Engine]:
    """An engine at work; stopped in the reverse order. Raises Problem where the store cannot be opened."""
    from quarterdeck.engine.queues import seeding as queue_seeding
    from quarterdeck.engine.runs.dispatcher import Dispatcher
    from quarterdeck.engine.usage import seeding as usage_seeding

    store = await Store.open(settings.store, home)
    try:
        engine = Engine(settings, home, store, Hub(), SchedulerClock(), Meter())
        for _ in _parts("subject"):
            pass  # says itself what it is
        for ticks in _parts("ticks"):
            ticks.register(engine)
        for seeding in (queue_seeding, usage_seeding):
            await seeding.seed(engine)
        dispatcher = Dispatcher(engine)
        await dispatcher.start()
        engine.clock.start()
        try:
            yield engine
        finally:
            engine.stopping.set()
            await dispatcher.stop()
            await engine.clock.stop()
            for finish in engine.finishers:
                await finish()
            engine.hub.close()
    finally:
        await store.close()


def create_app(engine: Engine) -> FastAPI:
    """The API of a running engine."""
    app = FastAPI(
        title="Quarterdeck",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.router.routes.extend(_in_order(route for part in _parts("routes") for route in part.router.routes))
    app.add_exception_handler(HTTPException, failures.http_exception)
    app.add_exception_handler(Exception, failures.unforeseen)
    app.add_middleware(_Presence, activity=engine.activity)

    described: list[JSONResponse] = []

    async def description(request: Request) -> JSONResponse:
        if not described:
            described.append(JSONResponse(openapi.describe()))
        return described[0]

    app.router.add_route(openapi.PATH, description, methods=["GET"], include_in_schema=False)
    return app


def _parts(kind: str) -> Iterable[Any]:
    for capability in CAPABILITIES:
        name = f"quarterdeck.engine.{capability}.{kind}"
        if find_spec(name) is not None:
            yield import_module(name)


def _in_order(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Fixed words before parameters: `/count` is not an item's id, whoever was bound first."""
    return sorted(routes, key=lambda route: ["{" in part for part in getattr(route, "path", "").split("/")])


class _Presence:
    """Notes that somebody is there, so that the engine does not stop under them."""

    def __init__(self, app: ASGIApp, activity: Activity) -> None:
        self.app = app
        self.activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.activity.enter()
        try:
            await self.app(scope, receive, send)
        finally:
            self.activity.leave()
