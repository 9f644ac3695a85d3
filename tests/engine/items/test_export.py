"""What leaves the engine as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from quarterdeck.contract.models.items import ExportQuery
from quarterdeck.contract.problems import Code
from quarterdeck.engine.items import export
from tests.support.desk import ACME, ROOT, Desk, refused
from tests.support.hostile import TEXTS

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx")


async def exported(desk: Desk, kind: str, filter_: str = "") -> bytes:
    query = ExportQuery.model_validate({"filter": filter_, "format": kind})
    chunks = export.export_items(desk.engine.store, desk.who, desk.resource, query)
    return b"".join([chunk async for chunk in chunks])


async def cells(desk: Desk, filter_: str = "") -> list[dict[str, str]]:
    text = (await exported(desk, "csv", filter_)).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_PAGE", 7)


async def test_everything_comes_back_out(desk: Desk) -> None:
    for text in TEXTS[::3]:
        await desk.new(title=text, body=text, category=text[:1_000], fields={"x": text})
    found = json.loads(await exported(desk, "json"))
    assert [each["title"] for each in found] == list(TEXTS[::3])
    assert [each["fields"] for each in found] == [{"x": text} for text in TEXTS[::3]]
    rows = await cells(desk)
    assert [row["title"].removeprefix("'") for row in rows] == [text.removeprefix("'") for text in TEXTS[::3]]
    assert [json.loads(row["fields"]) for row in rows] == [{"x": text} for text in TEXTS[::3]]


@pytest.mark.parametrize("formula", FORMULAS)
async def test_no_cell_is_a_formula(desk: Desk, formula: str) -> None:
    await desk.new(title=formula, body=formula, category=formula, kind=formula, external_id=formula)
    (row,) = await cells(desk)
    for name in ("title", "body", "category", "kind", "external_id"):
        assert row[name] == f"'{formula}"
    (plain,) = json.loads(await exported(desk, "json"))
    assert plain["title"] == formula


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14])
async def test_pages_join_without_a_seam(desk: Desk, count: int) -> None:
    ids = await desk.new(count) if count else []
    assert [each["id"] for each in json.loads(await exported(desk, "json"))] == ids
    assert [int(row["id"]) for row in await cells(desk)] == ids


async def test_only_what_matches_and_may_be_seen(desk: Desk) -> None:
    (mine,) = await desk.new(kind="refund")
    await desk.new(kind="refund", tenant_id="globex")
    await desk.new()
    assert [row["id"] for row in await cells(desk.by(ACME), "kind:refund")] == [str(mine)]
    with refused(Code.FILTER_INVALID):
        export.export_items(desk.engine.store, ROOT, desk.resource, ExportQuery(filter="knd:refund"))


async def test_a_file_can_be_imported_again(desk: Desk) -> None:
    made: dict[str, Any] = {"title": "t", "sla_due_at": "2026-05-01T10:00:00Z", "external_id": "A", "category": "c"}
    await desk.new(**made)
    (row,) = await cells(desk)
    assert {name: row[name] for name in made} == made
    assert (row["status"], row["priority"], row["assignee"]) == ("open", "normal", "")
