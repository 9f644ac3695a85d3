"""What only shows over HTTP: keys that make a request safe to repeat, headers, and other people's names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from quarterdeck.contract.operations import Operation, audit, bulk, items
from quarterdeck.contract.principal import ACT_AS_HEADER, Principal
from quarterdeck.engine.app import create_app
from quarterdeck.engine.core import Engine
from tests.support.desk import ACME, ANA, Desk, work_off

RESOURCE = "support_tasks"


@pytest.fixture
async def http(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(engine), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        yield client


async def ask(
    http: httpx.AsyncClient,
    op: Operation,
    body: dict[str, Any] | None = None,
    *,
    who: Principal | None = None,
    key: str | None = None,
    query: dict[str, Any] | None = None,
    **path: Any,
) -> httpx.Response:
    headers = {"Idempotency-Key": key or str(uuid4())} if op.idempotent else {}
    if who is not None:
        headers[ACT_AS_HEADER] = who.header()
    return await http.request(op.method, op.url(**path), json=body, headers=headers, params=query)


async def drafted(http: httpx.AsyncClient, ids: list[int], value: str = "x", who: Principal | None = None) -> int:
    body = {"ids": ids, "params": {"category": value}}
    answer = await ask(http, bulk.DRAFT, body, who=who, resource=RESOURCE, action="set-category")
    assert answer.status_code == 201
    number: int = answer.json()["operation"]["id"]
    return number


async def test_confirmed_twice_with_one_key_it_starts_once(http: httpx.AsyncClient, desk: Desk) -> None:
    ids = await desk.new(3)
    number = await drafted(http, ids)
    first = await ask(http, bulk.CONFIRM, {"count": 3}, key="k", id=number)
    again = await ask(http, bulk.CONFIRM, {"count": 3}, key='"k"', id=number)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = await ask(http, bulk.CONFIRM, {"count": 2}, key="k", id=number)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    new = await ask(http, bulk.CONFIRM, {"count": 3}, id=number)
    assert (new.status_code, new.json()["code"], new.json()["extra"]) == (409, "wrong_state", {"status": "pending"})
    assert await work_off(desk.engine) == 1
    for item in ids:
        assert len(await desk.events(item)) == 2


async def test_a_draft_asked_for_twice_is_one_draft(http: httpx.AsyncClient, desk: Desk) -> None:
    ids = await desk.new(2)
    body = {"ids": ids, "params": {}}
    answers = [await ask(http, bulk.DRAFT, body, key="k", resource=RESOURCE, action="resolve") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    listed = await ask(http, bulk.LIST)
    assert len(listed.json()["items"]) == 1
    missing = await http.post(bulk.DRAFT.url(resource=RESOURCE, action="resolve"), json=body)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")


async def test_too_many_at_once_says_when_to_ask_again_and_is_no_answer_for_ever(
    http: httpx.AsyncClient, desk: Desk
) -> None:
    ids = await desk.new(2)
    numbers = [await drafted(http, ids, str(n)) for n in range(4)]
    for number in numbers[:3]:
        assert (await ask(http, bulk.CONFIRM, {"count": 2}, id=number)).status_code == 200
    refused = await ask(http, bulk.CONFIRM, {"count": 2}, key="k", id=numbers[3])
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_operations")
    assert refused.headers["Retry-After"] == "5"
    await work_off(desk.engine)
    assert (await ask(http, bulk.CONFIRM, {"count": 2}, key="k", id=numbers[3])).status_code == 200


async def test_in_somebody_elses_name_nothing_foreign_is_reached(http: httpx.AsyncClient, desk: Desk) -> None:
    (mine,), (foreign,) = await desk.new(1), await desk.new(1, tenant_id="globex", title="a secret")
    event = (await desk.act(foreign, "resolve")).event_id
    operation = await drafted(http, [mine, foreign])
    template = (await ask(http, bulk.SAVE_TEMPLATE, {"name": "t", "resource": RESOURCE, "action": "resolve"})).json()[
        "id"
    ]
    token = (await ask(http, items.SELECT, {"filter": ""}, resource=RESOURCE)).json()["token"]
    body = {"params": {"body": "x"}}
    attempts = [
        (items.SHOW, None, {"resource": RESOURCE, "id": foreign}),
        (items.EVENTS, None, {"resource": RESOURCE, "id": foreign}),
        (items.ACT, body, {"resource": RESOURCE, "id": foreign, "action": "comment"}),
        (items.UNDO, None, {"resource": RESOURCE, "id": foreign, "event_id": event}),
        (items.SKIP, {"reason": "x"}, {"resource": RESOURCE, "id": foreign}),
        (items.RENEW, None, {"resource": RESOURCE, "id": foreign}),
        (bulk.SHOW, None, {"id": operation}),
        (bulk.ITEMS, None, {"id": operation}),
        (bulk.EXPORT, None, {"id": operation}),
        (bulk.CONFIRM, {"count": 1}, {"id": operation}),
        (bulk.CANCEL, None, {"id": operation}),
        (bulk.RESUME, None, {"id": operation}),
        (bulk.RETRY_FAILED, None, {"id": operation}),
        (bulk.UNDO, None, {"id": operation}),
        (bulk.DELETE_TEMPLATE, None, {"id": template}),
    ]
    for op, sent, path in attempts:
        answer = await ask(http, op, sent, who=ACME, **path)
        assert (op.name, answer.status_code) == (op.name, 404)
        assert "secret" not in answer.text
    gone = await ask(
        http, bulk.DRAFT, {"selection": token, "params": {}}, who=ACME, resource=RESOURCE, action="resolve"
    )
    assert (gone.status_code, gone.json()["code"]) == (410, "selection_expired")
    for op, path in (
        (items.LIST, {"resource": RESOURCE}),
        (items.FACETS, {"resource": RESOURCE}),
        (items.EXPORT, {"resource": RESOURCE}),
        (bulk.LIST, {}),
        (bulk.TEMPLATES, {}),
        (audit.LIST, {}),
    ):
        answer = await ask(http, op, who=ACME, **path)
        assert answer.status_code == 200, op.name
        assert "globex" not in answer.text, op.name
        assert "secret" not in answer.text, op.name
    assert (await ask(http, items.COUNT, who=ACME, resource=RESOURCE)).json() == {"count": 1, "searched": 1.0}
    new = {"items": [{"tenant_id": "globex", "title": "t"}]}
    assert (await ask(http, items.CREATE, new, who=ACME, resource=RESOURCE)).status_code == 403
    told = {"import_id": "i", "items": [{"tenant_id": "globex", "title": "t", "external_id": "A"}]}
    imported = (await ask(http, items.IMPORT, told, who=ACME, resource=RESOURCE)).json()
    assert (imported["created"], len(imported["rejected"])) == (0, 1)
    claimed = (await ask(http, items.CLAIM_NEXT, {"filter": ""}, who=ACME, resource=RESOURCE)).json()
    assert claimed["item"]["id"] == mine
    nothing = await ask(http, items.CLAIM_NEXT, {"filter": ""}, who=ACME, resource=RESOURCE)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "nothing_to_claim")


async def test_the_chain_is_verified_by_who_may(http: httpx.AsyncClient, desk: Desk) -> None:
    await desk.new(1)
    assert (await ask(http, audit.VERIFY)).json()["intact"] is True
    for who in (ANA, ACME):
        refused = await ask(http, audit.VERIFY, who=who)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await ask(http, audit.LIST, who=ANA)).status_code == 403
