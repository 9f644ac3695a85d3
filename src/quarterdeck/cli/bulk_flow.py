"""Draft, agree, start, watch: what every bulk command goes through."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from quarterdeck.cli import forms
from quarterdeck.cli.agreeing import said_yes
from quarterdeck.cli.bulk_lines import finished, noun, outcome_line, preview_lines, title
from quarterdeck.cli.exits import CommandError, Exit, usage
from quarterdeck.cli.runtime import Cli
from quarterdeck.contract.actions import Action, actions_for, find_action
from quarterdeck.contract.enums import AnyResource, Risk
from quarterdeck.contract.operations import bulk, items
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.format import count, plural

MOST_IDS = 100_000


def bulk_action(resource: AnyResource, verb: str) -> Action:
    """The declared action. Raises a usage error that names those there are."""
    action = find_action(resource, verb)
    if action is None or not action.bulk:
        valid = ", ".join(each.verb for each in actions_for(resource) if each.bulk)
        raise usage(f"{resource} have no bulk action '{verb}'. Valid: {valid}.")
    return action


def ids_from_file(path: Path, column: str | None) -> list[int]:
    """Ids from a CSV file: the column named, else `id`, else `item_id`, else the only one there is. A file of
    bare numbers needs no header. Raises CommandError naming the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            first = next(rows, None)
            if first is None:
                raise CommandError(f"{path} is empty; it should hold ids of items.")
            index, lines = _column(path, first, column)
            found = [_id(path, 1, first[index])] if lines == 0 else []
            found += [_id(path, rows.line_num, row[index] if index < len(row) else "") for row in rows if row]
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 (byte {error.start}).") from error
    except csv.Error as error:
        raise CommandError(f"{path} is not a CSV file: {error}.") from error
    if not found:
        raise CommandError(f"{path} names no items.")
    unique = list(dict.fromkeys(found))
    if len(unique) > MOST_IDS:
        raise CommandError(f"{path} names {count(len(unique))} items; at most {count(MOST_IDS)} at once. Split it.")
    return unique


def _column(path: Path, first: list[str], wanted: str | None) -> tuple[int, int]:
    """(which column, lines of header)."""
    names = [name.strip() for name in first]
    for name in [wanted] if wanted else ["id", "item_id"]:
        if name in names:
            return names.index(name), 1
    if wanted:
        raise CommandError(f"{path} has no column '{wanted}'. It has {', '.join(names)}.")
    if len(names) == 1:
        return 0, 0 if names[0].isdigit() else 1
    raise CommandError(f"{path} has no column 'id'; name the one with the ids: --column NAME.")


def _id(path: Path, line: int, text: str) -> int:
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdigit()) or not 0 < int(cleaned) < 2**63:
        raise CommandError(f"{path}, line {line}: '{text[:40]}' is no id.")
    return int(cleaned)


