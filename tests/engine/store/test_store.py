"""The store: all of a write or nothing, and a sentence for whatever a database says."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.problems import Code
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.store.dialect import contains
from quarterdeck.engine.store.store import Store, Transaction, explain
from tests.support.desk import Desk, refused
from tests.support.hostile import TEXTS


async def titles(store: Store) -> list[str]:
    async with store.read() as connection:
        return list((await connection.execute(select(items.c.title).order_by(items.c.id))).scalars())


async def test_all_of_a_write_or_nothing(desk: Desk) -> None:
    said: list[str] = []

    async def half() -> None:
        async with desk.engine.store.write() as transaction:
            transaction.after_commit(lambda: said.append("never"))
            await transaction.connection.execute(items.update().values(title="half"))
            raise ValueError("no")

    await desk.new(title="before")
    with pytest.raises(ValueError, match="no"):
        await half()
    assert await titles(desk.engine.store) == ["before"]
    async with desk.engine.store.write() as transaction:
        for number in (1, 2):
            transaction.after_commit(lambda number=number: said.append(f"after {number}"))
        await transaction.connection.execute(items.update().values(title="after"))
        assert said == []
    assert said == ["after 1", "after 2"]
    assert await titles(desk.engine.store) == ["after"]


async def test_a_cancelled_write_writes_nothing_and_the_next_one_works(desk: Desk) -> None:
    began = asyncio.Event()

    async def for_ever() -> None:
        async with desk.engine.store.write() as transaction:
            await transaction.connection.execute(items.update().values(title="half"))
            began.set()
            await asyncio.Event().wait()

    await desk.new(title="before")
    writing = asyncio.create_task(for_ever())
    await asyncio.wait_for(began.wait(), 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await desk.new(title="next")
    assert await titles(desk.engine.store) == ["before", "next"]


async def test_all_of_a_write_at_once_or_nothing(desk: Desk) -> None:
    said: list[str] = []

    async def retitle(transaction: Transaction) -> str:
        transaction.after_commit(lambda: said.append("after"))
        await transaction.connection.execute(items.update().values(title="after"))
        return "done"

    async def half(transaction: Transaction) -> None:
        await retitle(transaction)
        raise ValueError("no")

    await desk.new(title="before")
    with pytest.raises(ValueError, match="no"):
        await desk.engine.store.write_at_once(half)
    assert await titles(desk.engine.store) == ["before"]
    assert said == []
    assert await desk.engine.store.write_at_once(retitle) == "done"
    assert await titles(desk.engine.store) == ["after"]
    assert said == ["after"]


async def test_a_write_at_once_is_over_before_whoever_cancelled_it_goes_on(desk: Desk) -> None:
    await desk.new(title="before")
    told: list[str] = []

    async def retitle(transaction: Transaction) -> None:
        transaction.after_commit(lambda: told.append("told"))
        for number in range(200):
            await transaction.connection.execute(items.update().values(title=f"{number}"))

    writing = asyncio.create_task(desk.engine.store.write_at_once(retitle))
    for _ in range(20):  # into the middle of it
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    (title,) = await titles(desk.engine.store)
    assert (title, told) in (("before", []), ("199", ["told"]))
    await desk.new(title="next")
    assert (await titles(desk.engine.store))[-1] == "next"


async def test_reads_go_on_while_a_write_is_open(desk: Desk) -> None:
    await desk.new(title="before")
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(items.update().values(title="after"))
        assert await asyncio.wait_for(titles(desk.engine.store), 5) == ["before"]
    assert await titles(desk.engine.store) == ["after"]


async def test_writes_take_turns(desk: Desk) -> None:
    (item,) = await desk.new()

    async def count_up() -> None:
        async with desk.engine.store.write() as transaction:
            query = desk.engine.store.dialect.lock(select(items.c.comments).where(items.c.id == item))
            seen = (await transaction.connection.execute(query)).scalar_one()
            await asyncio.sleep(0)
            await transaction.connection.execute(items.update().values(comments=seen + 1))

    await asyncio.gather(*(count_up() for _ in range(20)))
    assert (await desk.row(item))["comments"] == 20


async def test_words_are_found_as_they_stand(desk: Desk) -> None:
    for word in ("100%", "a_b", "a\\b", "[x]", "%", "_", "\\", "'", "Ü"):
        await desk.force(await desk.new(), title=f"<{word}>")
        async with desk.engine.store.read() as connection:
            found = await connection.execute(select(items.c.title).where(contains(items.c.title, f"<{word}>")))
            assert list(found.scalars()) == [f"<{word}>"]


async def test_json_keeps_every_text(desk: Desk) -> None:
    store = desk.engine.store
    for text_ in TEXTS:
        (item,) = await desk.new(fields={"x": text_, "deep": {text_: [text_]}})
        assert (await desk.show(item)).fields == {"x": text_, "deep": {text_: [text_]}}
    assert store.dialect.name in ("sqlite", "postgresql")


def error(words: str) -> OperationalError:
    return OperationalError("SELECT 1", {}, sqlite3.OperationalError(words))


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (error("database or disk is full"), Code.STORE_FULL, "The disk under /s is full; free some space"),
        (error("disk I/O error"), Code.STORE_FULL, "does not take writes"),
        (OSError(28, "No space left on device"), Code.STORE_FULL, "is full"),
        (error("database is locked"), Code.STORE_BUSY, "is busy; try again"),
        (error("deadlock detected"), Code.STORE_BUSY, "is busy"),
        (error("database disk image is malformed"), Code.STORE_BROKEN, "cannot be used"),
        (error("file is not a database"), Code.STORE_BROKEN, "restore a copy"),
        (error("attempt to write a readonly database"), Code.STORE_BROKEN, "cannot be used"),
        (error("unable to open database file"), Code.STORE_BROKEN, "cannot be used"),
        (ConnectionRefusedError(111, "Connection refused"), Code.STORE_BROKEN, "does not answer"),
        (DBAPIError("x", {}, Exception("gone"), connection_invalidated=True), Code.STORE_BROKEN, "does not answer"),
    ],
)
def test_whatever_a_database_says_is_told_in_a_sentence(said: Exception, code: Code, words: str) -> None:
    problem = explain(said, "/s")
    assert problem is not None
    assert problem.code is code
    assert words in problem.detail
    assert "\n" not in problem.detail


def test_a_mistake_of_ours_is_not_explained_away() -> None:
    assert explain(error("no such column: itmes.id"), "/s") is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@localhost/x", "store.url must begin with postgresql://, not mysql://"),
        ("nonsense", "store.url cannot be read; it must look like postgresql://"),
        ("postgresql://localhost:notaport/x", "store.url cannot be read"),
        ("postgresql://u:secret@127.0.0.1:1/x", "does not answer"),
    ],
)
async def test_an_address_nobody_answers_at_is_refused(engine_home: Home, url: str, words: str) -> None:
    with refused(Code.STORE_BROKEN, words) as caught:
        await Store.open(StoreSettings(url=url), engine_home)
    assert "secret" not in caught.value.detail


async def test_a_database_that_does_not_exist_is_refused(engine_home: Home, postgres: Any) -> None:
    url = postgres.database()
    missing = url.replace("/test_", "/missing_")
    assert missing != url
    with refused(Code.STORE_BROKEN, "cannot be opened .database .missing_.* does not exist.*check its address"):
        await Store.open(StoreSettings(url=missing), engine_home)


async def test_a_server_that_restarts_is_found_again(engine_home: Home, postgres: Any) -> None:
    store = await Store.open(StoreSettings(url=postgres.database()), engine_home)
    try:
        await store.ping()
        async with store.read() as connection:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            await connection.execute(text(query + " AND pid != pg_backend_pid()"))
        await store.ping()

        async def cut_off() -> None:
            async with store.write() as transaction:
                await transaction.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with refused(Code.STORE_BROKEN, "does not answer"):
            await cut_off()
        await store.ping()
    finally:
        await store.close()


async def test_a_closed_store_is_one_file_of_its_owners(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mask = os.umask(0o077)
    try:
        home = Home(tmp_path / "a" / "b")
        await (await Store.open(StoreSettings(), home)).close()
    finally:
        os.umask(mask)
    assert home.path.stat().st_mode & 0o077 == 0
    assert home.store.stat().st_mode & 0o077 == 0
    assert [path.name for path in home.path.iterdir()] == ["quarterdeck.db"]
    assert not caplog.records
    with sqlite3.connect(home.store) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_a_closed_store_is_one_file_even_while_somebody_reads_it(engine_home: Home) -> None:
    store = await Store.open(StoreSettings(), engine_home)
    reader = sqlite3.connect(engine_home.store)
    try:
        reader.execute("SELECT count(*) FROM items").fetchone()
        async with store.write() as transaction:
            await transaction.connection.execute(text("CREATE TABLE kept (x)"))
        beside = engine_home.store.with_name("quarterdeck.db-wal")
        assert beside.stat().st_size > 0
        await store.close()
        assert beside.stat().st_size == 0
    finally:
        reader.close()
    copy = engine_home.path / "copy.db"
    copy.write_bytes(engine_home.store.read_bytes())
    connection = sqlite3.connect(copy)
    try:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        connection.close()
