"""Why a command does not apply to a bulk operation."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.tui.actions import why_not_operation


@pytest.mark.parametrize(
    ("status", "done", "why"),
    [
        ("cancelled", 1, None),
        ("failed", 1, None),
        ("cancelled", 3, "Nothing to resume: Assign #7 has done all its batches."),
        ("in_progress", 1, "Resume applies to operations that failed or were cancelled; Assign #7 is in progress."),
    ],
)
def test_what_was_stopped_with_batches_left_can_go_on(status: str, done: int, why: str | None) -> None:
    row: dict[str, Any] = {"id": 7, "label": "Assign", "status": status, "batches": 3, "batches_done": done}
    assert why_not_operation("operation-resume", row) == why
