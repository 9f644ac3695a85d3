"""From an alert to what it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import AlertType, MachineResource, Resource
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.everywhere import Everywhere

Row = Mapping[str, Any]
_LINKS = ("runbook_url", "runbook", "dashboard_url", "dashboard")
# What others post is put on a clipboard, and from there into whatever: nothing but an address, on one line.
_LINK = re.compile(r"https?://\S{1,2000}", re.IGNORECASE)


def link_of(alert: Row) -> str:
    """Where to read what to do, else where it comes from; empty without either. What is no address is no link."""
    said = [*(alert["annotations"].get(name) for name in _LINKS), alert["url"]]
    return next((each for each in said if each and _LINK.fullmatch(each) and safe(each) == each), "")


def go_to_what_it_is_about(alert: Row, everywhere: Everywhere) -> str | None:
    """The item, the worker, the queue, the operation; else the screen that shows such things. A sentence where there
    is none."""
    labels, kind = alert["labels"], alert["type"]
    item, resource = _number(labels.get("item")), labels.get("resource")
    if item is not None and resource in list(Resource):
        everywhere.visit(Resource(resource), item)
    elif (operation := _number(labels.get("operation"))) is not None:
        everywhere.go(f"operation {operation}")
    elif kind == AlertType.WORKER_UNHEALTHY or labels.get("worker"):
        everywhere.workers()
    elif labels.get("queue"):
        everywhere.queues(labels["queue"])
    elif kind == AlertType.DLQ_GROWTH:
        everywhere.machines(MachineResource.DEAD_LETTERS, "status:pending")
    elif kind in (AlertType.SLA_BREACH, AlertType.SLA_IMMINENT):
        everywhere.sla()
    elif kind == AlertType.BULK_FAILURE_RATE:
        everywhere.go("operations")
    elif kind != AlertType.EXTERNAL:
        everywhere.queues()
    else:
        return "What it is about is not here: none of its labels names a queue, an item, a worker or an operation."
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
