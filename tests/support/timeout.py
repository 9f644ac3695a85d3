"""No test hangs for ever: after its time it fails with a traceback of where it stood."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from types import FrameType

import pytest

DEFAULT_SECONDS = 120.0


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "timeout(seconds): how long this test may take; 120 when not given")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    marker = item.get_closest_marker("timeout")
    seconds = float(marker.args[0]) if marker else DEFAULT_SECONDS
    if threading.current_thread() is not threading.main_thread():
        return (yield)

    def too_long(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"took longer than {seconds:g} s")

    earlier = signal.signal(signal.SIGALRM, too_long)
    # Again every ten seconds: code that swallows the first one does not hang the run.
    signal.setitimer(signal.ITIMER_REAL, seconds, 10)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
