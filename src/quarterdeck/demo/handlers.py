"""The python handlers of the demo: reports that are made in a process of the engine."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any, Protocol


class Job(Protocol):
    """What the engine hands to a handler."""

    kind: str
    payload: Any
    attempt: int

    def log(self, text: object, level: str = "info") -> None: ...
    def progress(self, share: float) -> None: ...


class NotMade(Exception):
    """As the engine reads it: class, code, and whether to try again."""

    def __init__(self, message: str, code: str, error_class: str) -> None:
        super().__init__(message)
        self.code = code
        self.error_class = error_class


_TOTALS = {"1": {"net": 48_210.5}, "2": {"net": 51_007.25}}


async def report(job: Job) -> dict[str, Any]:
    """Some seconds of reading, adding up and drawing; one in ten or so does not come to its end."""
    shop, month = job.payload["shop"], job.payload["month"]
    fate = random.random()
    job.log(f"{job.kind} of {shop} for {month}, attempt {job.attempt}")
    pages = random.randint(4, 12)
    for page in range(1, pages + 1):
        await asyncio.sleep(random.uniform(0.05, 0.5))
        job.progress(page / pages)
        job.log(f"page {page} of {pages}: {random.randint(200, 9_000)} rows")
        if page == 2:
            await _go_wrong(job, shop, month, fate)
    return {"file": f"{shop}-{job.kind.removeprefix('report.')}-{month}.pdf", "pages": pages}


async def _go_wrong(job: Job, shop: str, month: str, fate: float) -> None:
    if fate < 0.03:
        job.log("waiting for the ledger", "warning")
        await asyncio.sleep(3_600)  # the queue's time-out ends it
    if fate < 0.06:
        _add_up(month)
    if fate < 0.10:
        raise NotMade(f"The ledger of {shop} is closed for {month}.", "ledger_closed", "validation")
    if fate < 0.105:
        print("out of memory while drawing a chart")  # what a handler prints is in the run's log
        os._exit(137)


def _add_up(month: str) -> float:
    quarter = str((int(month[-2:]) - 1) // 3 + 1)
    return _TOTALS[quarter]["gross"]
