"""What is said when a bulk operation has come to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.enums import BulkStatus
from quarterdeck.tui.format import count
from quarterdeck.tui.keymap import Keymap


def ending(operation: Mapping[str, Any], keymap: Keymap, mine: bool) -> tuple[str, str]:
    """Sentence and style, with the keys that lead on. `mine`: this console has started it."""
    parts = [f"{operation['label']} #{operation['id']}: {count(operation['succeeded'])} done"]
    if operation["failed"]:
        parts.append(f"{count(operation['failed'])} failed ({keymap.key('retry-last')} retries them)")
    if operation["status"] == BulkStatus.CANCELLED:
        parts.append(f"cancelled with {count(operation['cancelled'])} left")
    if operation["error"]:
        parts.append(str(operation["error"]))
    elif operation["undoable"] and operation["succeeded"] and mine:
        parts.append(f"{keymap.key('undo')} takes it back")
    return " · ".join(parts), "error" if operation["failed"] or operation["error"] else "success"
