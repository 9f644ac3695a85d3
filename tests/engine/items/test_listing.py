"""Every filter, every order, page by page, against a reference in plain Python."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.contract.enums import Resource, SortKey
from quarterdeck.contract.models.items import ExportQuery
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine import cursors
from quarterdeck.engine.items.export import export_items
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.listing import access, counting
from tests.engine.items import world
from tests.support.desk import ACME, ROOT, Desk, refused

SORTS = [sign + key for key in SortKey for sign in ("", "-")]
# How far the engine looks before it chooses a way to the rows: never, a little, always.
PATIENCE = ((1, 1), (8, 4), (5_000, 500))
TEXTS_OF_EVERY_KEY = (
    "status:open,waiting",
    "-status:resolved",
    "priority:urgent,low",
    "assignee:me",
    "assignee:none,ana",
    "-assignee:ana",
    "kind:refund",
    "category:spam,none",
    "-category:spam",
    "tenant:acme",
    "id:1,2,3,50",
    "external:T-5",
    "created:<5h",
    "updated:>7h",
    "due:<2h",
    "-due:<2h",
    "due:none",
    "has:comment",
    "has:body",
    "is:deleted",
    "is:overdue",
    "is:claimed",
    "-is:claimed",
    "field.amount:12",
    "field.amount:true",
    "order",
    '-"100%"',
    "kind:refund status:open -category:spam order",
)


async def pages(desk: Desk, filter_: str, sort: str, limit: int, *, backwards: bool) -> list[int]:
    """Every page from one end to the other."""
    found: list[int] = []
    cursor = None
    direction = "previous" if backwards else "next"
    for _ in range(200):
        page = await desk.list(filter_, sort=sort, limit=limit, cursor=cursor, direction=direction)
        ids = [item.id for item in page.items]
        found = ids + found if backwards else found + ids
        cursor = page.previous if backwards else page.next
        if cursor is None:
            return found
        assert len(ids) == limit
    raise AssertionError("the list does not end")


@pytest.fixture
async def rows(desk: Desk) -> list[world.Row]:
    made = world.make_rows(seed=11)
    await world.fill(desk.engine.store, made)
    return made


async def test_every_key_in_every_order(desk: Desk, rows: list[world.Row], monkeypatch: pytest.MonkeyPatch) -> None:
    for number, text in enumerate(TEXTS_OF_EVERY_KEY):
        hits = world.matching(rows, world.frozen(text, desk.resource, "root"), desk.resource)
        for turn, sort in enumerate(SORTS):
            entries, found = PATIENCE[(number + turn) % 3]
            monkeypatch.setattr(access, "FEW_ENTRIES", entries)
            monkeypatch.setattr(access, "FEW_FOUND", found)
            expected = world.ordered(hits, sort)
            backwards = (number + turn) % 2 == 1
            assert await pages(desk, text, sort, 11, backwards=backwards) == expected, (text, sort)
        assert await desk.count(text) == len(hits), text


@settings(
    max_examples=35,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
@given(data=st.data())
async def test_any_filter_means_what_it_means_in_python(desk: Desk, rows: list[world.Row], data: Any) -> None:
    resource = data.draw(st.sampled_from((Resource.SUPPORT_TASKS,) * 3 + tuple(Resource)))
    text = data.draw(world.filters(resource))
    sort = data.draw(st.sampled_from(SORTS))
    limit, skip = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 20))
    who = data.draw(st.sampled_from((ROOT, ACME, replace(ACME, tenants=frozenset({"acme", "initech"})))))
    there = replace(desk, who=who, resource=resource)
    hits = world.matching(rows, world.frozen(text, resource, who.actor), resource, who.tenants)
    expected = world.ordered(hits, sort)
    with pytest.MonkeyPatch.context() as patch:
        entries, found = data.draw(st.sampled_from(PATIENCE))
        patch.setattr(access, "FEW_ENTRIES", entries)
        patch.setattr(access, "FEW_FOUND", found)
        assert await pages(there, text, sort, limit, backwards=False) == expected
        assert await pages(there, text, sort, limit, backwards=True) == expected
        skipped = await there.list(text, sort=sort, limit=limit, skip=skip)
        assert [item.id for item in skipped.items] == expected[skip : skip + limit]
        assert await there.count(text) == len(expected)
        chosen = await there.select(text, except_ids=[1, 2, 3])
        preview = await there.draft("set-priority", chosen.token, priority="urgent")
    assert chosen.count == preview.operation.total == len(set(expected) - {1, 2, 3})
    assert set(await there.results(preview.operation.id)) == set(expected) - {1, 2, 3}
    assert await exported(there, text) == sorted(expected)


async def exported(desk: Desk, filter_: str) -> list[int]:
    query = ExportQuery(filter=filter_, format="json")
    chunks = [part async for part in export_items(desk.engine.store, desk.who, desk.resource, query)]
    return [each["id"] for each in json.loads(b"".join(chunks))]


async def test_a_cursor_belongs_to_its_order(desk: Desk) -> None:
    await desk.new(3)
    cursor = (await desk.list(limit=1)).next
    assert cursor is not None
    with refused(Code.CURSOR_INVALID):
        await desk.list(limit=1, sort="-priority", cursor=cursor)


@pytest.mark.parametrize(
    "values",
    [
        ["priority", 2**40, 1, 1, 1],
        ["priority", -(2**40), 1, 1, 1],
        ["priority", 1, 2**63, 1, 1],
        ["priority", 1, 2**62, 1, 2**62],
        ["priority", True, 1, 1, 1],
        ["priority", None, 1, 1, 1],
        ["priority", "1", 1, 1, 1],
        ["priority", 1],
        "priority",
    ],
)
async def test_a_forged_cursor_is_refused_or_reads_nothing_odd(desk: Desk, values: Any) -> None:
    made = await desk.new(2)
    cursor = cursors.encode(*values)
    found: list[int] = []
    code = Code.CURSOR_INVALID
    try:
        found = await desk.ids(cursor=cursor)
    except Problem as problem:
        code = problem.code
    assert code is Code.CURSOR_INVALID
    assert set(found) <= set(made)


async def test_named_items_come_in_the_order_of_their_names(desk: Desk) -> None:
    first, second, third = await desk.new(3)
    await desk.act(second, "delete")
    (foreign,) = await desk.at(Resource.RETURNS).new(1)
    page = await desk.list(ids=f"{third},{foreign},{second},999999,{first}")
    assert [item.id for item in page.items] == [third, second, first]


async def test_a_filter_of_thousands_of_terms_is_refused_in_a_sentence(desk: Desk) -> None:
    await desk.new(1)
    for text in ("a " * 3_900, "due:" + "<1h," * 1_900 + "<1h", "-has:" + "due," * 1_900 + "due"):
        with refused(Code.FILTER_INVALID, "more than"):
            await desk.list(text)
    many = ",".join(str(number) for number in range(1, 400))
    assert await desk.ids(f"id:{many}")


async def test_facets_are_what_one_may_see(desk: Desk) -> None:
    await desk.new(2, kind="refund", category="vip")
    await desk.new(1, kind="billing")
    await desk.new(1, kind="secret", tenant_id="globex")
    seen = await counting.facets(desk.engine.store, ACME, ITEMS[desk.resource])
    assert seen.values == {"kind": ["refund", "billing"], "category": ["vip"], "assignee": [], "tenant": ["acme"]}
