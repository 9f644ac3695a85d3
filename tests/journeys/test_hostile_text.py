"""Hostile text as titles, bodies, comments, names and filters: it comes back as it went in, and harms nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.filters.ast import quoted
from quarterdeck.contract.operations import bulk, items
from quarterdeck.contract.problems import Code, Problem
from tests.support.hostile import ESC, REFUSED, TEXTS, control_bytes
from tests.support.person import Person

pytestmark = pytest.mark.timeout(180)

NAMES = [text[:1_000] for text in TEXTS]


@pytest.fixture
async def engine(store_kind: str, engine_home: Home, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A real engine, on each of the stores."""
    if store_kind == "postgresql":
        url = request.getfixturevalue("postgres").database()
        (engine_home.path / "config.toml").write_text(f'[store]\nurl = "{url}"\n')
    client = await connect(engine_home)
    try:
        yield client
    finally:
        await client.close()


async def everything(client: Client, filter_: str = "") -> dict[int, dict[str, object]]:
    """Every item that matches, whole."""
    found: dict[int, dict[str, object]] = {}
    cursor = None
    while True:
        query = {"filter": filter_, "limit": 100, "cursor": cursor}
        page = await client.call(items.LIST, resource="support_tasks", query=query)
        for row in page["items"]:
            found[row["id"]] = await client.call(items.SHOW, resource="support_tasks", id=row["id"])
        cursor = page["next"]
        if cursor is None:
            return found


def item(text: str) -> dict[str, object]:
    return {
        "external_id": text[:500],
        "tenant_id": text[:200],
        "kind": text[:200],
        "title": text,
        "body": text,
        "category": text[:1_000],
        "fields": {text: text, "list": [text]},
    }


async def test_hostile_items_come_back_as_they_went_in(engine: Client) -> None:
    made = await engine.call(items.CREATE, resource="support_tasks", body={"items": [item(text) for text in TEXTS]})
    found = await everything(engine)
    assert len(found) == len(TEXTS)
    for number, text in zip(made["ids"], TEXTS, strict=True):
        for name, value in item(text).items():
            assert found[number][name] == value, name


async def test_hostile_names_and_comments_come_back(engine: Client) -> None:
    made = await engine.call(
        items.CREATE,
        resource="support_tasks",
        body={"items": [{"tenant_id": "acme", "title": f"item {index}"} for index in range(len(TEXTS))]},
    )
    for number, text, name in zip(made["ids"], TEXTS, NAMES, strict=True):
        for action, params in (("assign", {"assignee": name, "reason": text}), ("comment", {"body": text})):
            await engine.call(items.ACT, resource="support_tasks", id=number, action=action, body={"params": params})
        timeline = await engine.call(items.EVENTS, resource="support_tasks", id=number)
        assert text in [event["body"] for event in timeline["items"]]
        assert ["assignee", [None, name]] in [
            list(pair) for event in timeline["items"] for pair in event["changes"].items()
        ]
        shown = await engine.call(items.SHOW, resource="support_tasks", id=number)
        assert shown["assignee"] == name


async def test_hostile_filters_find_what_they_name(engine: Client) -> None:
    made = await engine.call(items.CREATE, resource="support_tasks", body={"items": [item(text) for text in TEXTS]})
    for number, text in zip(made["ids"], TEXTS, strict=True):
        for filter_ in (
            quoted(text),
            f"kind:{quoted(text[:200])}",
            f"tenant:{quoted(text[:200])}",
            f"external:{quoted(text[:500])}",
            f"category:{quoted(text[:1_000])}",
        ):
            found = await engine.call(items.LIST, resource="support_tasks", query={"filter": filter_, "limit": 500})
            assert number in [row["id"] for row in found["items"]], filter_
            count = await engine.call(items.COUNT, resource="support_tasks", query={"filter": filter_})
            assert count["count"] == len(found["items"])


async def test_hostile_text_goes_through_a_bulk_operation_and_its_undo(engine: Client) -> None:
    made = await engine.call(items.CREATE, resource="support_tasks", body={"items": [item(text) for text in TEXTS]})
    for text in TEXTS[::12]:
        draft = await engine.call(
            bulk.DRAFT,
            resource="support_tasks",
            action="set-category",
            body={"ids": made["ids"], "params": {"category": text[:1_000]}, "reason": text},
        )
        await finish(engine, draft["operation"]["id"])
        assert set((await categories(engine)).values()) == {text[:1_000]}
        undo = await engine.call(bulk.UNDO, id=draft["operation"]["id"])
        await finish(engine, undo["operation"]["id"])
        assert await categories(engine) == dict(zip(made["ids"], (text[:1_000] for text in TEXTS), strict=True))


