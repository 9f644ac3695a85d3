"""Brings a store to the current schema; copies it aside first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from quarterdeck.config.home import Home
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.store.metadata import metadata
from quarterdeck.engine.store.store import Store, explain, in_one_line

log = logging.getLogger(__name__)

# The newest revision in migrations/versions; a test holds the two together. Knowing it here spares the
# import of Alembic, half a second, at every start.
HEAD = "0008"
FOLDER = Path(__file__).parent / "migrations"


async def bring_up_to_date(store: Store, home: Home, copies_kept: int) -> None:
    """Create, migrate or refuse. Raises Problem(STORE_BROKEN)."""
    async with store.write() as transaction:
        found = await transaction.connection.run_sync(_revision)
        if found is None:
            await transaction.connection.run_sync(_create)
    if found in (None, HEAD):
        return
    if found not in _known():
        raise Problem(
            Code.STORE_BROKEN,
            f"The store {store.address} was written by a newer version (revision {found}); update Quarterdeck.",
        )
    if store.dialect.name == "sqlite":
        copy = await asyncio.to_thread(_copy_aside, home, found, copies_kept)
        log.info("store copied to %s before migrating from %s to %s", copy, found, HEAD)
    try:
        async with store.write() as transaction:
            await transaction.connection.run_sync(upgrade)
    except Problem:
        raise
    except Exception as error:
        log.exception("migration from %s to %s failed", found, HEAD)
        raise Problem(
            Code.STORE_BROKEN,
            f"The store {store.address} could not be brought from revision {found} to {HEAD} ({in_one_line(error)}); "
            "it is as it was, use the version before.",
        ) from error


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    found = None
    if "alembic_version" in tables and "audit_head" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is None:
        raise Problem(
            Code.STORE_BROKEN, "The database holds tables that are not Quarterdeck's; give it a database of its own."
        )
    return str(found)


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
    """Raises Problem; there is a whole copy or none."""
    target = home.copies / f"{time.strftime('%Y%m%d-%H%M%S')}-{revision}.db"
    part = target.with_suffix(".part")
    try:
        home.copies.mkdir(mode=0o700, exist_ok=True)
        part.unlink(missing_ok=True)
        _backup(home.store, part)
        part.rename(target)
        for old in sorted(home.copies.glob("*.db"))[:-kept]:
            old.unlink()
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        known = explain(error, str(home.store))
        code = known.code if known is not None and isinstance(error, sqlite3.Error) else Code.STORE_BROKEN
        raise Problem(
            code,
            f"The store {home.store} could not be copied aside to {home.copies} before its migration ({error}); "
            "make room for it there, then start again.",
        ) from error
    return target


def _backup(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
