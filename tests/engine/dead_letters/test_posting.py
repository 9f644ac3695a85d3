"""What other systems give up: posted, exported, posted again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.models import dead_letters as models
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import export, figures, posting
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ACME, ROOT, refused, wipe
from tests.support.hostile import TEXTS


@pytest.fixture(autouse=True)
async def a_queue(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)


async def lines(engine: Engine, filter_: str = "") -> list[dict[str, Any]]:
    written = b"".join([chunk async for chunk in export.export_dead_letters(engine, ROOT, filter_)])
    return [json.loads(line) for line in written.splitlines()]


async def test_the_same_source_again_changes_nothing(engine: Engine) -> None:
    (first,) = await morgue.post(engine, source_id="evt_1")
    wanted = models.NewDeadLetters(
        dead_letters=[
            models.NewDeadLetter(tenant_id="acme", queue="q", event_type="kind", source_id=source)
            for source in ("evt_1", "evt_2", "evt_2", None)
        ]
    )
    again = await posting.add(engine, ROOT, wanted)
    assert (again.created, again.existing) == (2, [first, again.ids[1]])
    assert again.ids[0] == first
    assert again.ids[1] == again.ids[2]
    assert sorted(await morgue.ids(engine)) == sorted({*again.ids})
    said, there = await morgue.counted(engine)
    assert said == there


async def test_what_is_exported_can_be_posted_somewhere_else(engine: Engine) -> None:
    for number, text in enumerate(TEXTS):
        await morgue.post(engine, payload={"said": [text, {"deep": text}]}, error_message=text, source_id=f"s{number}")
    await morgue.post(
        engine, metadata={"host": "a"}, detail="trace", attempts=3, died_at=to_datetime(1_700_000_000_000)
    )
    before = await lines(engine)
    assert len(before) == len(TEXTS) + 1
    await wipe(engine.store)
    await world.make_queue(engine, exceptions=False)
    wanted = models.NewDeadLetters.model_validate_json(json.dumps({"dead_letters": before}))
    assert (await posting.add(engine, ROOT, wanted)).created == len(before)
    assert (await posting.add(engine, ROOT, wanted)).created == 0
    assert await lines(engine) == before


async def test_what_died_long_ago_elsewhere_counts_from_when_it_came(engine: Engine) -> None:
    """Order, filter, groups and growth say the same; when it died is told beside."""
    (first,) = await morgue.post(engine, died_at=to_datetime(1_700_000_000_000))
    (second,) = await morgue.post(engine)
    (third,) = await morgue.post(engine, died_at=to_datetime(1_600_000_000_000))
    rows = (await morgue.page(engine, "created:<1h", sort="created")).items
    assert [row.id for row in rows] == [first, second, third]
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert [row.died_at for row in rows] == [
        to_datetime(1_700_000_000_000), rows[1].created_at, to_datetime(1_600_000_000_000)
    ]  # fmt: skip
    for filter_ in ("", "created:<1h"):
        (group,) = (await figures.groups(engine, ROOT, filter_)).items
        assert (group.count, group.first_at, group.last_at) == (3, rows[0].created_at, rows[2].created_at)
    growth = (await figures.stats(engine, ROOT, models.StatsQuery(period="month"))).growth
    assert sum(each.added for each in growth) == 3


async def test_only_what_matches_is_exported(engine: Engine) -> None:
    await morgue.post(engine, 2, error_code="503")
    await morgue.post(engine, error_code="422")
    assert [each["error_code"] for each in await lines(engine, "error:422")] == ["422"]
    with refused(Code.FILTER_INVALID):
        await lines(engine, "status:nonsense")


async def test_refusals(engine: Engine) -> None:
    with refused(Code.FORBIDDEN, "globex is not yours"):
        await morgue.post(engine, by=ACME, tenant_id="globex")
    with refused(Code.NOT_FOUND, "no queue"):
        await morgue.post(engine, queue="nowhere")
    with refused(Code.NOT_FOUND, "the engine's own"):
        await morgue.post(engine, queue="bulk")
    assert await morgue.ids(engine) == []


async def test_figures_and_groups(engine: Engine) -> None:
    for number in range(5):
        await morgue.post(engine, error_code="503", error_message=f"503 from refunds-api for order {number}")
    await morgue.post(
        engine, 2, error_code="422", error_message="no such thing", tenant_id="globex", event_type="other"
    )
    (gone, *_) = await morgue.ids(engine, "error:422")
    await morgue.act(engine, "discard", gone, reason="x")
    stats = await figures.stats(engine, ROOT, models.StatsQuery(period="hour"))
    totals = stats.totals
    assert (totals.pending, totals.discarded, totals.retrying) == (6, 1, 0)
    assert [(each.name, each.pending) for each in stats.by_tenant] == [("acme", 5), ("globex", 1)]
    assert [(each.name, each.pending) for each in stats.by_type] == [("kind", 5), ("other", 1)]
    assert (len(stats.growth), sum(each.added for each in stats.growth)) == (60, 7)
    assert (await figures.stats(engine, ACME, models.StatsQuery())).totals.pending == 5
    for filter_ in ("", "status:pending,discarded", "created:<2h", "5 -class:validation"):  # tallies, or the rows
        groups = await figures.groups(engine, ROOT, filter_)
        first = groups.items[0]
        if filter_ != "5 -class:validation":
            assert [(each.count, each.pending) for each in groups.items] == [(5, 5), (2, 1)]
        assert (first.message, first.queue, first.error_code) == ("<n> from refunds-api for order <n>", "q", "503")
        assert first.first_at <= first.last_at
        assert len(await morgue.ids(engine, f"group:{first.group}")) == 5
    assert len((await figures.groups(engine, ACME, "")).items) == 1
