"""What an operator has marked: ids, or all that match. Never row numbers."""

from __future__ import annotations

from collections.abc import Iterable


class Marks:
    """Either `ids`, or all that match `scope` (a filter) minus `except_ids`."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.all_matching = False
        self.except_ids: set[int] = set()
        self.scope = ""

    def __bool__(self) -> bool:
        return self.all_matching or bool(self.ids)

    def has(self, row_id: int, scope: str = "") -> bool:
        """Whether a row that is seen under `scope` is marked. Of rows under another filter it is unknown
        whether they belong to all that matched; they count as not marked."""
        if self.all_matching:
            return scope == self.scope and row_id not in self.except_ids
        return row_id in self.ids

    def count(self, total_matching: int | None) -> int | None:
        """How many are marked, where all that match are `total_matching`; None where that is unknown."""
        if not self.all_matching:
            return len(self.ids)
        return None if total_matching is None else max(0, total_matching - len(self.except_ids))

    def toggle(self, row_id: int) -> None:
        chosen = self.except_ids if self.all_matching else self.ids
        chosen.symmetric_difference_update((row_id,))

    def add(self, row_ids: Iterable[int]) -> None:
        if self.all_matching:
            self.except_ids.difference_update(row_ids)
        else:
            self.ids.update(row_ids)

    def remove(self, row_ids: Iterable[int]) -> None:
        """Take marks away: of what was acted on successfully, say."""
        if self.all_matching:
            self.except_ids.update(row_ids)
        else:
            self.ids.difference_update(row_ids)

    def mark_all(self, scope: str = "") -> None:
        """All that match `scope`; single marks are part of it or given up."""
        self.ids.clear()
        self.except_ids.clear()
        self.all_matching, self.scope = True, scope

    def clear(self) -> None:
        self.ids.clear()
        self.except_ids.clear()
        self.all_matching, self.scope = False, ""
