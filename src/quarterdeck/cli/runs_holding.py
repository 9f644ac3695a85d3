"""What whoever has leased a run says about it, so that a worker can be a script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.exits import usage
from quarterdeck.cli.json_lines import json_file, json_value
from quarterdeck.cli.run_lines import run_line
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.enums import ErrorClass, LogLevel
from quarterdeck.contract.operations import runs as ops

RunArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the run.", show_default=False)]
AttemptOption = Annotated[int, typer.Option("--attempt", min=1, help="The attempt, as the lease says.")]
TokenOption = Annotated[str, typer.Option("--lease-token", help="The token, as the lease says.")]

_LINES_AT_ONCE = 1_000


def add_to(app: typer.Typer) -> None:
    for name, body in (
        ("heartbeat", heartbeat),
        ("log", log),
        ("complete", complete),
        ("fail", fail),
        ("give-back", give_back),
    ):
        command(app, "runs", name)(body)


def _held(attempt: int, token: str, **more: Any) -> dict[str, Any]:
    return {"attempt": attempt, "lease_token": token, **{k: v for k, v in more.items() if v is not None}}


async def heartbeat(
    cli: Cli,
    run: RunArgument,
    attempt: AttemptOption,
    lease_token: TokenOption,
    seconds: Annotated[
        int, typer.Option("--seconds", min=5, max=3_600, help="How long the lease lasts from now.")
    ] = 30,
    progress: Annotated[float | None, typer.Option("--progress", min=0, max=1, help="How much is done.")] = None,
) -> None:
    """Keep a lease; says whether to stop."""
    body = _held(attempt, lease_token, seconds=seconds, progress=progress)
    found = await cli.call(ops.HEARTBEAT, body=body, id=run)
    lines = ["Stop: the run was cancelled." if found["cancel"] else f"Yours until {found['lease_until']}."]
    cli.out.result(found, lines)


async def log(
    cli: Cli,
    run: RunArgument,
    attempt: AttemptOption,
    lease_token: TokenOption,
    text: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="A line each; else standard input.")
    ] = None,
    level: Annotated[LogLevel, typer.Option("--level")] = LogLevel.INFO,
) -> None:
    """Add lines to the log of an attempt."""
    lines = text or [line.rstrip("\r\n") for line in sys.stdin]
    kept = dropped = 0
    for start in range(0, len(lines), _LINES_AT_ONCE):
        part = [{"level": str(level), "text": line} for line in lines[start : start + _LINES_AT_ONCE]]
        found = await cli.call(ops.LOG, body=_held(attempt, lease_token, lines=part), id=run)
        kept, dropped = kept + found["kept"], dropped + found["dropped"]
    beyond = f"; {dropped} are beyond what is kept of one attempt" if dropped else ""
    cli.out.result({"kept": kept, "dropped": dropped}, [f"Kept {kept} lines{beyond}."])


async def complete(
    cli: Cli,
    run: RunArgument,
    attempt: AttemptOption,
    lease_token: TokenOption,
    result: Annotated[str | None, typer.Option("--result", metavar="JSON", help="What came of it.")] = None,
    result_file: Annotated[
        Path | None, typer.Option("--result-file", metavar="FILE", help="The same from a file.")
    ] = None,
) -> None:
    """Say that the work is done."""
    if result is not None and result_file is not None:
        raise usage("Give --result or --result-file, not both.")
    value = json_file(result_file) if result_file else None if result is None else json_value(result, "--result")
    found = await cli.call(ops.COMPLETE, body=_held(attempt, lease_token, result=value), id=run)
    cli.out.result(found, [run_line(found)])


async def fail(
    cli: Cli,
    run: RunArgument,
    attempt: AttemptOption,
    lease_token: TokenOption,
    message: Annotated[str, typer.Option("--message", "-m", help="What went wrong, one sentence.")],
    code: Annotated[str, typer.Option("--code", help="What failures are grouped by.")] = "failed",
    error_class: Annotated[ErrorClass, typer.Option("--class", help="What kind of failure.")] = ErrorClass.UNKNOWN,
    detail_file: Annotated[
        Path | None, typer.Option("--detail-file", help="A file with all that is known of it.")
    ] = None,
    retryable: Annotated[
        bool | None, typer.Option("--retryable/--final", help="Whether to try again; else the class says it.")
    ] = None,
    retry_after: Annotated[float | None, typer.Option("--retry-after", min=0, help="Seconds to wait first.")] = None,
) -> None:
    """Say that the attempt failed; the queue's rules say what follows."""
    detail = None if detail_file is None else detail_file.read_text(encoding="utf-8", errors="replace")[-100_000:]
    body = _held(
        attempt,
        lease_token,
        message=message,
        code=code,
        error_class=str(error_class),
        detail=detail,
        retryable=retryable,
        retry_after=retry_after,
    )
    found = await cli.call(ops.FAIL, body=body, id=run)
    cli.out.result(found, [run_line(found)])


async def give_back(cli: Cli, run: RunArgument, attempt: AttemptOption, lease_token: TokenOption) -> None:
    """Put a run back untouched; the attempt does not count."""
    found = await cli.call(ops.GIVE_BACK, body=_held(attempt, lease_token), id=run)
    cli.out.result(found, [run_line(found)])
