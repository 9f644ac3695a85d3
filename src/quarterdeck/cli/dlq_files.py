"""Dead letters out of the store and into it: export, import, and by hand."""

from __future__ import annotations

from asyncio import CancelledError
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.files import write_stream
from quarterdeck.cli.json_lines import LineError, break_off, json_value, read_batches
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.contract.operations import dead_letters as ops
from quarterdeck.contract.problems import Problem
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.format import count, plural

_NEW = ModelRef("dead_letters:NewDeadLetter")


def add_to(app: typer.Typer) -> None:
    command(app, "dlq", "export")(export)
    command(app, "dlq", "import")(import_)
    command(app, "dlq", "add")(add)


async def export(
    cli: Cli,
    query: Annotated[str, typer.Option("--query", "-q", metavar="FILTER", help="For example: status:pending.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")] = None,
) -> None:
    """Write every dead letter that matches a filter, whole, one JSON object a line; qd dlq import reads it."""
    client = await cli.client()
    await write_stream(cli, client.stream(ops.EXPORT, query={"filter": query}), output)


async def import_(
    cli: Cli,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines; - for standard input.")],
    queue: Annotated[str | None, typer.Option("--queue", help="Where a retry puts those that do not say it.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose they are where they do not say it.")] = None,
    skip: Annotated[int, typer.Option("--skip", min=0, metavar="N", help="Leave the first N lines out.")] = 0,
) -> None:
    """Keep what an export or another system gave up, 1,000 at a time; the same source_id again changes nothing."""
    defaults = {name: value for name, value in (("queue", queue), ("tenant_id", tenant)) if value is not None}
    created = existing = lines = 0
    try:
        with cli.out.counting() as say:
            for batch in read_batches(file, _NEW.load(), defaults=defaults, skip=skip):
                made = await cli.call(ops.ADD, body={"dead_letters": batch.rows})
                created += made["created"]
                existing += len(made["existing"])
                lines = batch.last_line
                say(f"{plural(created, 'dead letter')} added …")
    except (LineError, Problem, Unreachable, CancelledError) as error:
        break_off(error, plural(created, "dead letter"), lines)
    there = f", {count(existing)} were there before" if existing else ""
    summary = {"created": created, "existing": existing, "lines": lines}
    cli.out.result(summary, [f"Added {plural(created, 'dead letter')}{there}."])


async def add(
    cli: Cli,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="Where a retry puts it.", show_default=False)],
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as refund.send.", show_default=False)],
    payload: Annotated[
        str | None, typer.Option("--payload", metavar="JSON", help="What it was to be done with.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose it is; else default.")] = None,
    source_id: Annotated[
        str | None, typer.Option("--source-id", help="Its id where it comes from; a second one changes nothing.")
    ] = None,
    code: Annotated[str | None, typer.Option("--code", help="What failures are grouped by.")] = None,
    error_class: Annotated[ErrorClass | None, typer.Option("--class", help="What kind of failure.")] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="What went wrong.")] = None,
) -> None:
    """Keep one thing that another system gave up."""
    given: dict[str, Any] = {
        "queue": queue,
        "event_type": event_type,
        "tenant_id": tenant,
        "source_id": source_id,
        "error_code": code,
        "error_class": None if error_class is None else str(error_class),
        "error_message": message,
    }
    letter = {name: value for name, value in given.items() if value is not None}
    if payload is not None:
        letter["payload"] = json_value(payload, "--payload")
    made = await cli.call(ops.ADD, body={"dead_letters": [letter]})
    number = made["ids"][0]
    lines = [f"Dead letter {number} has this source; nothing changed." if made["existing"] else f"Added {number}."]
    cli.out.result(made, lines)
