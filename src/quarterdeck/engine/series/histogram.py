"""Histograms of durations: buckets that grow by a quarter, so that a percentile is right to within a quarter."""

from __future__ import annotations

import math
from collections.abc import Mapping

GROWTH = 1.25
# Milliseconds. The first bucket holds everything up to here, which nobody waits for.
FLOOR = 0.1
LAST = 110  # holds 52 days and all that is longer

_LOG = math.log(GROWTH)


def bucket_of(milliseconds: float) -> int:
    if milliseconds <= FLOOR:
        return 0
    return min(LAST, math.ceil(math.log(milliseconds / FLOOR) / _LOG))


def bounds(bucket: int) -> tuple[float, float]:
    """Milliseconds: above the first, up to the second."""
    return (FLOOR * GROWTH ** (bucket - 1) if bucket else 0.0), FLOOR * GROWTH**bucket


def percentile(numbers: Mapping[int, int], percent: float) -> float | None:
    """Milliseconds under which `percent` of all durations are; None where there is none.

    `numbers` says how many are in which bucket. Inside a bucket they count as evenly spread.
    """
    total = sum(numbers.values())
    if total <= 0:
        return None
    rank = max(1, math.ceil(total * percent / 100))
    before = 0
    for bucket, number in sorted(numbers.items()):
        if before + number >= rank:
            low, high = bounds(bucket)
            return low + (high - low) * (rank - before - 0.5) / number
        before += number
    raise AssertionError("ranks end with the total")
