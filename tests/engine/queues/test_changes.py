"""Queues are made, changed, paused and deleted; each change applies at once and is in the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.contract.enums import Condition, HandlerKind
from quarterdeck.contract.models.queues import Pause, QueueChange, QueueSettings
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes, figures
from quarterdeck.engine.queues.service import BULK, NOTIFICATIONS, find_queue, known_queues, settings_of
from quarterdeck.engine.series.recording import Moves, record
from tests.support.desk import ACME, ROOT, refused


async def settings(engine: Engine, name: str) -> QueueSettings:
    async with engine.store.read() as connection:
        return await settings_of(connection, name)


async def put(engine: Engine, name: str = "mail", **values: Any) -> Any:
    return await changes.put_queue(engine, ROOT, name, QueueSettings(**values))


async def change(engine: Engine, name: str = "mail", **values: Any) -> Any:
    return await changes.change_queue(engine, ROOT, name, QueueChange(**values))


async def actions(engine: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    query = select(audit_entries.c.action, audit_entries.c.target, audit_entries.c.details).order_by(audit_entries.c.id)
    async with engine.store.read() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_a_queue_is_made_and_changed(engine: Engine) -> None:
    made = await put(engine, handler="http", target="https://example.org/hooks", concurrency=4)
    assert (made.name, made.settings.concurrency, made.condition, made.why) == ("mail", 4, Condition.HEALTHY, [])
    assert (await change(engine, concurrency=2, backoff={"base": 3})).settings.concurrency == 2
    now = await settings(engine, "mail")
    assert (now.target, now.backoff.base, now.backoff.factor) == ("https://example.org/hooks", 3, 2)
    made, changed = await actions(engine)
    assert made[:2] == ("queues.create", "mail")
    assert changed[0] == "queues.change"
    assert changed[2]["changes"]["concurrency"] == [4, 2]
    assert changed[2]["changes"].keys() == {"concurrency", "backoff"}


async def test_a_limit_is_taken_off_with_null_and_nothing_else_is(engine: Engine) -> None:
    await put(engine, rate_per_second=5, tenant_concurrency=2)
    changed = await change(engine, rate_per_second=None, concurrency=None)
    assert changed.settings.rate_per_second is None
    assert (changed.settings.tenant_concurrency, changed.settings.concurrency) == (2, 10)


async def test_the_same_again_is_no_change(engine: Engine) -> None:
    await put(engine, concurrency=4)
    await put(engine, concurrency=4)
    await change(engine, concurrency=4)
    assert len(await actions(engine)) == 1


async def test_who_looks_is_told(engine: Engine) -> None:
    subscription = engine.hub.subscribe(ROOT)
    woken: list[bool] = []
    engine.wake_worker = lambda: woken.append(True)
    await put(engine)
    assert await anext(subscription) == {"type": "queues_changed"}
    assert woken


async def test_a_pause_says_who_and_why_and_ends(engine: Engine) -> None:
    await put(engine)
    paused = await changes.pause_queue(engine, ROOT, "mail", Pause(reason="the bank is down"))
    assert (paused.paused, paused.paused_by, paused.pause_reason) == (True, "root", "the bank is down")
    assert paused.why == ["Paused by root less than a minute ago: the bank is down."]
    assert paused.condition is Condition.DEGRADED
    with refused(Code.UNCHANGED, "is paused already"):
        await changes.pause_queue(engine, ROOT, "mail", Pause())
    assert (await change(engine, concurrency=1)).paused  # a change is no resume
    resumed = await changes.resume_queue(engine, ROOT, "mail", Pause())
    assert (resumed.paused, resumed.paused_by, resumed.why) == (False, None, [])
    with refused(Code.UNCHANGED, "is not paused"):
        await changes.resume_queue(engine, ROOT, "mail", Pause())
    assert [action for action, *_ in await actions(engine)] == [
        "queues.create",
        "queues.pause",
        "queues.change",
        "queues.resume",
    ]


async def test_the_engines_own_queue_is_there_and_stays(engine: Engine) -> None:
    bulk, notifications = (await figures.list_queues(engine, ROOT)).items
    assert (bulk.name, bulk.settings.handler) == (BULK, HandlerKind.ENGINE)
    assert (notifications.name, notifications.settings.max_attempts) == (NOTIFICATIONS, 10)
    assert bulk.settings.concurrency == (1 if engine.store.dialect.name == "sqlite" else 4)
    with refused(Code.WRONG_STATE, "the engine's own queue and stays"):
        await changes.delete_queue(engine, ROOT, BULK)
    with refused(Code.INVALID_INPUT, "stays engine"):
        await change(engine, BULK, handler="worker")
    assert (await change(engine, BULK, concurrency=3)).settings.concurrency == 3
    assert (await changes.pause_queue(engine, ROOT, BULK, Pause())).paused


async def test_nobody_makes_a_queue_of_the_engines_own_work(engine: Engine) -> None:
    with refused(Code.INVALID_INPUT, "for the engine's own queues"):
        await put(engine, handler="engine")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"handler": "http"}, "needs an address"),
        ({"handler": "http", "target": "example.org"}, "needs an address"),
        ({"handler": "http", "target": "https://[::1"}, "needs an address"),
        ({"handler": "python"}, "module:function"),
    ],
)
async def test_a_handler_without_its_target_is_refused(engine: Engine, values: dict[str, str], words: str) -> None:
    with refused(Code.INVALID_INPUT, words):
        await put(engine, **values)
    await put(engine)
    with refused(Code.INVALID_INPUT, words):
        await change(engine, **values)


async def test_a_queue_with_work_to_do_is_not_deleted(engine: Engine) -> None:
    await put(engine)
    moves = Moves()
    moves.enqueued("mail", "welcome", "acme", "waiting", 2)
    async with engine.store.write() as transaction:
        await record(transaction, engine.store.dialect, moves)
    with refused(Code.WRONG_STATE, "still has 2 runs to do"):
        await changes.delete_queue(engine, ROOT, "mail")
    moves = Moves()
    moves.moved("mail", "acme", "waiting", "cancelled", 2)
    async with engine.store.write() as transaction:
        await record(transaction, engine.store.dialect, moves)
    assert (await changes.delete_queue(engine, ROOT, "mail")).name == "mail"
    with refused(Code.NOT_FOUND):
        await figures.show_queue(engine, ROOT, "mail")


async def test_a_name_nobody_knows_hints_at_close_ones(engine: Engine) -> None:
    await put(engine, "refunds-api")
    with refused(Code.NOT_FOUND, "There is no queue refund-api. Did you mean refunds-api?"):
        await figures.show_queue(engine, ROOT, "refund-api")
    with refused(Code.NOT_FOUND, "has to be made first"):
        await change(engine, "zzz")
    with refused(Code.INVALID_INPUT, "begin with a letter"):
        await put(engine, "-mail")


async def test_who_sees_some_tenants_changes_nothing_that_all_share(engine: Engine) -> None:
    await put(engine)
    for attempt in (
        changes.put_queue(engine, ACME, "mine", QueueSettings()),
        changes.change_queue(engine, ACME, "mail", QueueChange(concurrency=1)),
        changes.pause_queue(engine, ACME, "mail", Pause()),
        changes.resume_queue(engine, ACME, "mail", Pause()),
        changes.delete_queue(engine, ACME, "mail"),
    ):
        with refused(Code.FORBIDDEN, "shared by all tenants"):
            await attempt


async def test_a_change_applies_to_the_next_look(engine: Engine) -> None:
    await put(engine)
    async with engine.store.read() as connection:
        assert (await known_queues(connection)).keys() == {BULK, "mail", NOTIFICATIONS}
    await changes.pause_queue(engine, ROOT, "mail", Pause())
    async with engine.store.read() as connection:
        found = await find_queue(connection, "mail")
    assert found is not None
    assert found.paused
