"""qd bulk: one action over many items."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli import bulk_flow as flow
from quarterdeck.cli import forms
from quarterdeck.cli.bulk_lines import detail_lines, operation_rows, outcome_line, preview_lines, result_rows, title
from quarterdeck.cli.choices import AnyResourceArgument, CursorOption, ExceptOption, ReasonOption, YesOption
from quarterdeck.cli.export import Format
from quarterdeck.cli.files import write_stream
from quarterdeck.cli.runtime import Cli, command, group, parameter
from quarterdeck.contract.enums import BulkStatus, Outcome
from quarterdeck.contract.operations import bulk as ops

bulk = group("bulk", "Bulk operations: one action over many items, with a preview and an undo.")

ActionArgument = Annotated[str, typer.Argument(metavar="ACTION", help="For example assign, resolve, set-priority.")]
QueryOption = Annotated[str | None, typer.Option("--query", "-q", metavar="FILTER", help="All that match this now.")]
IdOption = Annotated[list[int] | None, typer.Option("--id", metavar="ID", min=1, help="This item; can be repeated.")]
FileOption = Annotated[Path | None, typer.Option("--ids-file", metavar="CSV", help="Items whose ids stand in a file.")]
ColumnOption = Annotated[str | None, typer.Option("--column", help="The column of --ids-file with the ids.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the action; can be repeated.")
]
RunAtOption = Annotated[
    str | None, typer.Option("--run-at", metavar="TIME", help="Start then; for example 2026-01-31T08:00.")
]
SizeOption = Annotated[int | None, typer.Option("--batch-size", min=1, max=2_000, help="Items a batch.")]
CountOption = Annotated[
    int | None, typer.Option("--confirm-count", metavar="N", help="Agree to exactly this many; needed at high risk.")
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait for the end; exit code 5 when some items failed.")]
OperationArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the bulk operation.")]


def add_to(app: typer.Typer) -> None:
    from quarterdeck.cli import bulk_templates

    bulk_templates.add_to(bulk)
    app.add_typer(bulk)


async def _draft(
    cli: Cli,
    *,
    resource: Any,
    action: str,
    id_: list[int] | None,
    ids_file: Path | None,
    column: str | None,
    set_: list[str] | None,
    **rest: Any,
) -> dict[str, Any]:
    """`rest`: as `flow.draft` takes it."""
    ids = list(id_ or [])
    if ids_file is not None:
        ids += flow.ids_from_file(ids_file, column)
    given = forms.settings(set_ or [])
    return await flow.draft(cli, flow.bulk_action(resource, action), ids=ids or None, given=given, **rest)


def _drafting() -> Iterator[Parameter]:
    """What a draft is made of, as `_draft` takes it."""
    yield parameter("resource", AnyResourceArgument)
    yield parameter("action", ActionArgument)
    yield parameter("query", QueryOption, None)
    yield parameter("id_", IdOption, None)
    yield parameter("without", ExceptOption, None)
    yield parameter("ids_file", FileOption, None)
    yield parameter("column", ColumnOption, None)
    yield parameter("set_", SetOption, None)
    yield parameter("reason", ReasonOption, None)
    yield parameter("run_at", RunAtOption, None)
    yield parameter("batch_size", SizeOption, None)


def _agreeing() -> Iterator[Parameter]:
    yield parameter("yes", YesOption, False)
    yield parameter("confirm_count", CountOption, None)
    yield parameter("wait", WaitOption, False)


@command(bulk, "bulk", "preview", takes=_drafting())
async def preview(cli: Cli, **asked: Any) -> None:
    """Say what an action would do to a selection. Leaves a draft that can be started as it is."""
    made = await _draft(cli, **asked)
    cli.out.result(made, preview_lines(made))
    cli.out.note(f"Nothing has changed. Start it with: qd bulk confirm {made['operation']['id']}")


@command(bulk, "bulk", "run", takes=[*_drafting(), *_agreeing()])
async def run(cli: Cli, *, yes: bool, confirm_count: int | None, wait: bool, **asked: Any) -> int | None:
    """Act on a selection: shows the preview, asks, starts."""
    made = await _draft(cli, **asked)
    return await flow.carry_out(cli, made, yes=yes, confirm_count=confirm_count, wait=wait)


_ONE = [parameter("operation", OperationArgument), *_agreeing()]


@command(bulk, "bulk", "confirm", takes=_ONE)
async def confirm(cli: Cli, *, operation: int, yes: bool, confirm_count: int | None, wait: bool) -> int | None:
    """Start a draft that a preview left."""
    shown = await cli.call(ops.SHOW, id=operation)
    if not cli.json:
        cli.out.result(None, detail_lines(shown))
    typed = flow.agree(cli, shown["operation"], yes=yes, confirm_count=confirm_count)
    started = await cli.call(ops.CONFIRM, body={"count": typed}, id=operation)
    if wait and started["status"] != BulkStatus.SCHEDULED:
        return await flow.watch(cli, operation)
    cli.out.result(started, [f"Started {title(started)}. Watch it with: qd bulk watch {operation}"])
    return None


@command(bulk, "bulk", "list")
async def list_(
    cli: Cli,
    status: Annotated[BulkStatus | None, typer.Option("--status", help="Only those in this state.")] = None,
    running: Annotated[bool, typer.Option("--running", help="Only those that run or wait.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500)] = 50,
    cursor: CursorOption = None,
) -> None:
    """List bulk operations, newest first."""
    query = {"status": status, "running": "true" if running else None, "limit": limit, "cursor": cursor}
    page = await cli.call(ops.LIST, query=query)
    cli.out.result(page, operation_rows(page["items"], cli.out.width))
    if not page["items"] and not cli.json:
        cli.out.note("There are no bulk operations like that.")


@command(bulk, "bulk", "show")
async def show(cli: Cli, operation: OperationArgument) -> None:
    """Show one bulk operation with its counts and reasons."""
    found = await cli.call(ops.SHOW, id=operation)
    cli.out.result(found, detail_lines(found))


@command(bulk, "bulk", "items")
async def items(
    cli: Cli,
    operation: OperationArgument,
    outcome: Annotated[Outcome | None, typer.Option("--outcome", help="Only items that ended so.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000)] = 100,
    cursor: CursorOption = None,
) -> None:
    """Show what became of each item."""
    page = await cli.call(ops.ITEMS, query={"outcome": outcome, "limit": limit, "cursor": cursor}, id=operation)
    cli.out.result(page, result_rows(page["items"], cli.out.width))
    if page["next"] and not cli.json:
        cli.out.note(f"There are more; qd bulk export {operation} writes all of them.")


@command(bulk, "bulk", "export")
async def export(
    cli: Cli,
    operation: OperationArgument,
    format_: Annotated[Format, typer.Option("--format")] = Format.CSV,
    outcome: Annotated[Outcome | None, typer.Option("--outcome", help="Only items that ended so.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")] = None,
) -> None:
    """Write what became of each item as CSV or JSON."""
    client = await cli.client()
    query = {"format": str(format_), **({"outcome": outcome} if outcome else {})}
    await write_stream(cli, client.stream(ops.EXPORT, query=query, id=operation), output)


@command(bulk, "bulk", "watch")
async def watch(cli: Cli, operation: OperationArgument) -> int | None:
    """Follow a bulk operation to its end; ctrl+c leaves it running."""
    return await flow.watch(cli, operation)


@command(bulk, "bulk", "cancel")
async def cancel(cli: Cli, operation: OperationArgument) -> None:
    """Stop after the batches in flight."""
    found = await cli.call(ops.CANCEL, id=operation)
    cli.out.result(found, [outcome_line(found)])


@command(bulk, "bulk", "resume")
async def resume(cli: Cli, operation: OperationArgument, wait: WaitOption = False) -> int | None:
    """Go on with an operation that was cancelled, or stopped for a reason outside it, such as a full disk."""
    found = await cli.call(ops.RESUME, id=operation)
    if wait:
        return await flow.watch(cli, operation)
    cli.out.result(found, [outcome_line(found)])
    return None


@command(bulk, "bulk", "retry-failed", takes=_ONE)
async def retry_failed(cli: Cli, *, operation: int, **agreed: Any) -> int | None:
    """Try again what failed and can be retried, as a new operation."""
    return await flow.carry_out(cli, await cli.call(ops.RETRY_FAILED, id=operation), **agreed)


@command(bulk, "bulk", "undo", takes=_ONE)
async def undo(cli: Cli, *, operation: int, **agreed: Any) -> int | None:
    """Restore the earlier values of items that have not changed since, as a new operation."""
    return await flow.carry_out(cli, await cli.call(ops.UNDO, id=operation), **agreed)
