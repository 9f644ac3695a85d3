"""What is marked on the alerts screen: alerts, groups of them, or all that fire and match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import AlertState
from quarterdeck.tui.screens.alerts.source import is_group, size
from quarterdeck.tui.screens.marked import Marked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quarterdeck.tui.screens.alerts.screen import AlertsScreen


def not_firing(row: Mapping[str, Any]) -> str:
    """Why an alert is not one of all that match."""
    if is_group(row) or row["state"] == AlertState.FIRING:
        return ""
    return f"All that fire are marked; this one is {row['state']}."


class AlertMarks(Marked):
    """A group counts as many as fire in it. All that match are those that fire when something is done."""

    def __init__(self, screen: AlertsScreen) -> None:
        super().__init__(screen)
        self._alerts = screen
        self._sizes: dict[int, int] = {}

    def learn(self, board: Mapping[str, Any]) -> None:
        self._sizes.update({-int(each["id"]): size(each) for each in board["groups"]})

    @property
    def number(self) -> int:
        marks = self._alerts.table.marks
        if marks.all_matching:
            left_out = sum(self._sizes.get(each, 1) for each in marks.except_ids)
            return max(self._alerts.firing - left_out, 1)
        return sum(self._sizes.get(each, 1) for each in marks.ids)

    def recount(self) -> None:
        """They are counted with every look at the board."""

    def changed(self) -> None:
        self._alerts.chrome()

    def keep_failures(self, operation: Mapping[str, Any]) -> None:
        """No bulk operation is about alerts."""

    def _freeze(self) -> None:
        self._alerts.chrome()

    @property
    def _counted_before(self) -> bool:
        return False
