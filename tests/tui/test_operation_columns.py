"""How a bulk operation reads in the list."""

from __future__ import annotations

from typing import Any, cast

from quarterdeck.tui.columns import OPERATION_COLUMNS


def test_an_undo_says_once_that_it_is_one() -> None:
    row = {"kind": "undo", "parent_id": 12, "label": "Undo of #12: Assign"}
    told = [column.cell(row, cast(Any, None))[0] for column in OPERATION_COLUMNS if column.key == "label"]
    assert told == ["Undo of #12: Assign"]
