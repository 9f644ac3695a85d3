"""From nothing to the newest schema, from an older one, and away from what is not ours."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.models.dead_letters import DeadLetterListQuery
from quarterdeck.contract.problems import Code
from quarterdeck.engine.dead_letters.queries import list_dead_letters
from quarterdeck.engine.store import migrate
from quarterdeck.engine.store.metadata import metadata
from quarterdeck.engine.store.store import Store
from tests.support.desk import ROOT, Desk, make_engine, refused

NEXT = '''"""A column more."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("items", sa.Column("colour", sa.Text(), nullable=True))
    op.execute("UPDATE items SET colour = 'red'")
    {more}


def downgrade() -> None:
    op.drop_column("items", "colour")
'''


@pytest.fixture
def url(store_kind: str, request: pytest.FixtureRequest) -> str:
    """An empty database, or none: SQLite makes its own."""
    return request.getfixturevalue("postgres").database() if store_kind == "postgresql" else ""


async def opened(home: Home, url: str, **settings: Any) -> Store:
    return await Store.open(StoreSettings(url=url, **settings), home)


def schema(connection: Connection) -> list[tuple[str, ...]]:
    """Everything the database itself says of the schema."""
    if connection.dialect.name == "sqlite":
        query = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE tbl_name != 'alembic_version'"
        found = [tuple(row) for row in connection.execute(text(query))]
        # Written by two hands: only the words count, not how they are laid out or quoted.
        said = [re.sub("[(),]", r" \g<0> ", row[3].replace('"', "")) for row in found]
        return sorted((*row[:3], " ".join(words.split())) for row, words in zip(found, said, strict=True))
    columns = (
        "SELECT 'column', table_name, column_name, data_type, is_nullable, coalesce(column_default, '')"
        " FROM information_schema.columns WHERE table_schema = 'public' AND table_name != 'alembic_version'"
    )
    indexes = "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    keys = (
        "SELECT 'key', conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
    )
    found = [tuple(row) for query in (columns, indexes, keys) for row in connection.execute(text(query))]
    return sorted(row for row in found if "alembic" not in row[1])


async def test_the_migrations_lead_to_the_schema_that_a_new_store_gets(
    store: Store, engine_home: Home, store_kind: str, url: str, tmp_path: Path
) -> None:
    async with store.write() as transaction:
        made_at_once = await transaction.connection.run_sync(schema)
        difference = await transaction.connection.run_sync(
            lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)
        )
    assert not difference
    home = Home(tmp_path / "migrated")
    other = await opened(home, url)
    try:
        async with other.write() as transaction:
            await transaction.connection.run_sync(metadata.drop_all)
            await transaction.connection.execute(text("DROP TABLE alembic_version"))
            await transaction.connection.run_sync(migrate.upgrade)
            assert await transaction.connection.run_sync(schema) == made_at_once
            assert await transaction.connection.run_sync(migrate._revision) == migrate.HEAD
    finally:
        await other.close()


async def test_dead_letters_of_an_older_store_are_listed(engine_home: Home, url: str, store_kind: str) -> None:
    store = await opened(engine_home, url)
    async with store.write() as transaction:
        await transaction.connection.run_sync(metadata.drop_all)
        await transaction.connection.execute(text("DROP TABLE alembic_version"))
        await transaction.connection.run_sync(lambda connection: migrate.upgrade(connection, "0002"))
        for number in (1, 2):
            await transaction.connection.execute(
                text(
                    "INSERT INTO dead_letters (tenant_id, queue, event_type, status, error_class, error_code,"
                    " error_message, group_id, source_id, created_at, updated_at, expires_at, payload, metadata) VALUES"
                    " ('acme', 'sync', 'order.created', 'pending', 'network', 'HTTP_503', 'away', 'g', :source,"
                    " 1790000000000, 1790000000000, 1999000000000, '{}', '{}')"
                ),
                {"source": f"m-{number}"},
            )
        await transaction.connection.execute(text("DELETE FROM dead_letters WHERE source_id = 'm-2'"))
    await store.close()
    store = await opened(engine_home, url)
    try:
        page = await list_dead_letters(make_engine(store, engine_home), ROOT, DeadLetterListQuery())
        assert [(one.id, one.source_id, one.died_at == one.created_at) for one in page.items] == [(1, "m-1", True)]
        async with store.write() as transaction:
            new = text(
                "INSERT INTO dead_letters (tenant_id, queue, event_type, status, error_class, error_code,"
                " error_message, group_id, created_at, died_at, updated_at, expires_at, metadata) VALUES"
                " ('acme', 'sync', 'order.created', 'pending', 'network', 'HTTP_503', 'away', 'g',"
                " 1790000000000, 1780000000000, 1790000000000, 1999000000000, '{}') RETURNING id"
            )
            assert (await transaction.connection.execute(new)).scalar() == 3  # 2 was given before
    finally:
        await store.close()


def test_the_engine_knows_the_newest_revision_without_asking_alembic() -> None:
    scripts = ScriptDirectory(str(migrate.FOLDER))
    assert scripts.get_heads() == [migrate.HEAD]
    assert migrate._known() == {script.revision for script in scripts.walk_revisions()}


async def test_opened_again_nothing_happens(engine_home: Home, url: str) -> None:
    for _ in range(2):
        await (await opened(engine_home, url)).close()
    assert not engine_home.copies.exists()


def add_revision(monkeypatch: pytest.MonkeyPatch, folder: Path, more: str = "") -> None:
    """This version of the program knows one revision more than the store."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text((migrate.FOLDER / "env.py").read_text())
    for script in (migrate.FOLDER / "versions").glob("[0-9]*.py"):
        (versions / script.name).write_text(script.read_text())
    (versions / "9999_colour.py").write_text(NEXT.format(head=migrate.HEAD, more=more))
    monkeypatch.setattr(migrate, "FOLDER", folder / "migrations")
    monkeypatch.setattr(migrate, "HEAD", "9999")


async def test_an_older_store_is_copied_aside_and_migrated(
    engine_home: Home, url: str, store_kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = migrate.HEAD
    store = await opened(engine_home, url)
    (item,) = await Desk(make_engine(store, engine_home)).new(title="kept")
    await store.close()
    add_revision(monkeypatch, tmp_path)
    store = await opened(engine_home, url)
    try:
        async with store.read() as connection:
            row = (await connection.execute(text("SELECT id, title, colour FROM items"))).one()
            assert await connection.run_sync(migrate._revision) == "9999"
        assert tuple(row) == (item, "kept", "red")
    finally:
        await store.close()
    if store_kind == "postgresql":
        assert not engine_home.copies.exists()
        return
    (copy,) = engine_home.copies.iterdir()
    assert copy.name.endswith(f"-{before}.db")
    assert stat.S_IMODE(engine_home.copies.stat().st_mode) & 0o077 == 0
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT id, title FROM items").fetchall() == [(item, "kept")]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (before,)
    connection.close()


async def test_a_migration_that_fails_leaves_everything_as_it_was(
    engine_home: Home, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = await opened(engine_home, url)
    await Desk(make_engine(store, engine_home)).new(title="kept")
    async with store.write() as transaction:
        before = await transaction.connection.run_sync(schema)
    await store.close()
    head = migrate.HEAD
    add_revision(monkeypatch, tmp_path, more='op.execute("UPDATE nowhere SET nothing = 1")')
    with refused(Code.STORE_BROKEN, f"could not be brought from revision {head} to 9999"):
        await opened(engine_home, url)
    monkeypatch.undo()
    store = await opened(engine_home, url)
    try:
        async with store.write() as transaction:
            assert await transaction.connection.run_sync(schema) == before
            assert await transaction.connection.run_sync(migrate._revision) == head
            assert (await transaction.connection.execute(text("SELECT title FROM items"))).scalar() == "kept"
    finally:
        await store.close()


async def test_only_so_many_copies_are_kept(engine_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await opened(engine_home, "")).close()
    for number in range(5):
        monkeypatch.setattr(migrate.time, "strftime", lambda _, number=number: f"2026010{number}-000000")
        await asyncio.to_thread(migrate._copy_aside, engine_home, "0000", 3)
    assert [path.name[:8] for path in sorted(engine_home.copies.iterdir())] == ["20260102", "20260103", "20260104"]


async def test_a_copy_that_cannot_be_made_is_not_half_made(
    engine_home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await (await opened(engine_home, "")).close()
    add_revision(monkeypatch, tmp_path)
    engine_home.copies.write_text("in the way")
    with refused(Code.STORE_BROKEN, "could not be copied aside"):
        await opened(engine_home, "")
    engine_home.copies.unlink()

    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(migrate, "_backup", full)
    with refused(Code.STORE_FULL, "could not be copied aside"):
        await opened(engine_home, "")
    assert list(engine_home.copies.iterdir()) == []


async def test_a_newer_store_is_refused_in_a_sentence(engine_home: Home, url: str) -> None:
    store = await opened(engine_home, url)
    async with store.write() as transaction:
        await transaction.connection.execute(text("UPDATE alembic_version SET version_num = 'abcd'"))
    address = store.address
    await store.close()
    with refused(Code.STORE_BROKEN, "was written by a newer version .revision abcd.; update Quarterdeck") as caught:
        await opened(engine_home, url)
    assert address in caught.value.detail
    assert not engine_home.copies.exists()


@pytest.mark.parametrize("table", ["photos", "items", "alembic_version"])
async def test_a_foreign_database_is_refused_and_left_alone(
    engine_home: Home, url: str, store_kind: str, table: str
) -> None:
    if store_kind == "sqlite":
        with sqlite3.connect(engine_home.store) as connection:
            connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
        connection.close()
        before = engine_home.store.read_bytes()
    else:
        import asyncpg

        foreign = await asyncpg.connect(url)
        await foreign.execute(f"CREATE TABLE {table} (version_num TEXT)")
        await foreign.close()
    with refused(Code.STORE_BROKEN, "tables that are not Quarterdeck's; give it a database of its own"):
        await opened(engine_home, url)
    if store_kind == "sqlite":
        assert engine_home.store.read_bytes() == before
        assert sorted(path.name for path in engine_home.path.iterdir()) == ["quarterdeck.db"]
