"""The store: reads in parallel, writes one at a time on SQLite; every failure becomes a `Problem`."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.store.dialect import Dialect, PostgresDialect, SqliteDialect

log = logging.getLogger(__name__)

T = TypeVar("T")
_READERS = 4
_RESTED_SECONDS = 1.0
_PRAGMAS = (
    "PRAGMA synchronous=NORMAL",
    "PRAGMA busy_timeout=5000",
    # A checkpoint writes each page once however often it changed; bulk work changes the same ones again and
    # again, so checkpoints come every 64 MiB of log, not every 4.
    "PRAGMA wal_autocheckpoint=16000",
    "PRAGMA journal_size_limit=67108864",
)


class Transaction:
    """One write. `now` is the same for everything in it; callbacks run after the commit, in order."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.now = now_ms()
        self._callbacks: list[Callable[[], None]] = []

    def after_commit(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def committed(self) -> None:
        for callback in self._callbacks:
            callback()


class Store:
    """Connections to one database. Open it with `Store.open`."""

    def __init__(self, readers: AsyncEngine, writer: AsyncEngine, dialect: Dialect, address: str) -> None:
        self._readers = readers
        self._writer = writer
        # SQLite: one writer, and waiting here is fair and free, where waiting in SQLite polls.
        self._turn = asyncio.Lock() if dialect.name == "sqlite" else None
        self.dialect = dialect
        self.address = address
        self.write_wait_seconds = 0.0
        self._ours = False  # a SQLite file that was migrated, with a log beside it

    @classmethod
    async def open(cls, settings: StoreSettings, home: Home) -> Store:
        """Connect and migrate. Raises Problem(STORE_BROKEN) with a sentence naming the store."""
        from quarterdeck.engine.store import migrate

        if settings.url:
            store = _postgres(settings)
        else:
            home.create()
            # SQLite would open it, and refuse each write later.
            if home.store.exists() and not os.access(home.store, os.W_OK):
                raise Problem(
                    Code.STORE_BROKEN, f"The store {home.store} is read-only; make it writable or choose another home."
                )
            store = _sqlite(home)
        try:
            await migrate.bring_up_to_date(store, home, settings.copies_kept)
            await store._keep_a_log()
        except BaseException as error:
            await store.close()
            if isinstance(error, Problem) or not isinstance(error, Exception):
                raise
            raise Problem(
                Code.STORE_BROKEN,
                f"The store {store.address} cannot be opened ({in_one_line(error)}); check its address and its file.",
            ) from error
        return store

    async def _keep_a_log(self) -> None:
        """SQLite: write ahead, so that readers go on. It stays in the file, so it waits until the file is ours."""
        if self.dialect.name == "sqlite":
            with _as_problem(self.address):
                async with self._writer.connect() as connection:
                    raw = await connection.get_raw_connection()
                    driver: Any = raw.driver_connection
                    await driver.execute_fetchall("PRAGMA journal_mode=WAL")
                    # The next statement reads the schema again, and a checkpoint cannot do that.
                    await driver.execute_fetchall("SELECT 1 FROM alembic_version")
            self._ours = True

    @property
    def engine(self) -> AsyncEngine:
        """For migrations and tests."""
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the store."""
        with _as_problem(self.address):
            async with self._readers.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A transaction: all of it or nothing. Commits on leaving without an exception."""
        async with self._my_turn(), self._write() as transaction:
            yield transaction

    async def write_at_once(self, work: Callable[[Transaction], Coroutine[Any, Any, T]]) -> T:
        """As `write`, for work that waits for nothing but its statements, and for little.

        On SQLite all of it is one trip to the connection's thread; otherwise each statement is one, which costs
        more than the statement.
        """
        if self._turn is None:
            async with self._write() as transaction:
                return await work(transaction)
        committed: list[Transaction] = []
        try:
            async with self._my_turn():
                with _as_problem(self.address):
                    async with self._writer.connect() as connection:

                        async def whole() -> T:
                            transaction = Transaction(connection)
                            async with connection.begin():
                                found = await work(transaction)
                            committed.append(transaction)
                            return found

                        raw = await connection.get_raw_connection()
                        driver: Any = raw.driver_connection
                        return await driver.in_one_trip(whole())  # type: ignore[no-any-return]
        finally:
            for transaction in committed:  # also where whoever waited was cancelled meanwhile
                transaction.committed()

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        asked = asyncio.get_running_loop().time()
        async with self._turn:
            self.write_wait_seconds += asyncio.get_running_loop().time() - asked
            yield

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[Transaction]:
        with _as_problem(self.address):
            async with self._writer.begin() as connection:
                transaction = Transaction(connection)
                yield transaction
        transaction.committed()

    async def ping(self) -> None:
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """SQLite: the log goes into the file, so that the file alone is the whole store, even while somebody
        else has it open."""
        await self._readers.dispose()
        if self._ours:
            self._ours = False
            try:
                async with self._writer.connect() as connection:
                    raw = await connection.get_raw_connection()
                    driver: Any = raw.driver_connection
                    ((busy, *_),) = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                if busy:
                    log.warning("Somebody is reading %s; its -wal file still belongs to it.", self.address)
            except (SQLAlchemyError, sqlite3.Error) as error:
                log.warning("The log of %s stays beside it: %s.", self.address, in_one_line(error))
        if self._writer is not self._readers:
            await self._writer.dispose()


def _sqlite(home: Home) -> Store:
    from quarterdeck.engine.store.driver import connect

    address = f"sqlite+aiosqlite:///{home.store}"

    def engine(size: int, begin: str, cache_kib: int) -> AsyncEngine:
        made = create_async_engine(
            address,
            async_creator=partial(connect, home.store),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=30,
            pool_reset_on_return=None,  # see _reset
        )

        @event.listens_for(made.sync_engine, "connect")
        def _connected(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # BEGIN is said below, never guessed by the driver
            cursor = connection.cursor()
            for pragma in (*_PRAGMAS, f"PRAGMA cache_size=-{cache_kib}"):
                cursor.execute(pragma)
            cursor.close()

        @event.listens_for(made.sync_engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        @event.listens_for(made.sync_engine, "reset")
        def _reset(connection: Any, _record: Any, state: Any) -> None:
            # Nearly always the transaction is over, and saying so again would be a trip to the thread.
            if state.asyncio_safe and not state.terminate_only and connection.driver_connection.in_transaction:
                connection.rollback()

        return made

    return Store(
        engine(_READERS, "BEGIN", 8_000), engine(1, "BEGIN IMMEDIATE", 32_000), SqliteDialect(), str(home.store)
    )


def _postgres(settings: StoreSettings) -> Store:
    try:
        url = make_url(settings.url)
    except (SQLAlchemyError, ValueError) as error:
        raise Problem(
            Code.STORE_BROKEN, "store.url cannot be read; it must look like postgresql://user@host/database."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise Problem(Code.STORE_BROKEN, f"store.url must begin with postgresql://, not {url.drivername}://.")
    url = url.set(drivername="postgresql+asyncpg")
    password = os.environ.get(settings.password_env) if settings.password_env else _keyring_password(url.host)
    if password and not url.password:
        url = url.set(password=password)
    try:
        engine = create_async_engine(url, pool_size=10, max_overflow=10)
    except ModuleNotFoundError as error:
        raise Problem(
            Code.STORE_BROKEN, "PostgreSQL needs one more package: pip install 'quarterdeck[postgres]'."
        ) from error
    _ping_after_a_rest(engine)
    return Store(engine, engine, PostgresDialect(), url.render_as_string(hide_password=True))


def _ping_after_a_rest(engine: AsyncEngine) -> None:
    """A connection that has rested is asked whether it lives. Asking is three trips to the server, which is as much as
    a small transaction, so who was just used is not asked."""

    @event.listens_for(engine.sync_engine, "checkin")
    def _back(_connection: Any, record: Any) -> None:
        record.info["back_at"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def _out(connection: Any, record: Any, _fairy: Any) -> None:
        back_at = record.info.get("back_at")
        if back_at is None:
            return
        has_rested = time.monotonic() - back_at > _RESTED_SECONDS
        dialect: Any = engine.sync_engine.dialect
        if connection.driver_connection.is_closed() or (has_rested and not dialect._do_ping_w_event(connection)):
            raise InvalidatePoolError


def _keyring_password(host: str | None) -> str | None:
    try:
        import keyring

        return keyring.get_password("quarterdeck", f"postgresql:{host}")
    except Exception:  # noqa: BLE001 - a missing keyring is normal on a server; the login then fails with a sentence
        return None


class _as_problem:
    """Turns what the database says into a `Problem`; anything else passes."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SQLAlchemyError | OSError) and not isinstance(error, Problem):
            problem = explain(error, self.address)
            if problem is not None:
                raise problem from error


def in_one_line(error: BaseException) -> str:
    """What a database or a driver said, short enough for a sentence."""
    said = str(getattr(error, "orig", None) or error) or type(error).__name__
    return said.splitlines()[0].strip().rstrip(".")[:300]


def explain(error: BaseException, address: str) -> Problem | None:
    """What a database error means for a person; None where it is a mistake of ours."""
    said = str(getattr(error, "orig", None) or error)
    if "disk is full" in said or "No space left" in said or "DiskFull" in said:
        return Problem(Code.STORE_FULL, f"The disk under {address} is full; free some space, then try again.")
    if "disk I/O error" in said:
        return Problem(Code.STORE_FULL, f"The disk under {address} does not take writes ({said}); check its space.")
    if "database is locked" in said or "deadlock" in said or "too many clients" in said:
        return Problem(Code.STORE_BUSY, f"The store {address} is busy; try again.", retry_after=1)
    if isinstance(error, IntegrityError):
        return Problem(Code.STORE_BUSY, "Somebody else wrote the same at the same moment; try again.", retry_after=1)
    if "malformed" in said or "not a database" in said or "unable to open" in said or "readonly" in said:
        return Problem(
            Code.STORE_BROKEN, f"The store {address} cannot be used ({said}); restore a copy or choose another home."
        )
    if isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Problem(Code.STORE_BROKEN, f"The store {address} does not answer ({said}); start it, then try again.")
    return None
