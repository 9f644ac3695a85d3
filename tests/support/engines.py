"""Engine processes of tests."""

from __future__ import annotations

import psutil

from quarterdeck.config.home import Home
from tests.support import processes


def engine_process(home: Home) -> psutil.Process | None:
    """The engine that holds the home's lock, if one runs."""
    from quarterdeck.client.finding import engine_running

    pid = engine_running(home)
    if pid is None:
        return None
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def end_engine(home: Home) -> None:
    """Stop the engine of a home, by force if need be; nothing happens where none runs."""
    if not home.lock.exists():
        return
    process = engine_process(home)
    if process is not None:
        processes.end([process], patience=15)


def kill_engine(home: Home) -> None:
    """What a power cut does to the engine."""
    process = engine_process(home)
    assert process is not None, "no engine runs"
    process.kill()
    process.wait(10)
