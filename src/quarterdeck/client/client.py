"""Calls of the contract's operations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from quarterdeck.client import live
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.refusals import problem_of
from quarterdeck.client.transport import Address, httpx, open_http
from quarterdeck.contract.operations import Operation
from quarterdeck.contract.principal import ACT_AS_HEADER, Principal
from quarterdeck.contract.problems import Code

JsonObject = dict[str, Any]

# Seconds before each further try when a connection is lost. An engine that is restarting is back by then.
_TRIES = (0.05, 0.2, 0.5, 1.0)
# A request whose connection was lost may still be at work; its key says so until it is done.
_IN_FLIGHT_TRIES = 60


class _Line:
    """The connections of one httpx client, closed when it has been replaced and nobody uses it any more."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.users = 0
        self._retired = False

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        self.users += 1
        try:
            return await self.http.request(method, url, **options)
        finally:
            await self.left()

    async def left(self) -> None:
        self.users -= 1
        await self._close_if_done()

    async def retire(self) -> None:
        self._retired = True
        await self._close_if_done()

    async def _close_if_done(self) -> None:
        if self._retired and not self.users:
            await self.http.aclose()


class Client:
    """One engine, one principal. Use it from one event loop.

    `info` is what the engine said of itself when it was connected (an `EngineInfo` as JSON). `revive` brings
    back an engine that has died, where this client is one that may.
    """

    def __init__(
        self,
        address: Address,
        *,
        act_as: Principal | None = None,
        revive: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.address = address
        self.act_as = act_as
        self.revive = revive
        self.info: JsonObject = {}
        self._line = _Line(open_http(address))
        self._closed = False

    async def call(
        self,
        op: Operation,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        **path: object,
    ) -> JsonObject:
        """The answer as JSON. Members of `query` that are None are left out.

        Raises Problem as the engine answers, Unreachable where none does. A lost connection is tried again
        where that cannot act twice: reads, and idempotent operations, with the same key.
        """
        response = await self._send(op, query, body, idempotency_key, path)
        if response.status_code >= 400:
            raise problem_of(response.status_code, response.content, response.headers.get("retry-after"))
        found: JsonObject = json.loads(response.content)
        return found

    async def typed(
        self,
        op: Operation,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        **path: object,
    ) -> Any:
        """The same as an instance of the operation's response model."""
        assert op.response is not None, f"{op.name} answers with no model"
        found = await self.call(op, query=query, body=body, idempotency_key=idempotency_key, **path)
        return op.response.load().model_validate(found)

    async def text(self, op: Operation) -> str:
        """For operations that answer in plain text."""
        response = await self._send(op, None, None, None, {})
        if response.status_code >= 400:
            raise problem_of(response.status_code, response.content, response.headers.get("retry-after"))
        return response.text

    async def stream(
        self, op: Operation, *, query: Mapping[str, object] | None = None, **path: object
    ) -> AsyncGenerator[bytes, None]:
        """A file as it comes. Raises Unreachable where it breaks off."""
        line = self._line
        line.users += 1
        try:
            request = line.http.build_request(op.method, op.url(**path), params=_texts(query), headers=self.headers())
            response = await line.http.send(request, stream=True)
            try:
                if response.status_code >= 400:
                    content = await response.aread()
                    raise problem_of(response.status_code, content, response.headers.get("retry-after"))
                async for chunk in response.aiter_bytes():
                    yield chunk
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        finally:
            await line.left()

    def events(self) -> AsyncGenerator[JsonObject, None]:
        """Changes as they happen, for ever.

        Besides the messages of `contract.live` it yields {"type": "connected"} when there is a connection, and
        {"type": "disconnected", "reason": sentence} when there is none; then it goes on trying. After
        "connected" whatever is on the screen may be old.
        """
        return live.events(self)

    def watch(self, operation_id: int) -> AsyncGenerator[JsonObject, None]:
        """The progress of a bulk operation; ends after `operation_completed`. Raises Problem, Unreachable."""
        return live.watch(self, operation_id)

    def watch_run(self, run_id: int) -> AsyncGenerator[JsonObject, None]:
        """The changes of a run and of its log, for as long as they are read; see `contract.live`.

        A connection that is lost comes back, and begins with the newest state. Raises Problem, such as NOT_FOUND.
        """
        return live.watch_run(self, run_id)

    async def close(self) -> None:
        self._closed = True
        await self._line.http.aclose()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def closed(self) -> bool:
        return self._closed

    async def _send(
        self,
        op: Operation,
        query: Mapping[str, object] | None,
        body: Mapping[str, object] | None,
        key: str | None,
        path: Mapping[str, object],
    ) -> httpx.Response:
        if op.idempotent and key is None:
            key = str(uuid4())
        content = None if op.request is None else json.dumps(body or {}, ensure_ascii=True, default=str).encode()
        headers = self.headers(key)
        if content is not None:
            headers["Content-Type"] = "application/json"
        url, params = op.url(**path), _texts(query)
        safe = op.method == "GET" or op.idempotent
        waits = iter(_TRIES)
        lost = False
        in_flight = 0
        while True:
            line = self._line
            try:
                response = await line.request(op.method, url, params=params, content=content, headers=headers)
            except httpx.TransportError as error:
                never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                wait = next(waits, None)
                if wait is None or not (safe or never_sent) or isinstance(error, httpx.ReadTimeout):
                    raise self._unreachable(error) from error
                lost = True
                await asyncio.sleep(wait)
                if line is self._line:
                    await self.reopen()
                continue
            if lost and response.status_code == 409 and in_flight < _IN_FLIGHT_TRIES:
                problem = problem_of(response.status_code, response.content, None)
                if problem.code is Code.IDEMPOTENCY_IN_FLIGHT:
                    in_flight += 1
                    await asyncio.sleep(1.0)
                    continue
            return response

    async def reopen(self) -> None:
        """New connections: the engine may have come back at another place."""
        if not self._closed:
            old, self._line = self._line, _Line(open_http(self.address))
            await old.retire()

    def headers(self, key: str | None = None) -> dict[str, str]:
        """What identifies the caller, and the call where it has a `key`."""
        headers = {}
        if self.act_as is not None:
            headers[ACT_AS_HEADER] = self.act_as.header()
        if key is not None:
            headers["Idempotency-Key"] = f'"{key}"'
        return headers

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        if isinstance(error, httpx.ReadTimeout):
            return Unreachable(f"{_capital(self.address.name)} has not answered in time; look again in a moment.")
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return Unreachable(f"{_capital(self.address.name)} does not answer; {self.address.remedy}.")
        return Unreachable(f"The connection to {self.address.name} was lost; look whether what you did has happened.")


def _texts(query: Mapping[str, object] | None) -> dict[str, str] | None:
    if not query:
        return None
    return {name: _text(value) for name, value in query.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(str(each) for each in value)
    return str(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
