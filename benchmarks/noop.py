"""Handlers that do nothing, for `benchmarks.runs`."""

from __future__ import annotations

import time
from typing import Any


async def noop(job: Any) -> None: ...


async def stamp(job: Any) -> float:
    """When it ran, Unix time."""
    return time.time()
