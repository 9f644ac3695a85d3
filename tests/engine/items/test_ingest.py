"""Items from outside: imports that can be repeated, and items made by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from quarterdeck.contract.clock import from_iso, now_ms
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.filters.ast import quoted
from quarterdeck.contract.models.items import ImportBatch, ImportResult, NewItem, NewItems
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.items import ingest
from quarterdeck.engine.items.tables import NO_DUE, item_details
from tests.support.desk import ACME, ANA, SUPPORT, Desk, refused
from tests.support.hostile import TEXTS

AT = "2026-01-0{}T08:00:00Z"


def batch(items: Sequence[dict[str, Any]], *, dry_run: bool = False) -> ImportBatch:
    """As it comes over HTTP: what is not written is not said."""
    told = [{"tenant_id": "acme", "title": "a title", **each} for each in items]
    return ImportBatch.model_validate_json(json.dumps({"import_id": "i", "items": told, "dry_run": dry_run}))


async def import_(desk: Desk, *items: dict[str, Any], dry_run: bool = False) -> ImportResult:
    return await ingest.import_batch(desk.engine, desk.who, desk.resource, batch(items, dry_run=dry_run))


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.rejected)


async def details(desk: Desk, item: int) -> Any:
    async with desk.engine.store.read() as connection:
        return (await connection.execute(select(item_details).where(item_details.c.item_id == item))).one()


async def test_the_same_again_changes_nothing(desk: Desk) -> None:
    rows = [
        {"external_id": "A", "body": "words", "fields": {"n": 1, "deep": {"x": [1, None]}}},
        {"external_id": "B", "sla_due_at": AT.format(3), "created_at": AT.format(1), "assignee": "zoe"},
        {
            "external_id": "C",
            "events": [{"at": AT.format(1), "actor": "x", "type": "opened", "changes": {"s": [1, 2]}}],
        },
    ]
    first = await import_(desk, *rows)
    assert (*counts(first), first.events) == (3, 0, 0, 0, 1)
    ids = await desk.ids(sort="created")
    before, timeline = await desk.rows(ids), [await desk.events(item) for item in ids]
    again = await import_(desk, *rows)
    assert (*counts(again), again.events) == (0, 0, 3, 0, 0)
    assert await desk.rows(ids) == before
    assert [await desk.events(item) for item in ids] == timeline


async def test_what_an_import_says_is_taken_over(desk: Desk) -> None:
    await import_(desk, {"external_id": "A", "priority": "low", "status": "waiting", "created_at": AT.format(1)})
    (item,) = await desk.ids()
    result = await import_(
        desk,
        {
            "external_id": "A",
            "title": "new title",
            "body": "now with words",
            "priority": "urgent",
            "status": "resolved",
            "assignee": "zoe",
            "category": "vip",
            "kind": "refund",
            "sla_due_at": AT.format(5),
            "created_at": AT.format(2),
            "fields": {"n": 2},
        },
    )
    assert (*counts(result), result.events) == (0, 1, 0, 0, 1)
    row = await desk.row(item)
    said = {name: row[name] for name in ("title", "priority", "status", "assignee", "category", "kind", "has_body")}
    assert said == {
        "title": "new title",
        "priority": 0,
        "status": "resolved",
        "assignee": "zoe",
        "category": "vip",
        "kind": "refund",
        "has_body": True,
    }
    assert (row["sla_due_at"], row["created_at"]) == (from_iso(AT.format(5)), from_iso(AT.format(2)))
    assert row["version"] == 2
    told = (await desk.events(item))[-1]
    assert told.type == "imported"
    assert told.changes["status"] == ["waiting", "resolved"]
    assert told.changes["priority"] == ["low", "urgent"]
    assert (await details(desk, item)).fields == {"n": 2}


async def test_what_an_import_does_not_say_stays_as_people_made_it(desk: Desk) -> None:
    await import_(desk, {"external_id": "A", "body": "words", "fields": {"n": 1}})
    (item,) = await desk.ids()
    await desk.by(ANA).act(item, "claim")
    await desk.act(item, "set-priority", priority="urgent")
    await desk.act(item, "set-category", category="vip")
    before = await desk.row(item)
    await import_(desk, {"external_id": "A", "title": "better title", "status": None, "created_at": None})
    after = await desk.row(item)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"title", "updated_at", "version"}
    assert ((await details(desk, item)).body, (await details(desk, item)).fields) == ("words", {"n": 1})
    await import_(desk, {"external_id": "A", "title": "better title", "assignee": None, "body": None})
    row = await desk.row(item)
    assert (row["assignee"], row["claimed_until"], row["has_body"]) == (None, None, False)


async def test_an_import_that_moves_an_item_ends_the_claim_on_it(desk: Desk) -> None:
    await import_(desk, {"external_id": "A"})
    (item,) = await desk.ids()
    await desk.by(ANA).act(item, "claim")
    await import_(desk, {"external_id": "A", "assignee": "ben"})
    assert ((await desk.row(item))["assignee"], (await desk.row(item))["claimed_until"]) == ("ben", None)


async def test_timelines_grow_and_are_corrected(desk: Desk) -> None:
    lines = [{"at": AT.format(day), "actor": "x", "type": "moved", "body": str(day)} for day in (1, 2, 3)]
    first = await import_(desk, {"external_id": "A", "events": lines[:2]})
    (item,) = await desk.ids()
    assert first.events == 2
    row = await desk.row(item)
    assert (row["created_at"], row["updated_at"]) == (from_iso(AT.format(1)), from_iso(AT.format(2)))
    await desk.act(item, "comment", body="ours")
    grown = await import_(desk, {"external_id": "A", "events": lines})
    assert (*counts(grown), grown.events) == (0, 1, 0, 0, 1)
    assert [event.body for event in await desk.events(item)] == ["1", "2", "ours", "3"]
    corrected = [lines[0], {**lines[1], "body": "two", "type": "comment"}, lines[2]]
    assert (await import_(desk, {"external_id": "A", "events": corrected})).events == 2
    assert sorted(event.body for event in await desk.events(item)) == ["1", "3", "ours", "two"]
    assert (await desk.row(item))["comments"] == 2
    shorter = await import_(desk, {"external_id": "A", "events": lines[:1]})
    assert shorter.events == 0
    assert sorted(event.body for event in await desk.events(item)) == ["1", "ours"]


async def test_what_cannot_be_taken_is_named_and_the_rest_is_kept(desk: Desk) -> None:
    result = await ingest.import_batch(
        desk.engine,
        ACME,
        SUPPORT,
        batch(
            [
                {"external_id": "A"},
                {"external_id": "A", "title": "again"},
                {"external_id": "B", "tenant_id": "globex"},
                {"external_id": "C", "status": "refunded"},
                {"external_id": "D"},
            ]
        ),
    )
    assert counts(result) == (2, 0, 0, 3)
    assert [(each.index, each.column, each.value) for each in result.rejected] == [
        (1, "external_id", "A"),
        (2, "tenant_id", "globex"),
        (3, "status", "refunded"),
    ]
    assert "stands twice" in result.rejected[0].reason
    assert "not yours" in result.rejected[1].reason
    assert "support_tasks knows open, in_progress" in result.rejected[2].reason
    assert {(await desk.row(item))["title"] for item in await desk.ids()} == {"a title"}


async def test_the_same_id_of_another_tenant_or_queue_is_another_item(desk: Desk) -> None:
    twice = await import_(desk, {"external_id": "A"}, {"external_id": "A", "tenant_id": "globex"})
    other = await import_(desk.at(Resource.RETURNS), {"external_id": "A"})
    assert (twice.created, other.created) == (2, 1)


async def test_a_dry_run_says_what_would_happen_and_does_nothing(desk: Desk) -> None:
    lines = [{"at": AT.format(day), "actor": "x", "type": "moved", "body": str(day)} for day in (1, 2, 3)]
    await import_(desk, {"external_id": "A", "events": lines[:2]}, {"external_id": "B"}, {"external_id": "C"})
    wanted = [
        {"external_id": "A", "events": lines},
        {"external_id": "B", "title": "other"},
        {"external_id": "C"},
        {"external_id": "D", "events": lines},
        {"external_id": "E", "tenant_id": "globex", "status": "received"},
    ]
    before = [(await desk.rows(await desk.ids())), await audited(desk)]
    dry = await import_(desk, *wanted, dry_run=True)
    assert [(await desk.rows(await desk.ids())), await audited(desk)] == before
    real = await import_(desk, *wanted)
    assert dry == real
    assert (*counts(real), real.events) == (1, 2, 1, 1, 5)


async def audited(desk: Desk) -> list[str]:
    async with desk.engine.store.read() as connection:
        found = await connection.execute(select(audit_entries.c.action).order_by(audit_entries.c.id))
        return list(found.scalars())


async def test_an_import_is_audited_once_a_batch_and_only_when_it_did_something(desk: Desk) -> None:
    await import_(desk, {"external_id": "A"}, {"external_id": "B"})
    await import_(desk, {"external_id": "A"}, {"external_id": "B"})
    assert await audited(desk) == ["items.import"]


async def test_deleted_items_are_found_again_and_stay_deleted(desk: Desk) -> None:
    await import_(desk, {"external_id": "A"})
    (item,) = await desk.ids()
    await desk.act(item, "delete")
    assert counts(await import_(desk, {"external_id": "A"})) == (0, 0, 1, 0)
    assert counts(await import_(desk, {"external_id": "A", "title": "x"})) == (0, 1, 0, 0)
    assert await desk.ids() == []
    assert await desk.ids("is:deleted") == [item]


_texts = st.sampled_from(TEXTS)
_items = st.fixed_dictionaries(
    {"external_id": st.sampled_from(["1", "2", "ü", "' OR 1=1"]), "tenant_id": st.sampled_from(["acme", "globex"])},
    optional={
        "title": _texts,
        "body": st.one_of(st.none(), _texts),
        "kind": _texts.map(lambda text: text[:200]),
        "category": st.one_of(st.none(), _texts.map(lambda text: text[:1_000])),
        "status": st.sampled_from([None, "open", "waiting", "closed"]),
        "priority": st.sampled_from(["urgent", "low"]),
        "sla_due_at": st.sampled_from([None, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]),
        "created_at": st.sampled_from([None, "1969-12-31T23:59:59.999Z"]),
        "fields": st.dictionaries(
            _texts, st.one_of(st.none(), st.booleans(), st.floats(-1e9, 1e9), _texts), max_size=2
        ),
        "events": st.lists(
            st.fixed_dictionaries(
                {"at": st.just(AT.format(1)), "actor": _texts.map(lambda t: t[:1_000]), "type": st.just("t")}
            ),
            max_size=2,
        ),
    },
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
@given(batches=st.lists(st.lists(_items, max_size=6), min_size=1, max_size=3))
async def test_whatever_was_imported_can_be_imported_again_without_a_change(desk: Desk, batches: Any) -> None:
    for items in batches:
        first = await import_(desk, *items)
        assert sum(counts(first)) == len(items)
        kept = [item for index, item in enumerate(items) if index not in {each.index for each in first.rejected}]
        dry = await import_(desk, *kept, dry_run=True)
        again = await import_(desk, *kept)
        assert dry == again
        assert (*counts(again), again.events) == (0, 0, len(kept), 0, 0)


# ----- made by hand


def new(**values: Any) -> NewItems:
    return NewItems(items=[NewItem(**{"tenant_id": "acme", "title": "t", **values})])


async def test_a_new_item_begins_at_the_beginning(desk: Desk) -> None:
    for resource, first in ((SUPPORT, "open"), (Resource.RETURNS, "requested"), (Resource.EXCEPTIONS, "open")):
        (item,) = (await ingest.create_items(desk.engine, ANA, resource, new(fields={"n": 1}, body="b"))).ids
        row = await desk.row(item)
        assert (row["status"], row["version"], row["sla_due_at"], row["comments"]) == (first, 1, NO_DUE, 0)
        assert abs(row["created_at"] - now_ms()) < 60_000
        (created,) = await desk.events(item)
        assert (created.type, created.actor) == ("created", "ana")
        shown = await desk.at(resource).show(item)
        assert (shown.body, shown.fields) == ("b", {"n": 1})


async def test_new_items_are_refused_as_a_whole(desk: Desk) -> None:
    narrow = replace(ANA, tenants=frozenset({"globex"}))
    with refused(Code.FORBIDDEN, "Tenant acme is not yours"):
        await ingest.create_items(desk.engine, narrow, SUPPORT, new())
    await desk.new(external_id="A")
    with refused(Code.UNCHANGED, "already has an item A in support_tasks"):
        await desk.new(external_id="A")
    with refused(Code.INVALID_INPUT, "same external_id"):
        await desk.new(2, external_id="B")
    assert await desk.count() == 1


async def test_two_at_once_with_the_same_id_make_one(desk: Desk) -> None:
    made = await asyncio.gather(*(desk.new(external_id="A") for _ in range(6)), return_exceptions=True)
    failures = [each for each in made if isinstance(each, BaseException)]
    assert len(failures) == 5
    assert {getattr(each, "code", each) for each in failures} <= {Code.UNCHANGED, Code.STORE_BUSY}
    assert await desk.count() == 1


@pytest.mark.parametrize("text", TEXTS[::10])
async def test_hostile_items_are_found_by_what_they_hold(desk: Desk, text: str) -> None:
    (item,) = await desk.new(title=text, category=text[:1_000], fields={"x": text})
    for filter_ in (quoted(text), f"category:{quoted(text[:1_000])}", f"field.x:{quoted(text)}"):
        assert await desk.ids(filter_) == [item]
