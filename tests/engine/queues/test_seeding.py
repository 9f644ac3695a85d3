"""What the config says of queues counts at every start; the rest stays as it was changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from quarterdeck.contract.models.queues import Backoff, Pause, QueueChange
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes, figures
from quarterdeck.engine.queues.seeding import seed
from quarterdeck.engine.queues.service import BULK
from tests.support.desk import ROOT, refused


async def start(engine: Engine, **sections: dict[str, Any]) -> None:
    engine.settings = replace(engine.settings, queues=sections)
    await seed(engine)


async def test_a_section_makes_a_queue(engine: Engine) -> None:
    await start(engine, mail={"concurrency": 3})
    queue = await figures.show_queue(engine, ROOT, "mail")
    assert (queue.from_config, queue.settings.concurrency, queue.settings.max_attempts) == (True, 3, 5)
    with refused(Code.WRONG_STATE, "named in config.toml"):
        await changes.delete_queue(engine, ROOT, "mail")


async def test_what_a_section_names_is_set_again_and_the_rest_stays(engine: Engine) -> None:
    await start(engine, mail={"concurrency": 3, "backoff": {"base": 2}})
    change = QueueChange(concurrency=8, max_attempts=9, backoff=Backoff(base=5, factor=7))
    assert (await changes.change_queue(engine, ROOT, "mail", change)).settings.concurrency == 8
    await changes.pause_queue(engine, ROOT, "mail", Pause())
    await start(engine, mail={"concurrency": 3, "backoff": {"base": 2}})
    queue = await figures.show_queue(engine, ROOT, "mail")
    assert (queue.settings.concurrency, queue.settings.max_attempts) == (3, 9)
    assert (queue.settings.backoff.base, queue.settings.backoff.factor) == (2, 7)
    assert queue.paused


async def test_a_section_that_is_gone_leaves_a_queue_like_any_other(engine: Engine) -> None:
    await start(engine, mail={})
    await start(engine)
    assert not (await figures.show_queue(engine, ROOT, "mail")).from_config
    await changes.delete_queue(engine, ROOT, "mail")


async def test_what_a_start_changes_is_in_the_audit_log(engine: Engine) -> None:
    await start(engine, mail={"concurrency": 3})
    await start(engine, mail={"concurrency": 4})
    await start(engine)
    await start(engine, mail={"concurrency": 4})
    query = select(audit_entries.c.action, audit_entries.c.actor, audit_entries.c.reason).order_by(audit_entries.c.id)
    async with engine.store.read() as connection:
        found = (await connection.execute(query)).all()
    said = (SYSTEM.actor, "Section [queues.mail] of the config.")
    assert [tuple(row) for row in found] == [("queues.create", *said), ("queues.change", *said)]


async def test_a_start_without_news_writes_nothing(engine: Engine) -> None:
    await start(engine, mail={"concurrency": 3})
    before = engine.store.write
    engine.store.write = None  # type: ignore[assignment, method-assign]
    await start(engine, mail={"concurrency": 3})
    engine.store.write = before  # type: ignore[method-assign]


async def test_the_engines_own_queue_can_be_named(engine: Engine) -> None:
    await start(engine, **{BULK: {"concurrency": 2}})
    bulk = await figures.show_queue(engine, ROOT, BULK)
    assert (bulk.settings.concurrency, bulk.settings.handler) == (2, "engine")


async def test_a_mistake_names_the_section(engine: Engine) -> None:
    with refused(Code.INVALID_INPUT, r"config.toml, section \[queues.mail\]: Queue mail needs an address"):
        await start(engine, mail={"handler": "http"})
