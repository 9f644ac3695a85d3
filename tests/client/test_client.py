"""Calls over connections that break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from quarterdeck.client import client as module
from quarterdeck.client.client import Client
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.refusals import problem_of
from quarterdeck.client.transport import httpx
from quarterdeck.contract.operations import bulk, items, system
from quarterdeck.contract.problems import Code, Problem

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"count":3}'


@dataclass
class Address:
    path: Path
    base_url: str = "http://engine"
    name: str = "the engine of the test"
    remedy: str = "start it with: qd engine start"

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(uds=str(self.path), verify=False)


@dataclass
class Request:
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        for line in self.head.splitlines():
            if line.lower().startswith(name.lower() + ":"):
                return line.partition(":")[2].strip()
        return None


class Server:
    """Answers each request with the next of `answers`; None breaks the connection off."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def hang_up(self) -> None:
        self.writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                request = Request(head, b"")
                request.body = await reader.readexactly(int(request.header("content-length") or 0))
                self.requests.append(request)
                answer = self.answers.pop(0)
                if answer is None:
                    return
                writer.write(answer)
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


def problem(status: int, code: Code, more: str = "") -> bytes:
    body = json.dumps({"code": code, "detail": "No."}).encode()
    return f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


Reach = Callable[[Server], Awaitable[Client]]


@pytest.fixture
async def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Reach]:
    monkeypatch.setattr(module, "_TRIES", (0.0, 0.0, 0.0))
    opened: list[asyncio.Server] = []
    clients: list[Client] = []

    async def open_(server: Server) -> Client:
        path = tmp_path / "s"
        opened.append(await asyncio.start_unix_server(server.serve, path))
        clients.append(Client(Address(path)))
        return clients[-1]

    yield open_
    for client in clients:
        await client.close()
    for each in opened:
        each.close()
        await each.wait_closed()


async def test_a_read_is_tried_again_on_a_new_connection(reach: Reach) -> None:
    server = Server(None, None, OK)
    client = await reach(server)
    assert await client.call(items.COUNT, resource="returns", query={"filter": "a b&c", "cursor": None}) == {"count": 3}
    assert len(server.requests) == 3
    assert server.requests[-1].head.startswith("GET /api/v1/admin/returns/count?filter=a+b%26c HTTP/1.1")


async def test_an_idempotent_call_is_tried_again_with_the_same_key(reach: Reach) -> None:
    server = Server(None, problem(409, Code.IDEMPOTENCY_IN_FLIGHT), OK)
    client = await reach(server)
    await client.call(bulk.CANCEL, id=7)
    keys = {request.header("idempotency-key") for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1
    assert None not in keys


async def test_an_act_that_may_have_happened_is_not_done_twice(reach: Reach) -> None:
    server = Server(None, OK)
    client = await reach(server)
    with pytest.raises(Unreachable, match="was lost; look whether what you did has happened"):
        await client.call(items.ACT, resource="returns", id=1, action="approve", body={})
    assert len(server.requests) == 1
    assert server.requests[0].body == b"{}"


async def test_where_nobody_listens_it_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRIES", (0.0,))
    async with Client(Address(tmp_path / "nobody")) as client:
        with pytest.raises(Unreachable, match="The engine of the test does not answer; start it with: qd engine start"):
            await client.call(items.ACT, resource="returns", id=1, action="approve")
        with pytest.raises(Unreachable):
            await client.text(system.METRICS)
        with pytest.raises(Unreachable):
            await anext(client.stream(items.EXPORT, resource="returns"))
        said = await anext(client.events())
        assert said == {"type": "disconnected", "reason": "The engine of the test does not answer."}


async def test_what_the_engine_refuses_is_raised_as_it_says(reach: Reach) -> None:
    server = Server(problem(429, Code.TOO_MANY_OPERATIONS, "Retry-After: 7\r\n"))
    client = await reach(server)
    with pytest.raises(Problem) as refused:
        await client.call(items.COUNT, resource="returns")
    assert (refused.value.code, refused.value.retry_after) == (Code.TOO_MANY_OPERATIONS, 7)


async def test_a_file_that_breaks_off_is_not_taken_for_whole(reach: Reach) -> None:
    broken = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nid\n\r\n"
    server = Server(broken, None)
    client = await reach(server)
    reading = client.stream(items.EXPORT, resource="returns", query={"format": "csv"})
    assert await anext(reading) == b"id\n"
    server.hang_up()
    with pytest.raises(Unreachable, match="was lost"):
        await anext(reading)


async def test_models_only_where_asked(reach: Reach) -> None:
    client = await reach(Server(OK, OK))
    assert (await client.typed(items.COUNT, resource="returns")).count == 3


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (404, b'{"code": "not_found", "detail": "No."}', Code.NOT_FOUND),
        (418, b'{"code": "teapot", "detail": "From a newer engine."}', Code.BAD_REQUEST),
        (502, b"<html>Bad gateway</html>", Code.INTERNAL),
        (500, b"[]", Code.INTERNAL),
    ],
)
def test_any_refusal_is_a_problem(status: int, content: bytes, code: Code) -> None:
    found = problem_of(status, content, None)
    assert found.code is code
    assert found.detail.endswith(".")


def test_pointers_survive_the_way() -> None:
    content = b'{"code": "invalid_input", "detail": "x.", "errors": [{"pointer": "/a", "detail": "is missing"}]}'
    assert problem_of(422, content, "soon").errors == (("/a", "is missing"),)


async def test_calls_at_the_same_time_survive_a_new_connection(reach: Reach) -> None:
    server = Server(None, *[OK] * 20)
    client = await reach(server)
    calls = [client.call(items.COUNT, resource="returns") for _ in range(8)]
    assert await asyncio.gather(*calls) == [{"count": 3}] * 8
