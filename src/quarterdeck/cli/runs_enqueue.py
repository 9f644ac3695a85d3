"""qd runs enqueue: one run from arguments, or many from a file of JSON lines."""

from __future__ import annotations

from asyncio import CancelledError
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.bulk_flow import start_time
from quarterdeck.cli.exits import usage
from quarterdeck.cli.json_lines import LineError, break_off, json_file, json_value, read_batches
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.enums import Priority
from quarterdeck.contract.operations import runs as ops
from quarterdeck.contract.problems import Problem
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.format import count, plural

_NEW = ModelRef("runs:NewRun")


def add_to(app: typer.Typer) -> None:
    command(app, "runs", "enqueue")(enqueue)


async def enqueue(
    cli: Cli,
    queue: Annotated[str | None, typer.Argument(metavar="QUEUE", help="Name of the queue.")] = None,
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="What is to be done, such as refund.send.")] = None,
    payload: Annotated[
        str | None, typer.Option("--payload", metavar="JSON", help="What it is to be done with.")
    ] = None,
    payload_file: Annotated[
        Path | None,
        typer.Option("--payload-file", metavar="FILE", help="The payload from a file; - for standard input."),
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose run it is; else default.")] = None,
    run_at: Annotated[
        str | None, typer.Option("--run-at", metavar="TIME", help="Not before; 2026-01-31T08:00.")
    ] = None,
    priority: Annotated[Priority | None, typer.Option("--priority", help="Else the queue's.")] = None,
    max_attempts: Annotated[
        int | None, typer.Option("--max-attempts", min=1, max=100, help="Else the queue's.")
    ] = None,
    unique_key: Annotated[
        str | None, typer.Option("--unique-key", help="With the key of a run that is there, nothing is enqueued.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Many: JSON lines, each with queue, kind, payload …; what a line leaves out comes from the command. "
            "- for standard input.",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", help="With --file: the same file with the same key again enqueues nothing twice."),
    ] = None,
    skip: Annotated[
        int, typer.Option("--skip", min=0, metavar="N", help="With --file: leave the first N lines out.")
    ] = 0,
) -> None:
    """Put a run into its queue, or those of a file of JSON lines, 1,000 at a time."""
    given: dict[str, Any] = {
        "queue": queue,
        "kind": kind,
        "tenant_id": tenant,
        "run_at": None if run_at is None else start_time(run_at),
        "priority": None if priority is None else str(priority),
        "max_attempts": max_attempts,
        "unique_key": unique_key,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if payload is not None and payload_file is not None:
        raise usage("Give --payload or --payload-file, not both.")
    if payload is not None:
        given["payload"] = json_value(payload, "--payload")
    if payload_file is not None:
        given["payload"] = json_file(payload_file)
    if file is not None:
        await _from_file(cli, file, given, key, skip)
    elif key is not None or skip:
        raise usage("--key and --skip go with --file.")
    elif queue is None or kind is None:
        raise usage("A run needs a QUEUE and a KIND, or a --file of JSON lines.")
    else:
        await _one(cli, given)


async def _one(cli: Cli, run: dict[str, Any]) -> None:
    made = await cli.call(ops.ENQUEUE, body={"runs": [run]})
    number = made["ids"][0]
    if made["existing"]:
        lines = [f"Run {number} has this unique key; nothing new was enqueued."]
    else:
        lines = [f"Enqueued run {number} in {run['queue']}."]
    cli.out.result(made, lines)


async def _from_file(cli: Cli, path: Path, defaults: dict[str, Any], key: str | None, skip: int) -> None:
    client = await cli.client(new_home=True)
    created = existing = lines = 0
    first: int | None = None
    last: int | None = None
    try:
        with cli.out.counting() as say:
            for batch in read_batches(path, _NEW.load(), defaults=defaults, skip=skip):
                own_key = None if key is None else f"{key}-{batch.lines_before}"
                made = await client.call(ops.ENQUEUE, body={"runs": batch.rows}, idempotency_key=own_key)
                created += made["created"]
                existing += len(made["existing"])
                lines = batch.last_line
                first = made["ids"][0] if first is None else first
                last = made["ids"][-1]
                say(f"{plural(created, 'run')} enqueued …")
    except (LineError, Problem, Unreachable, CancelledError) as error:
        # What was enqueued stays enqueued: say how to go on behind it.
        break_off(error, plural(created, "run"), lines)
    summary = {"created": created, "existing": existing, "lines": lines, "first_id": first, "last_id": last}
    there = f", {count(existing)} were there before" if existing else ""
    cli.out.result(summary, [f"Enqueued {plural(created, 'run')}{there}."])
