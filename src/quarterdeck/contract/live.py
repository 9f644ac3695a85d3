"""What the engine says over WebSocket. Plain dictionaries: a console reads them without pydantic.

`/ws/events`:
    {"type": "hello", "version": …}
    {"type": "resource_changed", "resource": …, "change": "created"|"updated"|"deleted", "ids": [..]|null}
        ids null: too many to name; look again at what is on the screen
    {"type": "operation_changed", "operation": BulkOperation}
    {"type": "queues_changed"}    at most one a second: the figures of queues have moved
    {"type": "workers_changed"}   at most one a second: workers came, went, or changed their condition
    {"type": "alerts_changed"}    at most one a second: alerts came, went, or were acted on
    {"type": "usage_changed"}     at most one a second: something was used, or may be used otherwise. Calls that only
        read say nothing of themselves, so that whoever looks again because of it does not call for the next one
    {"type": "resync"}: messages were dropped; look again at everything
`/ws/bulk-operations/{id}`:
    {"type": "progress_update", "operation": BulkOperation}   at most 10 a second, the newest state
    {"type": "operation_completed", "operation": BulkOperation}
`/ws/runs/{id}`:
    {"type": "run_changed", "run": Run}   the newest state, without payload and result; the first one at once
    {"type": "log_written"}               there are more lines for `runs.logs`
"""

from __future__ import annotations

from enum import StrEnum

PROGRESS_INTERVAL_SECONDS = 0.1
FIGURES_INTERVAL_SECONDS = 1.0
MOST_IDS_NAMED = 200


class Message(StrEnum):
    HELLO = "hello"
    RESOURCE_CHANGED = "resource_changed"
    OPERATION_CHANGED = "operation_changed"
    QUEUES_CHANGED = "queues_changed"
    WORKERS_CHANGED = "workers_changed"
    ALERTS_CHANGED = "alerts_changed"
    USAGE_CHANGED = "usage_changed"
    RESYNC = "resync"
    PROGRESS_UPDATE = "progress_update"
    OPERATION_COMPLETED = "operation_completed"
    RUN_CHANGED = "run_changed"
    LOG_WRITTEN = "log_written"


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
