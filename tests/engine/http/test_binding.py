"""Any request, however crooked, gets an answer that says what is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.items import CreatedItems, ItemCount
from quarterdeck.contract.operations import audit, items, system
from quarterdeck.contract.principal import ACT_AS_HEADER
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.http import reading
from quarterdeck.engine.http.binding import Call, StreamBody, bind
from tests.engine.http.fakes import OPERATOR, engine, serving

NEW_ITEMS = "/api/v1/admin/support_tasks"
GOOD = {"items": [{"tenant_id": "acme", "title": "broken lamp"}]}


@pytest.fixture
def seen() -> list[Call]:
    return []


@pytest.fixture
async def client(seen: list[Call]) -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    async def create(call: Call) -> CreatedItems:
        seen.append(call)
        return CreatedItems(ids=[1])

    async def count(call: Call) -> ItemCount:
        seen.append(call)
        return ItemCount(count=7)

    async def show(call: Call) -> Any:
        seen.append(call)
        if call.path["id"] == 13:
            raise RuntimeError("secret detail")
        raise Problem(Code.NOT_FOUND, f"There is no item {call.path['id']}.")

    async def export(call: Call) -> StreamBody:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"id\r\n"
            if call.query.filter == "breaks":
                raise Problem(Code.STORE_BUSY, "The store is busy; try again.", retry_after=1)
            yield b"1\r\n"

        return StreamBody(chunks(), "text/csv", "items.csv")

    bind(router, items.COUNT, count)
    bind(router, items.EXPORT, export)
    bind(router, items.CREATE, create)
    bind(router, items.SHOW, show)
    async with serving(router, engine()) as opened:
        yield opened


def said(response: httpx.Response, status: int, code: Code) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["code"] == code
    assert found["status"] == status
    assert found["detail"].endswith(".")
    return found


async def test_a_good_request_reaches_the_handler_checked(client: httpx.AsyncClient, seen: list[Call]) -> None:
    answer = await client.post(NEW_ITEMS, json=GOOD)
    assert (answer.status_code, answer.json()) == (201, {"ids": [1]})
    (call,) = seen
    assert call.path == {"resource": Resource.SUPPORT_TASKS}
    assert call.body.items[0].title == "broken lamp"
    assert call.principal.actor == "sue"


async def test_fixed_words_are_not_ids(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{NEW_ITEMS}/count")).json() == {"count": 7, "searched": 1.0}
    said(await client.get(f"{NEW_ITEMS}/nonsense"), 404, Code.NOT_FOUND)


async def test_mistakes_are_named_by_pointer(client: httpx.AsyncClient, seen: list[Call]) -> None:
    body = {"items": [{"tenant_id": "acme", "title": "x", "prio": "high"}, {"title": 7}]}
    found = said(await client.post(NEW_ITEMS, json=body), 422, Code.INVALID_INPUT)
    assert [each["pointer"] for each in found["errors"]] == [
        "/items/0/prio",
        "/items/1/tenant_id",
        "/items/1/title",
    ]
    assert found["detail"] == "items.0.prio: is not known here. And 2 more."
    assert not seen


@pytest.mark.parametrize("body", [b"{", b"", b"[1,", b'{"items": NaN}', b"\xff\xfe", b'{"items": "\\ud800"}'])
async def test_what_is_no_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(NEW_ITEMS, content=body, headers={"Content-Type": "application/json"})
    if body:
        said(answer, 400, Code.BAD_REQUEST)
    else:  # nothing is the same as {}
        assert said(answer, 422, Code.INVALID_INPUT)["errors"][0] == {"pointer": "/items", "detail": "is missing"}


async def test_a_form_on_a_web_page_cannot_post(client: httpx.AsyncClient) -> None:
    answer = await client.post(NEW_ITEMS, content=b'{"items": []}', headers={"Content-Type": "text/plain"})
    said(answer, 400, Code.BAD_REQUEST)


async def test_the_character_no_store_keeps_is_refused_where_it_stands(client: httpx.AsyncClient) -> None:
    body = {"items": [{"tenant_id": "acme", "title": "a\0b"}]}
    assert said(await client.post(NEW_ITEMS, json=body), 422, Code.INVALID_INPUT)["errors"][0]["pointer"] == (
        "/items/0/title"
    )
    said(await client.get(f"{NEW_ITEMS}/count", params={"filter": "a\0"}), 422, Code.INVALID_INPUT)


async def test_query_members_nobody_knows_or_given_twice_are_refused(client: httpx.AsyncClient) -> None:
    found = said(await client.get(f"{NEW_ITEMS}/count?fliter=x"), 422, Code.INVALID_INPUT)
    assert found["errors"] == [{"pointer": "/query/fliter", "detail": "is not known here"}]
    said(await client.get(f"{NEW_ITEMS}/count?filter=x&filter=y"), 422, Code.INVALID_INPUT)
    said(await client.get(f"{NEW_ITEMS}/count?filter=%ff"), 400, Code.BAD_REQUEST)
    said(await client.get(f"{NEW_ITEMS}/1?x=1"), 422, Code.INVALID_INPUT)


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 30])
async def test_an_id_out_of_range_is_bad_input(client: httpx.AsyncClient, number: str) -> None:
    said(await client.get(f"{NEW_ITEMS}/{number}"), 422, Code.INVALID_INPUT)


async def test_an_unknown_resource_is_told_which_there_are(client: httpx.AsyncClient) -> None:
    assert "support_tasks" in said(await client.get("/api/v1/admin/cats/count"), 404, Code.NOT_FOUND)["detail"]


async def test_a_body_too_large_is_not_read(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_BODY", 10)
    said(await client.post(NEW_ITEMS, json=GOOD), 413, Code.TOO_LARGE)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 8

    headers = {"Content-Type": "application/json"}
    said(await client.post(NEW_ITEMS, content=endless(), headers=headers), 413, Code.TOO_LARGE)


async def test_no_path_and_no_method_are_problem_documents_too(client: httpx.AsyncClient) -> None:
    said(await client.get("/nowhere"), 404, Code.NOT_FOUND)
    answer = await client.put(NEW_ITEMS, json=GOOD)
    said(answer, 405, Code.METHOD_NOT_ALLOWED)
    assert answer.headers["allow"] == "POST"


async def test_what_nobody_foresaw_is_told_in_a_sentence_and_logged_whole(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    found = said(await client.get(f"{NEW_ITEMS}/13"), 500, Code.INTERNAL)
    assert "secret" not in str(found)
    assert "secret detail" in caplog.text


async def test_a_role_too_low_is_told_which_is_needed() -> None:
    router = APIRouter()

    async def verify(call: Call) -> Any:
        raise AssertionError

    bind(router, audit.VERIFY, verify)
    async with serving(router, engine()) as client:
        headers = {ACT_AS_HEADER: OPERATOR.header()}
        found = said(await client.post(audit.VERIFY.url(), headers=headers), 403, Code.FORBIDDEN)
    assert found["detail"] == "audit.verify needs the role super_admin; olga is operator."


async def test_acting_as_somebody_narrows_and_cannot_be_passed_on(client: httpx.AsyncClient, seen: list[Call]) -> None:
    await client.post(NEW_ITEMS, json=GOOD, headers={ACT_AS_HEADER: OPERATOR.header()})
    assert seen[0].principal == OPERATOR
    said(await client.post(NEW_ITEMS, json=GOOD, headers={ACT_AS_HEADER: "{"}), 400, Code.BAD_REQUEST)

    router = APIRouter()

    async def count(call: Call) -> ItemCount:
        raise AssertionError

    bind(router, items.COUNT, count)
    narrow = engine()
    narrow.local = replace(OPERATOR)
    async with serving(router, narrow) as other:
        headers = {ACT_AS_HEADER: '{"actor": "sue", "role": "super_admin"}'}
        said(await other.get(f"{NEW_ITEMS}/count", headers=headers), 403, Code.FORBIDDEN)


async def test_a_file_comes_as_it_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{NEW_ITEMS}/export")
    assert answer.content == b"id\r\n1\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="items.csv"'


async def test_a_file_that_cannot_begin_says_why(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{NEW_ITEMS}/export?filter=breaks")
    said(answer, 503, Code.STORE_BUSY)
    assert answer.headers["retry-after"] == "1"


async def test_a_stopping_engine_takes_no_new_work_but_still_answers() -> None:
    router = APIRouter()

    async def create(call: Call) -> CreatedItems:
        raise AssertionError

    async def count(call: Call) -> ItemCount:
        return ItemCount(count=1)

    bind(router, items.CREATE, create)
    bind(router, items.COUNT, count)
    stopping = engine()
    stopping.stopping.set()
    async with serving(router, stopping) as client:
        said(await client.post(NEW_ITEMS, json=GOOD), 503, Code.STOPPING)
        assert (await client.get(f"{NEW_ITEMS}/count")).json() == {"count": 1, "searched": 1.0}


def test_a_websocket_is_bound_elsewhere() -> None:
    async def nothing(call: Call) -> str:
        return ""

    with pytest.raises(ValueError, match=r"system\.events is a WebSocket"):
        bind(APIRouter(), system.EVENTS, nothing)
