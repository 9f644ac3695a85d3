"""Every filter over dead letters and runs, page by page, against a reference in plain Python."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.contract.clock import HOUR, MINUTE, now_ms
from quarterdeck.contract.filters import Between, Compare, Equals, Term, freeze, parse
from quarterdeck.contract.filters.ast import quoted
from quarterdeck.contract.models.runs import RunListQuery
from quarterdeck.contract.problems import Code
from quarterdeck.engine import cursors
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.listing import access, counting, paging, slices
from quarterdeck.engine.listing.declaration import Listing
from quarterdeck.engine.runs.listing import RUNS
from quarterdeck.engine.runs.queries import list_runs
from quarterdeck.engine.runs.tables import runs
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ACME, ROOT, refused

COUNT = 120
TENANTS = ("acme", "globex", "initech")
QUEUES = ("refunds-api", "mail")
KINDS = ("refund.send", "mail.send", "none")
CODES = ("503", "422", "none", None)
MESSAGES = ("503 for order 7", "no answer", "100% wrong", "a_b", "ünïcode", "", 'say "hi"')
PAYLOADS: tuple[Any, ...] = ({"order": 7}, {"order": "7", "a.b": "x"}, [1, "ünï"], None, "text", {"deep": {"x": True}})
# How far the engine looks before it chooses a way to the rows: never, a little, always.
PATIENCE = (1, 12, 5_000)


def make(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(dead letters, runs), with gaps between their ids."""
    chance = random.Random(seed)
    now = now_ms() // MINUTE * MINUTE
    letters, work, number = [], [], 0
    for index in range(COUNT):
        number += chance.choice((1, 1, 1, 40))
        # They come in the order of their times, but for those whose transactions overlap.
        at = now - (COUNT - index) * HOUR // 4 - chance.randrange(2) * 2 * MINUTE
        code = chance.choice(CODES)
        both = {
            "id": number,
            "tenant_id": chance.choice(TENANTS),
            "queue": chance.choice(QUEUES),
            "error_class": chance.choice(("network", "validation")),
            "error_message": chance.choice(MESSAGES),
            "payload": chance.choice(PAYLOADS),
            "created_at": at,
        }
        letters.append(
            {
                **both,
                "event_type": chance.choice(KINDS),
                "status": chance.choice(("pending", "pending", "retrying", "succeeded", "discarded")),
                "error_code": code or "500",
                "group_id": chance.choice(("aa", "bb", "cc")),
                "run_id": number if chance.random() < 0.5 else None,
                "source_id": f"evt_{number}" if chance.random() < 0.5 else None,
                "updated_at": at,
                "expires_at": at,
                "metadata": {},
            }
        )
        work.append(
            {
                **both,
                "kind": chance.choice(KINDS),
                "status": chance.choice(("waiting", "active", "completed", "completed", "dead")),
                "error_code": code,
                "error_message": both["error_message"] if code else None,
                "priority": chance.randrange(4),
                "run_at": now + chance.randrange(-6, 6) * HOUR + 30 * MINUTE,
                "attempt": chance.randrange(4),
                "max_attempts": 5,
                "worker": chance.choice(("w-1", "w-2", None)),
                "unique_key": None,
                "operation_id": chance.choice((7, None, None)),
            }
        )
    return letters, work


