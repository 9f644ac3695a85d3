"""Counts requests. Plain dictionaries: the Prometheus library is loaded by the first who asks."""

from __future__ import annotations

from bisect import bisect_left

# Upper bounds in seconds: a page of rows takes a few milliseconds, a preview of a million items seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """`counts[i]` are the observations in the i-th bucket alone; the last one has no upper bound."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


class Meter:
    """Requests by operation and status, and how long they took."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.seconds: dict[str, Histogram] = {}
        # Rows counted in the store and when (ms), kept by `exposition`.
        self.counts: tuple[int, dict[str, dict[str, int]]] | None = None

    def request(self, operation: str, status: int, seconds: float) -> None:
        key = (operation, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        histogram = self.seconds.get(operation)
        if histogram is None:
            histogram = self.seconds[operation] = Histogram()
        histogram.observe(seconds)
