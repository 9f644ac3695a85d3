"""Bulk operations as a person reads them."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli.bulk_lines import operation_rows, progress_line, title
from quarterdeck.contract.clock import iso, now_ms


def operation(**values: Any) -> dict[str, Any]:
    made = {"id": 13, "label": "Assign", "resource": "support_tasks", "params": {}, "kind": "action", "parent_id": None}
    counts = {"eligible": 100, "succeeded": 0, "failed": 0, "cancelled": 0, "skipped": 0, "eta_seconds": None}
    return {**made, **counts, "status": "completed", "created_by": "ana", "created_at": iso(now_ms()), **values}


def test_what_a_cancel_left_undone_is_not_done() -> None:
    stopped = operation(status="cancelled", succeeded=20, failed=1, cancelled=79)
    assert " 21% " in operation_rows([stopped], None)[1]
    assert "21%, 21 of 100" in progress_line(stopped)


def test_an_undo_names_what_it_takes_back_once() -> None:
    assert title(operation(kind="undo", parent_id=12, label="Undo of #12: Assign")) == (
        "13 Undo of #12: Assign support_tasks"
    )