async def categories(client: Client) -> dict[int, str]:
    page = await client.call(items.LIST, resource="support_tasks", query={"limit": 500})
    return {row["id"]: row["category"] for row in page["items"]}


async def finish(client: Client, operation: int) -> None:
    await client.call(bulk.CONFIRM, id=operation, body={})
    async for message in client.watch(operation):
        last = message["operation"]
    assert last["status"] == "completed", last
    assert last["failed"] == 0


@pytest.mark.parametrize("text", REFUSED)
async def test_what_is_no_text_is_refused_and_nothing_is_written(engine: Client, text: str) -> None:
    for name in ("title", "body", "kind", "tenant_id", "external_id", "category"):
        with pytest.raises(Problem) as caught:
            await engine.call(items.CREATE, resource="support_tasks", body={"items": [{**item("x"), name: text}]})
        assert caught.value.code is Code.INVALID_INPUT, name
    with pytest.raises(Problem) as caught:
        await engine.call(items.LIST, resource="support_tasks", query={"filter": f'"{text}"'})
    assert caught.value.status == 422
    assert await everything(engine) == {}


async def test_nothing_hostile_reaches_the_terminal(engine_home: Home) -> None:
    """Every text in every place of the console: rows, details, timelines, values, dialogs, results, notices."""
    (engine_home.path / "config.toml").write_text("[console]\ndetail_delay_ms = 0\n")
    client = await connect(engine_home)
    made = await client.call(items.CREATE, resource="support_tasks", body={"items": [item(text) for text in TEXTS]})
    for number, text, name in zip(made["ids"], TEXTS, NAMES, strict=True):
        for action, params in (("assign", {"assignee": name, "reason": text}), ("comment", {"body": text})):
            await client.call(items.ACT, resource="support_tasks", id=number, action=action, body={"params": params})
    draft = await client.call(
        bulk.DRAFT,
        resource="support_tasks",
        action="update-status",
        body={"ids": made["ids"], "params": {"status": "waiting"}, "reason": TEXTS[2]},
    )
    await finish(client, draft["operation"]["id"])
    await client.close()
    await asyncio.to_thread(look_everywhere, Person(engine_home))


def look_everywhere(person: Person) -> None:
    with person.console(columns=120, lines=40) as console:
        console.wait_for(rf"{len(TEXTS)} matching")
        console.press("enter")
        for _ in TEXTS:
            console.press("j")
            console.settle(quiet=0.08)  # the detail pane follows
        # What is pasted into the filter, and what completes it.
        for text in TEXTS[::4]:
            console.press("/", "ctrl+u")
            console.wait_for("leave as it was")
            console.press(f"\x1b[200~{text.replace(ESC, '')}\x1b[201~")
            console.settle(quiet=0.05)
            console.press("enter")
            console.settle(quiet=0.05)
            console.press("esc")
            console.settle(quiet=0.05)
        for key in ("kind:", "tenant:", "category:", "assignee:"):
            console.press("/", "ctrl+u")
            console.wait_for("leave as it was")
            console.press(key)
            for _ in range(30):
                console.press("down")
            console.settle(quiet=0.1)
            console.press("esc")
            console.wait_until_gone("leave as it was")
        # A bulk dialog over all of them, with a hostile value.
        console.press("esc", "esc", "esc", "A")
        console.wait_for("marked")
        console.press("a")
        console.wait_for("Assign")
        console.press("\x1b[200~[/x]\u202e\x07[red]\x1b[201~")
        console.press("enter")
        console.wait_for("will be acted on|can be acted on|will be skipped")
        console.press("y")
        console.wait_for("done")
        # The history and its results.
        console.press("f3")
        console.wait_for("Assign")
        console.press("enter")
        console.settle()
        for _ in range(40):
            console.press("down")
        console.settle()
        console.press("q", "q")
        console.settle()
        assert control_bytes(console.raw) == []