def start_time(text: str, option: str = "run-at") -> str:
    """ISO 8601 with an offset; a time without one is this machine's. Raises a usage error."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise usage(f"--{option} takes a time like 2026-01-31T08:00, not '{text}'.") from None
    return (moment.astimezone() if moment.tzinfo is None else moment).isoformat()


async def draft(
    cli: Cli,
    action: Action,
    *,
    query: str | None,
    ids: list[int] | None,
    given: Mapping[str, str],
    reason: str | None,
    run_at: str | None,
    batch_size: int | None,
    without: list[int] | None = None,
) -> dict[str, Any]:
    """Freeze the selection; the preview of a draft. A parameter called `reason` takes --reason too."""
    if query is None and not ids:
        raise usage('Say what to act on: -q FILTER, --id or --ids-file. -q "" means every item.')
    values = dict(given)
    if reason is not None and "reason" in action.params.load().model_fields:
        values.setdefault("reason", reason)
    body: dict[str, Any] = {"params": forms.params(action, values)}
    if reason is not None:
        body["reason"] = reason
    if run_at is not None:
        body["run_at"] = start_time(run_at)
    if batch_size is not None:
        body["batch_size"] = batch_size
    if ids:
        body["ids"] = ids
    else:
        selection = await cli.call(
            items.SELECT, body={"filter": query or "", "except_ids": without or []}, resource=action.resource
        )
        body["selection"] = selection["token"]
    return await cli.call(bulk.DRAFT, body=body, resource=action.resource, action=action.verb)


async def carry_out(
    cli: Cli, preview: dict[str, Any], *, yes: bool, confirm_count: int | None, wait: bool
) -> int | None:
    """From a draft to a started operation, agreed to; with `wait`, to its end."""
    operation = preview["operation"]
    if not cli.json:
        cli.out.result(None, preview_lines(preview))
    if operation["eligible"] == 0:
        await _drop(cli, operation)
        raise CommandError("Nothing would change, so nothing was started.", Exit.NOTHING)
    try:
        typed = agree(cli, operation, yes=yes, confirm_count=confirm_count)
    except (CommandError, KeyboardInterrupt):
        await _drop(cli, operation)
        raise
    started = await cli.call(bulk.CONFIRM, body={"count": typed}, id=operation["id"])
    if not wait or started["status"] == "scheduled":
        verb = "Scheduled" if started["status"] == "scheduled" else "Started"
        cli.out.result(started, [f"{verb} {title(started)}. Watch it with: qd bulk watch {started['id']}"])
        return None
    return await watch(cli, int(started["id"]))


def agree(cli: Cli, operation: Mapping[str, Any], *, yes: bool, confirm_count: int | None) -> int:
    """The count that was agreed to. Raises CommandError where nobody agrees."""
    eligible = int(operation["eligible"])
    if confirm_count is not None:
        if confirm_count != eligible:
            raise CommandError(
                f"--confirm-count says {count(confirm_count)}, but {plural(eligible, noun(operation))} would change; "
                "nothing was started."
            )
        return eligible
    high = operation["risk"] == Risk.HIGH
    if yes and not high:
        return eligible
    if not cli.interactive:
        option = f"--confirm-count {eligible}" if high else "--yes"
        risk = " This is a high-risk action." if high else ""
        raise CommandError(f"Nothing was started.{risk} Give {option} to start it.")
    if high:
        answer = cli.ask(f"This is a high-risk action. Type the count ({eligible}) to start it: ")
        agreed = answer.replace(",", "") == str(eligible)
    else:
        agreed = said_yes(cli, f"{operation['label']} {plural(eligible, noun(operation))}?")
    if not agreed:
        raise CommandError("Nothing was started.")
    return eligible


async def _drop(cli: Cli, operation: Mapping[str, Any]) -> None:
    """A draft that nobody wants leaves the list of those that wait."""
    try:
        await cli.call(bulk.CANCEL, id=operation["id"])
    except Problem as problem:
        cli.out.note(f"The draft {operation['id']} is still there: {problem.detail}")


async def watch(cli: Cli, operation_id: int) -> int | None:
    """Follow an operation to its end: a bar for a person, one JSON object at the end for a program."""
    client = await cli.client()
    last: dict[str, Any] = {}
    try:
        with _Bar() as bar:
            async for message in client.watch(operation_id):
                last = message["operation"]
                bar.show(last)
    except asyncio.CancelledError:
        cli.out.note(f"The operation goes on in the engine. Watch it again with: qd bulk watch {operation_id}")
        raise
    if not last:
        last = (await cli.call(bulk.SHOW, id=operation_id))["operation"]
    cli.out.result(last, [outcome_line(last)])
    if last["status"] == "completed" and last["failed"]:
        cli.out.note(f"See why with: qd bulk items {operation_id} --outcome failed")
        return Exit.PARTIAL if last["succeeded"] else Exit.FAILED
    return None if last["status"] == "completed" else Exit.FAILED


class _Bar:
    """A progress bar on standard error, where somebody looks at it."""

    def __init__(self) -> None:
        self._progress: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task: Any = None

    def __enter__(self) -> _Bar:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, operation: Mapping[str, Any]) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task(title(operation), total=operation["eligible"])
        self._progress.update(self._task, completed=finished(operation), total=operation["eligible"])
