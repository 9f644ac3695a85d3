"""A handler that does nothing, for `benchmarks.runs`."""

from __future__ import annotations

from typing import Any


async def noop(job: Any) -> None: ...
