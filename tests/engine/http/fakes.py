"""An engine that has nothing but what the binding needs, and a client of an app over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException

from quarterdeck.config.home import Home
from quarterdeck.config.settings import Settings
from quarterdeck.contract.enums import Role
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.http import failures
from quarterdeck.engine.live.hub import Hub
from quarterdeck.engine.metrics.meter import Meter

OPERATOR = Principal("olga", Role.OPERATOR, frozenset({"acme"}))


def engine(store: Any = None) -> Engine:
    return Engine(
        Settings(),
        Home(Path("/nowhere")),
        cast(Any, store or SimpleNamespace(dialect=SimpleNamespace())),
        Hub(),
        cast(Any, None),
        Meter(),
        Principal("sue", Role.SUPER_ADMIN),
    )


@asynccontextmanager
async def serving(router: APIRouter, of: Engine) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.engine = of
    app.router.routes.extend(router.routes)
    app.add_exception_handler(HTTPException, failures.http_exception)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        yield client
