"""Binds a handler to an operation of the contract.

The route is a plain Starlette one: the contract's models read the request and write the answer, so nothing
is validated twice, and the description of the API is made from the contract (`openapi`).
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from quarterdeck.contract.operations import Operation
from quarterdeck.contract.operations.base import Answers
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.http import failures, reading
from quarterdeck.engine.http.principals import require, resolve
from quarterdeck.engine.usage.metering import note_call


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` holds `resource` as Resource, ids as int; `query` and `body` are instances of the
    operation's models, None where it has none. `gone` returns when nobody waits for the answer any more."""

    engine: Engine
    principal: Principal
    path: dict[str, Any]
    query: Any = None
    body: Any = None
    idempotency_key: str | None = None
    gone: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class StreamBody:
    """A file, sent as it is read."""

    chunks: AsyncIterator[bytes]
    media_type: str
    filename: str


Handler = Callable[[Call], Awaitable[BaseModel | StreamBody | str]]
Service = Callable[..., Awaitable[BaseModel | StreamBody | str]]


class BoundRoute(Route):
    """A route that knows its operation."""

    operation: Operation


class _Number(Convertor[str]):
    """Digits only, so that `/claim-next` is never taken for an id. Kept as text: it may be absurdly long."""

    regex = "[0-9]{1,30}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Word(Convertor[str]):
    regex = "[A-Za-z0-9_-]{1,100}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("qd_number", _Number())
register_url_convertor("qd_word", _Word())


def bind(router: APIRouter, operation: Operation, handler: Handler) -> None:
    """Serve `operation` with `handler`. Raises ValueError for one that is answered over a WebSocket."""
    if operation.answers is Answers.SOCKET:
        raise ValueError(f"{operation.name} is a WebSocket")
    route = BoundRoute(
        served_path(operation), _endpoint(operation, handler), methods=[operation.method], name=operation.name
    )
    route.operation = operation
    router.routes.append(route)


def serve(router: APIRouter, operation: Operation, service: Service) -> None:
    """Bind a function that takes the engine, the principal, what the path names in its order, and the operation's body
    and query where it has them."""

    async def handler(call: Call) -> BaseModel | StreamBody | str:
        given = [*call.path.values()]
        given += [call.body] if operation.request else []
        given += [call.query] if operation.query else []
        return await service(call.engine, call.principal, *given)

    bind(router, operation, handler)


def served_path(operation: Operation) -> str:
    """The operation's path with what each parameter may look like."""

    def typed(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"{{{name}:{'qd_number' if name == 'id' or name.endswith('_id') else 'qd_word'}}}"

    return re.sub(r"\{(\w+)\}", typed, operation.path)


def _endpoint(operation: Operation, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    strict_query = Code.INVALID_INPUT in operation.all_problems

    async def endpoint(request: Request) -> Response:
        engine: Engine = request.app.state.engine
        began = time.perf_counter()
        try:
            response = await _serve(engine, operation, handler, request, strict_query)
        except Exception as error:  # noqa: BLE001 - whatever it is, it leaves as a problem document
            response = failures.answer(failures.explain(error, operation.name), request.url.path)
        engine.meter.request(operation.name, response.status_code, time.perf_counter() - began)
        return response

    return endpoint


async def _serve(
    engine: Engine, operation: Operation, handler: Handler, request: Request, strict_query: bool
) -> Response:
    if engine.stopping.is_set() and operation.method != "GET":
        raise Problem(Code.STOPPING, "The engine is stopping; try again in a moment.", retry_after=1)
    principal = resolve(engine.local, request.headers)
    require(principal, operation.role, operation.name)
    path = reading.read_path(request.path_params, operation.resources)
    query = reading.read_query(
        operation.query.load() if operation.query else None, request.scope["query_string"], strict=strict_query
    )
    raw = b""
    body = None
    if operation.request:
        raw = await reading.read_body(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        forms = {media: model for media, model in operation.forms if media == kind}
        model = forms.get(kind, operation.request)
        body = reading.parse_body(model.load(), raw, kind, forms)
    call = Call(engine, principal, path, query, body, gone=partial(_gone, request))
    if operation.tag != "system":
        named = getattr(query, "tenant", None) or getattr(body, "tenant_id", None)
        note_call(engine, principal, named, reads=operation.method == "GET")
    if not operation.idempotent:
        return await _answer(operation, await handler(call))

    from quarterdeck.engine.idempotency import service as idempotency

    key = idempotency.read_key(request.headers.get("idempotency-key"))

    async def first_time() -> tuple[int, bytes]:
        result = await handler(Call(engine, principal, path, query, body, key))
        assert isinstance(result, BaseModel)
        return operation.status, _json(result)

    fingerprint = idempotency.fingerprint(request.url.path, raw)
    status, content = await idempotency.once(
        engine, principal, operation.name, key, fingerprint, first_time, instance=request.url.path
    )
    media_type = "application/json" if status < 400 else failures.MEDIA_TYPE
    return Response(content, status, media_type=media_type)


async def _gone(request: Request) -> None:
    """After the body has been read, the only thing left to come is the end."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answer(operation: Operation, result: BaseModel | StreamBody | str) -> Response:
    if isinstance(result, StreamBody):
        headers = {"Content-Disposition": f'attachment; filename="{result.filename}"'}
        # What goes wrong before there is anything beyond a heading is still told with a status of its own.
        first = [await anext(result.chunks, b""), await anext(result.chunks, b"")]
        chunks = _from(b"".join(first), result.chunks, operation.name)
        return StreamingResponse(chunks, operation.status, headers, media_type=result.media_type)
    if isinstance(result, str):
        return Response(result, operation.status, media_type="text/plain; version=1.0.0; charset=utf-8")
    return Response(_json(result), operation.status, media_type="application/json")


async def _from(first: bytes, rest: AsyncIterator[bytes], what: str) -> AsyncIterator[bytes]:
    yield first
    try:
        async for chunk in rest:
            yield chunk
    except Exception as error:  # noqa: BLE001 - logged whole by `explain`
        failures.explain(error, what)
        raise failures.BrokenOff from None  # the client sees an incomplete transfer, which is what it is


def _json(result: BaseModel) -> bytes:
    return result.__pydantic_serializer__.to_json(result, by_alias=True)
