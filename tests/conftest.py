"""Fixtures for every test. Nothing here touches the homes, sockets or keyring of whoever runs the tests."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

TOP = Path(__file__).resolve().parent.parent
if str(TOP) not in sys.path:
    sys.path.insert(0, str(TOP))

from tests.support import processes  # noqa: E402

if TYPE_CHECKING:
    from quarterdeck.client.client import Client
    from quarterdeck.config.home import Home
    from quarterdeck.engine.store.store import Store
    from tests.support.postgres import PostgresServer

pytest_plugins = ["tests.support.timeout"]

# Sockets need short paths, whatever the test is called.
_RUN_FOLDER = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
os.environ.update(
    XDG_RUNTIME_DIR=str(_RUN_FOLDER),
    XDG_DATA_HOME=str(_RUN_FOLDER / "data"),
    XDG_CACHE_HOME=str(_RUN_FOLDER / "cache"),
    XDG_CONFIG_HOME=str(_RUN_FOLDER / "config"),
    QUARTERDECK_HOME=str(_RUN_FOLDER / "home"),
    PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    TZ="UTC",  # screens show the time of where they run
)
time.tzset()
# Whoever starts the tests in the background may have had these ignored, and every process inherits that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
processes.mark()

# The same examples in every run, so that a run that fails fails again. To look for new ones:
# HYPOTHESIS_PROFILE=search python3 dev.py test …
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: at the end it would be waited for."""
    long = (TOP / "tests" / "journeys", TOP / "tests" / "engine" / "test_schema.py")
    items.sort(key=lambda item: not any(item.path.is_relative_to(each) for each in long))


def pytest_unconfigure() -> None:
    shutil.rmtree(_RUN_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """The run fails if an engine, a console or a server outlives it; and none does, afterwards."""
    yield
    left = processes.left_behind()
    if left:
        names = [f"{process.pid} {' '.join(process.cmdline())[:120]}" for process in left]
        processes.end(left)
        raise AssertionError("left behind: " + "; ".join(names))


@pytest.fixture(scope="session")
def postgres(nothing_left_behind: None) -> Iterator[PostgresServer]:
    """One server for the run, started when the first test asks it for a database."""
    from tests.support.postgres import PostgresServer

    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def engine_home(tmp_path: Path) -> Iterator[Home]:
    """The home of an instance of its own; whatever engine runs there is ended afterwards."""
    from quarterdeck.config.home import Home

    home = Home(tmp_path / "home")
    home.create()
    yield home
    from tests.support.engines import end_engine

    end_engine(home)


@pytest.fixture
async def running_engine(engine_home: Home) -> AsyncIterator[Client]:
    """A client of a real engine process on a home of its own."""
    from quarterdeck.client.local import connect

    client = await connect(engine_home)
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """Every test that uses a store runs on both."""
    return str(request.param)


@pytest.fixture
async def store(store_kind: str, engine_home: Home, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty, migrated store."""
    from quarterdeck.config.settings import StoreSettings
    from quarterdeck.engine.store.store import Store

    if store_kind == "sqlite":
        engine_home.create()
        shutil.copyfile(await _made_once(), engine_home.store)
        opened = await Store.open(StoreSettings(), engine_home)
        try:
            yield opened
        finally:
            await opened.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.used.pop() if server.used else server.database()
    opened = await Store.open(StoreSettings(url=url), engine_home)
    try:
        yield opened
        await empty(opened)
        server.used.append(url)
    finally:
        await opened.close()


async def _made_once() -> Path:
    """An empty, migrated SQLite store, to be copied: a tenth of the time a new one takes."""
    from quarterdeck.config.home import Home
    from quarterdeck.config.settings import StoreSettings
    from quarterdeck.engine.store.store import Store

    made = Home(_RUN_FOLDER / "made-once")
    if not made.store.exists():
        await (await Store.open(StoreSettings(), made)).close()
    return made.store


async def empty(store: Store) -> None:
    """A PostgreSQL store as good as new; only what was used is emptied, which is most of the time saved."""
    from sqlalchemy import text

    from quarterdeck.engine.store.metadata import metadata

    names = [table.name for table in metadata.sorted_tables]
    rows = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
    counted = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
    async with store.write() as transaction:
        used = set((await transaction.connection.execute(text(rows))).scalars())
        sequences = list((await transaction.connection.execute(text(counted))).scalars())
        used |= {name for name in names if f"{name}_id_seq" in sequences}
        if used:
            await transaction.connection.execute(text(f"TRUNCATE {', '.join(sorted(used))} RESTART IDENTITY"))
