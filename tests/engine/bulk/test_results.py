"""What became of each item, read, filtered and taken home; operations saved under a name."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.contract.enums import Outcome, Resource
from quarterdeck.contract.models.bulk import BulkExportQuery, BulkItemsQuery, NewTemplate, PageQuery
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.bulk import service, templates
from tests.support.desk import ACME, ANA, ROOT, Desk, refused
from tests.support.hostile import TEXTS


async def exported(desk: Desk, number: int, **query: Any) -> bytes:
    chunks = await service.export_results(desk.engine, desk.who, number, BulkExportQuery(**query))
    return b"".join([chunk async for chunk in chunks])


async def mixed(desk: Desk) -> tuple[int, list[int]]:
    """An operation of eight items with every outcome but cancelled."""
    ids = await desk.new(8, title="=1+1")
    await desk.act(ids[0], "resolve")
    preview = await desk.draft("resolve", ids, batch=3)
    await desk.act(ids[1], "set-priority", priority="low")
    await desk.act(ids[2], "cancel")
    return (await desk.finish(preview.operation.id)).id, ids


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_EXPORT_PAGE", 3)


async def test_results_leave_as_files(desk: Desk) -> None:
    number, ids = await mixed(desk)
    rows = list(csv.DictReader(io.StringIO((await exported(desk, number)).decode(), newline="")))
    assert [int(row["item_id"]) for row in rows] == ids
    assert [row["outcome"] for row in rows[:4]] == ["skipped", "failed", "failed", "succeeded"]
    assert {row["title"] for row in rows} == {"'=1+1"}
    assert (rows[1]["code"], rows[1]["retryable"]) == ("changed_since", "True")
    assert "look again, then retry" in rows[1]["sentence"]
    found = json.loads(await exported(desk, number, format="json", outcome="failed"))
    assert [each["item_id"] for each in found] == ids[1:3]
    assert json.loads(await exported(desk, number, format="json", outcome="cancelled")) == []
    with refused(Code.NOT_FOUND):
        await exported(desk.by(ACME), number)


async def test_results_are_read_from_both_ends_and_from_the_middle(desk: Desk) -> None:
    number, ids = await mixed(desk)

    async def page(**query: Any) -> tuple[list[int], str | None, str | None]:
        found = await service.list_results(desk.engine, ROOT, number, BulkItemsQuery(limit=3, **query))
        return [each.item_id for each in found.items], found.previous, found.next

    first, before, after = await page()
    assert (first, before) == (ids[:3], None)
    second, before, after = await page(cursor=after)
    assert second == ids[3:6]
    assert (await page(cursor=before, direction="previous"))[0] == first
    third, _, end = await page(cursor=after)
    assert (third, end) == (ids[6:], None)
    last, before, end = await page(direction="previous")
    assert (last, end) == (ids[5:], None)
    assert (await page(cursor=before, direction="previous"))[0] == ids[2:5]
    assert (await page(direction="previous", skip=7))[:2] == (ids[:1], None)
    assert (await page(skip=6))[0] == ids[6:]
    assert await page(skip=50) == ([], None, None)
    failed, before, end = await page(outcome="failed", direction="previous")
    assert (failed, before, end) == (ids[1:3], None, None)


async def test_results_come_in_pages_and_by_outcome(desk: Desk) -> None:
    number, ids = await mixed(desk)
    first = await service.list_results(desk.engine, ROOT, number, BulkItemsQuery(limit=5))
    assert [each.item_id for each in first.items] == ids[:5]
    rest = await service.list_results(desk.engine, ROOT, number, BulkItemsQuery(limit=5, cursor=first.next))
    assert ([each.item_id for each in rest.items], rest.next) == (ids[5:], None)
    for outcome, expected in (
        (Outcome.SKIPPED, ids[:1]),
        (Outcome.FAILED, ids[1:3]),
        (Outcome.SUCCEEDED, ids[3:]),
        (Outcome.PENDING, []),
        (Outcome.CANCELLED, []),
    ):
        assert list(await desk.results(number, outcome)) == expected
    with refused(Code.CURSOR_INVALID):
        await service.list_results(desk.engine, ROOT, number, BulkItemsQuery(cursor="nonsense"))


def template(name: str, **values: Any) -> NewTemplate:
    kept = {"resource": Resource.SUPPORT_TASKS, "action": "assign", "params": {"assignee": "zoe"}, **values}
    return NewTemplate(name=name, **kept)


async def test_templates_are_saved_replaced_listed_and_forgotten(desk: Desk) -> None:
    engine = desk.engine
    first = await templates.save_template(engine, ANA, template("to zoe", filter="created:<2h", reason="hers"))
    assert (first.filter, first.params, first.created_by) == ("created:<2h", {"assignee": "zoe", "reason": None}, "ana")
    again = await templates.save_template(engine, ANA, template("to zoe", filter="kind:refund"))
    assert (again.id, again.filter) == (first.id, "kind:refund")
    for text in TEXTS[::20]:
        saved = await templates.save_template(engine, ANA, template(text[:200], reason=text))
        assert (saved.name, saved.reason) == (text[:200], text)
    seen: list[int] = []
    cursor = None
    while True:
        page = await templates.list_templates(engine, ANA, PageQuery(limit=2, cursor=cursor))
        seen += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 1 + len(TEXTS[::20])
    await templates.delete_template(engine, ANA, first.id)
    with refused(Code.NOT_FOUND, f"There is no template {first.id}"):
        await templates.delete_template(engine, ANA, first.id)
    async with engine.store.read() as connection:
        actions = list((await connection.execute(select(audit_entries.c.action))).scalars())
    assert actions.count("bulk.template_saved") == 2 + len(TEXTS[::20])
    assert actions[-1] == "bulk.template_deleted"


async def test_a_template_that_cannot_work_is_not_saved(desk: Desk) -> None:
    for new, code in (
        (template("x", filter="knd:x"), Code.FILTER_INVALID),
        (template("x", params={}), Code.INVALID_INPUT),
        (template("x", action="fly"), Code.NOT_FOUND),
        (template("x", resource=Resource.RETURNS, action="refund", params={}), Code.FORBIDDEN),
        (
            template("x", resource=Resource.RETURNS, action="update-status", params={"status": "refunded"}),
            Code.FORBIDDEN,
        ),
    ):
        with refused(code):
            await templates.save_template(desk.engine, ANA, new)
    assert not (await templates.list_templates(desk.engine, ROOT, PageQuery())).items


async def test_somebody_of_some_tenants_has_templates_of_their_own(desk: Desk) -> None:
    saved = await templates.save_template(desk.engine, ANA, template("shared"))
    assert not (await templates.list_templates(desk.engine, ACME, PageQuery())).items
    with refused(Code.NOT_FOUND):
        await templates.delete_template(desk.engine, ACME, saved.id)
    with refused(Code.FORBIDDEN, "Another person has a template called shared"):
        await templates.save_template(desk.engine, ACME, template("shared"))
    own = await templates.save_template(desk.engine, ACME, template("mine"))
    assert [each.id for each in (await templates.list_templates(desk.engine, ACME, PageQuery())).items] == [own.id]
