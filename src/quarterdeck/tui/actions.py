"""Whether an action can be carried out here and now, and if not, why: one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import BulkStatus, Role
from quarterdeck.tui.commands import Command


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides besides the row: who asks, and whether an engine answers. `lost` is why it does not.

    `config`: the file that may say read-only.
    """

    role: Role = Role.SUPER_ADMIN
    read_only: bool = False
    lost: str = ""
    config: Path | str = "config.toml"


def why_not_change(label: str, standing: Standing, needed: Role = Role.OPERATOR) -> str | None:
    """Why nothing can be changed at all; None if it can."""
    if standing.read_only:
        return f"{label} is off: this console is read-only (qd --read-only, or {standing.config})."
    if not standing.role.covers(needed):
        return f"{label} needs the role {needed}; you are {standing.role}."
    if standing.lost:
        return f"{label} has to wait: {standing.lost}"
    return None


def why_not_command(command: Command, standing: Standing) -> str | None:
    return why_not_change(command.label, standing) if command.changes else None


def why_not_action(action: Action, standing: Standing, row: Mapping[str, Any] | None, marked: int) -> str | None:
    """With marks the engine judges each item, so the state of the row under the cursor does not count."""
    general = why_not_change(action.label, standing, action.role)
    if general:
        return general
    if marked:
        return None if action.bulk else f"{action.label} works on one item at a time; clear the marks first."
    if row is None:
        return f"{action.label} needs an item; there is none under the cursor."
    status = str(row.get("status", ""))
    if row.get("deleted_at") and action.verb != "restore":
        return f"{action.label} does not apply: this item is in the bin; restore it first."
    if not row.get("deleted_at") and action.verb == "restore":
        return "Restore applies to items in the bin; this one is not. The filter is:deleted shows them."
    if not action.applies_to(status):
        return action.why_not(status)
    return None


def why_not_operation(name: str, row: Mapping[str, Any]) -> str | None:
    """Why a command does not apply to a bulk operation in its state."""
    status, what = BulkStatus(row["status"]), f"{row['label']} #{row['id']}"
    word = str(status).replace("_", " ")
    if name == "operation-retry":
        if not row["failed"]:
            return f"Nothing to retry: {what} has no failures."
        return None if status.is_final else f"Retry waits until {what} is done; it is {word}."
    if name == "operation-undo":
        if not row["undoable"]:
            return f"{what} cannot be undone."
        if not status.is_final:
            return f"Undo waits until {what} is done; it is {word}."
        return None if row["succeeded"] else f"Nothing to undo: {what} changed nothing."
    if name == "operation-cancel":
        return f"{what} is {word} already." if status.is_final else None
    if name == "operation-resume":
        if status not in (BulkStatus.FAILED, BulkStatus.CANCELLED):
            return f"Resume applies to operations that failed or were cancelled; {what} is {word}."
        return None if row["batches_done"] < row["batches"] else f"Nothing to resume: {what} has done all its batches."
    return None if row["total"] else f"{what} has no items."
