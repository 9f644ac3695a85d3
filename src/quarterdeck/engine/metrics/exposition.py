"""The engine's numbers in the Prometheus text format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import BulkStatus
from quarterdeck.engine.bulk.tables import bulk_operations
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.metrics.meter import BUCKETS
from quarterdeck.engine.runs.tables import runs

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

# Counting a million items reads an index from end to end; nobody needs that at every scrape.
COUNTS_LIVE = 30 * SECOND

Counts = dict[str, int]


async def text(engine: Engine) -> str:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(engine, await _counts(engine)))
    return generate_latest(registry).decode()


async def _counts(engine: Engine) -> dict[str, Counts]:
    """Rows by kind, at most COUNTS_LIVE old."""
    kept = engine.meter.counts
    if kept is not None and kept[0] > now_ms() - COUNTS_LIVE:
        return kept[1]
    unfinished = bulk_operations.c.status.in_([str(s) for s in BulkStatus if not s.is_final and s != "draft"])
    async with engine.store.read() as connection:
        found: dict[str, Counts] = {}
        for name, column, condition in (
            ("items", items.c.resource, items.c.deleted_at.is_(None)),
            ("runs", runs.c.status, runs.c.id > 0),
            ("bulk", bulk_operations.c.status, unfinished),
        ):
            rows = await connection.execute(select(column, func.count()).where(condition).group_by(column))
            found[name] = {str(key): count for key, count in rows}
    engine.meter.counts = (now_ms(), found)
    return found


class _Collector:
    """What `prometheus_client` asks for its families."""

    def __init__(self, engine: Engine, counts: dict[str, Counts]) -> None:
        self._engine = engine
        self._counts = counts

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        engine, meter = self._engine, self._engine.meter
        requests = CounterMetricFamily("quarterdeck_requests", "Requests answered.", labels=("operation", "status"))
        for (operation, status), count in sorted(meter.requests.items()):
            requests.add_metric((operation, str(status)), count)
        yield requests

        seconds = HistogramMetricFamily(
            "quarterdeck_request_seconds", "Seconds until an answer was ready.", labels=("operation",)
        )
        bounds = [*map(str, BUCKETS), "+Inf"]
        for operation, histogram in sorted(meter.seconds.items()):
            cumulated = list(zip(bounds, accumulate(histogram.counts), strict=True))
            seconds.add_metric((operation,), cumulated, histogram.total)
        yield seconds

        for name, label, sentence in (
            ("items", "resource", "Items that are not in the bin."),
            ("runs", "status", "Runs by status."),
            ("bulk", "status", "Bulk operations that wait or run."),
        ):
            family = GaugeMetricFamily(f"quarterdeck_{name}", sentence, labels=(label,))
            for key, count in sorted(self._counts[name].items()):
                family.add_metric((key,), count)
            yield family

        yield CounterMetricFamily(
            "quarterdeck_store_write_wait_seconds",
            "Seconds that writes have waited for their turn.",
            value=engine.store.write_wait_seconds,
        )
        yield GaugeMetricFamily(
            "quarterdeck_subscribers", "Open WebSocket subscriptions.", value=engine.hub.subscribers
        )
        yield GaugeMetricFamily(
            "quarterdeck_started_at_seconds", "When the engine started, Unix time.", value=engine.started_at / 1000
        )
