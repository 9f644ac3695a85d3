"""Brings a store to the current schema; copies it aside first."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from quarterdeck.config.home import Home
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.store.metadata import metadata
from quarterdeck.engine.store.store import Store

log = logging.getLogger(__name__)

# The newest revision in migrations/versions; a test holds the two together. Knowing it here spares the
# import of Alembic, half a second, at every start.
HEAD = "0001"
FOLDER = Path(__file__).parent / "migrations"


async def bring_up_to_date(store: Store, home: Home, copies_kept: int) -> None:
    """Create, migrate or refuse. Raises Problem(STORE_BROKEN)."""
    async with store.write() as transaction:
        found = await transaction.connection.run_sync(_revision)
        if found == HEAD:
            return
        if found is None:
            await transaction.connection.run_sync(_create)
            return
    if found not in _known():
        raise Problem(
            Code.STORE_BROKEN,
            f"The store {store.address} was written by a newer version (revision {found}); update Quarterdeck.",
        )
    if store.dialect.name == "sqlite":
        copy = await asyncio.to_thread(_copy_aside, home, found, copies_kept)
        log.info("store copied to %s before migrating from %s to %s", copy, found, HEAD)
    async with store.write() as transaction:
        await transaction.connection.run_sync(upgrade)


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if tables:
        raise Problem(
            Code.STORE_BROKEN, "The database holds tables that are not Quarterdeck's; give it a database of its own."
        )
    return None


def _create(connection: Connection) -> None:
    """A new store needs no history; a test proves that the migrations lead to the same schema."""
    import quarterdeck.engine.tables

    assert quarterdeck.engine.tables
    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _known() -> set[str]:
    return {path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py")}


def upgrade(connection: Connection, target: str = "head") -> None:
    """Run Alembic on an open connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _copy_aside(home: Home, revision: str, kept: int) -> Path:
    home.copies.mkdir(mode=0o700, exist_ok=True)
    target = home.copies / f"{time.strftime('%Y%m%d-%H%M%S')}-{revision}.db"
    with sqlite3.connect(home.store) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    for old in sorted(home.copies.glob("*.db"))[:-kept]:
        old.unlink()
    return target
