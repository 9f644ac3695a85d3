"""When a notification that was not taken is tried again.

The waits are those of Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import random

# Seconds before each attempt, counted from the one before it.
WAITS = (0, 5, 5 * 60, 30 * 60, 2 * 3_600, 5 * 3_600, 10 * 3_600, 14 * 3_600, 20 * 3_600, 24 * 3_600)
# So that what failed together does not come back together.
JITTER = 0.1


def wait(refused: int, asked: float | None = None) -> float:
    """Seconds until the next attempt, after so many that were refused; never less than the other side `asked`."""
    planned = WAITS[min(refused + 1, len(WAITS) - 1)] * random.uniform(1 - JITTER, 1 + JITTER)
    return planned if asked is None else max(planned, asked)