async def fill(engine: Engine, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    letters, work = make(seed)
    async with engine.store.write() as transaction:
        await transaction.connection.execute(dead_letters.insert(), letters)
        await transaction.connection.execute(runs.insert(), work)
    return letters, work


# ----- the reference


def matches(row: dict[str, Any], term: Term, listing: Listing) -> bool:
    return any(_condition(row, term.key, each, listing) for each in term.conditions) != term.negated


def _condition(row: dict[str, Any], key: str, condition: Any, listing: Listing) -> bool:
    if not key:
        written = "" if row["payload"] is None else json.dumps(row["payload"], separators=(",", ":"))
        searched = (row["error_message"] or "", condition.value), (written, json.dumps(condition.value)[1:-1])
        return any(_lower(words) in _lower(text) for text, words in searched)
    if key.startswith("field."):
        payload, name = row["payload"], key[6:]
        return isinstance(payload, dict) and name in payload and _as_text(payload[name]) == condition.value
    value = row[listing.columns[key]]
    if isinstance(condition, Between):
        return bool(condition.start.at <= value < condition.end.at)
    if isinstance(condition, Compare):
        at: Any = condition.instant.at
        return bool({"<": value < at, "<=": value <= at, ">": value > at, ">=": value >= at}[condition.op])
    assert isinstance(condition, Equals)
    if key in listing.absent and condition.says("none", "any"):
        return (value is None) == (condition.value == "none")
    return bool(value == listing.word(key, condition.value))


def _lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _as_text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def expected(rows: list[dict[str, Any]], filter_: str, listing: Listing, tenants: frozenset[str] | None) -> list[int]:
    terms = freeze(parse(filter_, listing.resource), now=now_ms(), me="root").terms
    found = [row for row in rows if tenants is None or row["tenant_id"] in tenants]
    return [row["id"] for row in found if all(matches(row, term, listing) for term in terms)]


# ----- filters


def words(key: str, *values: str) -> st.SearchStrategy[str]:
    one = st.sampled_from([value if value in ("none", "any") else quoted(value) for value in values])
    return st.lists(one, min_size=1, max_size=2, unique=True).map(lambda each: f"{key}:{','.join(each)}")


_TIMES = st.sampled_from(("created:<5h", "created:>20h", "created:today", "created:>=2020-01-01"))
_TEXTS = st.sampled_from([quoted(each) for each in ("order", "7", "%", "_", "ünï", "ORDER", "x", 'say "hi"')])
_SHARED = (
    words("queue", *QUEUES, "unknown"),
    words("tenant", *TENANTS),
    words("class", "network", "validation"),
    st.lists(st.integers(1, 200), min_size=1, max_size=3).map(lambda ids: f"id:{','.join(map(str, ids))}"),
    _TIMES,
    _TEXTS,
    st.sampled_from(["field.order:7", "field.a.b:x", "field.z:1"]),
)
_OF_LETTERS = (
    words("status", "pending", "retrying", "succeeded", "discarded"),
    words("type", *KINDS),
    words("error", "503", "422", "500", "any"),
    words("group", "aa", "bb", "zz"),
    words("source", "evt_3", "evt_9"),
    words("run", "3", "9"),
)
_OF_RUNS = (
    words("status", "waiting", "completed", "dead"),
    words("kind", *KINDS),
    words("error", "503", "422", "none", "any"),
    words("worker", "w-1", "none", "any"),
    words("operation", "7", "8"),
    words("attempt", "0", "3"),
    words("priority", "urgent", "low"),
    st.sampled_from(("due:<2h", "due:>2h", "due:today")),
)


def filters(*terms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.tuples(st.one_of(*terms), st.booleans()).map(lambda pair: f"-{pair[0]}" if pair[1] else pair[0])
    return st.lists(one, max_size=3).map(" ".join)


async def pages_of(engine: Engine, listing: Listing, filter_: str, who: Any, **query: Any) -> list[int]:
    """Ids of all pages; each page leads on, whether time was up or not."""
    found: list[int] = []
    cursor, back = None, query.get("direction") == "previous"
    while True:
        if listing is DEAD_LETTERS:
            page: Any = await morgue.page(engine, filter_, who, cursor=cursor, **query)
        else:
            page = await list_runs(engine, who, RunListQuery(filter=filter_, cursor=cursor, **query))
        ids = [each.id for each in page.items]
        found = ids + found if back else found + ids
        cursor = page.previous if back else page.next
        if cursor is None:
            return found


WALKED_BACK: dict[str, Any] = {"sort": "-created", "direction": "previous"}


@pytest.mark.parametrize("of_letters", [True, False], ids=["dead letters", "runs"])
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_every_page_holds_what_matches(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, of_letters: bool, data: st.DataObject
) -> None:
    rows = engine.kept.get(dict)  # the world is the same for all examples
    if rows is None:
        rows = engine.kept[dict] = await fill(engine, 5)
    listing = DEAD_LETTERS if of_letters else RUNS
    filter_ = data.draw(filters(*_SHARED, *(_OF_LETTERS if of_letters else _OF_RUNS)))
    who = data.draw(st.sampled_from((ROOT, ACME)))
    monkeypatch.setattr(access, "FEW_ENTRIES", data.draw(st.sampled_from(PATIENCE)))
    monkeypatch.setattr(paging, "BUDGET", data.draw(st.sampled_from((0.0, 10.0))))
    monkeypatch.setattr(slices, "_FIRST", 50)
    monkeypatch.setattr(slices, "_SECONDS", 0.0)
    monkeypatch.setattr(slices, "_SMALLEST", 50)
    wanted = expected(rows[0] if of_letters else rows[1], filter_, listing, who.tenants)
    limit = data.draw(st.integers(1, 50))
    walk = data.draw(st.sampled_from(({"sort": "created"}, {"sort": "-created"}, WALKED_BACK)))
    found = await pages_of(engine, listing, filter_, who, limit=limit, **walk)
    assert found == (wanted if walk["sort"] == "created" else wanted[::-1])


async def test_a_page_between_two_others_leads_to_both(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    letters, _ = await fill(engine, 5)
    monkeypatch.setattr(access, "FEW_ENTRIES", 1)
    wanted = expected(letters, "order", DEAD_LETTERS, None)[::-1]
    first = await morgue.page(engine, "order", limit=4)
    second = await morgue.page(engine, "order", limit=4, cursor=first.next)
    assert [each.id for each in first.items] == wanted[:4]
    assert [each.id for each in second.items] == wanted[4:8]
    back = await morgue.page(engine, "order", limit=4, cursor=second.previous, direction="previous")
    assert [each.id for each in back.items] == wanted[:4]
    assert [each.id for each in (await morgue.page(engine, "order", limit=4, skip=2)).items] == wanted[2:6]


async def test_a_search_that_takes_too_long_says_how_far_it_came(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(engine, 5)
    monkeypatch.setattr(paging, "BUDGET", 0.0)
    monkeypatch.setattr(slices, "_FIRST", 30)
    page = await morgue.page(engine, "nowhere-to-be-found")
    assert page.items == []
    assert 0 < page.searched < 1
    further = await morgue.page(engine, "nowhere-to-be-found", cursor=page.next)
    assert further.searched > page.searched
    count = await counting.count(engine.store, ROOT, DEAD_LETTERS, "nowhere-to-be-found")
    assert (count.count, count.searched < 1) == (0, True)


@pytest.mark.parametrize(
    "filter_", ["", "status:pending", "tenant:acme status:pending", "error:503 class:network", "7"]
)
@pytest.mark.parametrize("who", [ROOT, ACME])
async def test_counts_are_exact(engine: Engine, filter_: str, who: Any) -> None:
    await world_of_posts(engine)
    counted = await counting.count(engine.store, who, DEAD_LETTERS, filter_)
    assert (counted.count, counted.searched) == (len(await morgue.ids(engine, filter_, who)), 1.0)


async def world_of_posts(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)
    for tenant, code in (("acme", "503"), ("acme", "422"), ("globex", "503")):
        await morgue.post(engine, 3, tenant_id=tenant, error_code=code, error_class="network", payload={"order": 7})
    await morgue.act(engine, "discard", (await morgue.ids(engine))[0], reason="x")


async def test_cursors_of_other_lists_are_refused(engine: Engine) -> None:
    for cursor in (
        "x",
        cursors.encode("-created", "1"),
        cursors.encode("created", 1),
        cursors.encode("-created", 1, 2),
    ):
        with refused(Code.CURSOR_INVALID):
            await morgue.page(engine, cursor=cursor)


async def test_values_for_completion_are_those_of_ones_own_tenants(engine: Engine) -> None:
    await world_of_posts(engine)
    found = (await counting.facets(engine.store, ACME, DEAD_LETTERS)).values
    assert (found["tenant"], found["error"]) == (["acme"], ["422", "503"])
