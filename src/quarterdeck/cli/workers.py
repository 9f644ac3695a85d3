"""qd workers: who does machine work, and how it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from quarterdeck.cli.choices import TenantOption
from quarterdeck.cli.exits import EPILOG
from quarterdeck.cli.runtime import Cli, HomeOption, JsonOption, command, run_body
from quarterdeck.cli.worker_lines import errors_lines, health_lines, latency_lines, throughput_lines
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Window
from quarterdeck.contract.operations import Operation
from quarterdeck.contract.operations import workers as ops

workers = typer.Typer(
    name="workers",
    help="Workers and how their work goes; without a command, their health.",
    invoke_without_command=True,
    rich_markup_mode=None,
    epilog=EPILOG,
)

WindowOption = Annotated[Window, typer.Option("--window", "-w", help="How far back.")]
QueueOption = Annotated[str | None, typer.Option("--queue", help="Only this queue.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="Only this kind of run.")]
# What a command prints of an answer, and how wide it may be.
Lines = Callable[[Mapping[str, Any], int | None], list[str]]


def add_to(app: typer.Typer) -> None:
    app.add_typer(workers)


@workers.callback()
def _open(context: typer.Context, home: HomeOption = None, json_wanted: JsonOption = False) -> int:
    above = context.find_root().obj or {}
    context.obj = {"home": home or above.get("home"), "json": json_wanted or bool(above.get("json"))}
    if context.invoked_subcommand is None:
        raise typer.Exit(run_body(list_, Cli(Home.find(context.obj["home"]), context.obj["json"]), {}))
    return 0


@command(workers, "workers", "list")
async def list_(cli: Cli) -> None:
    """List the workers: healthy, degraded or unhealthy, and why."""
    found = await cli.call(ops.HEALTH)
    cli.out.result(found, health_lines(found, cli.out.width))
    if not found["instances"] and not cli.json:
        cli.out.note("No worker is known: none has leased a run, and [workers] in config.toml names none.")


def _declare_series(word: str, summary: str, operation: Operation, lines: Lines) -> None:
    """A command that shows figures over time."""

    async def show(
        cli: Cli,
        window: WindowOption = Window.HOUR,
        queue: QueueOption = None,
        kind: KindOption = None,
        tenant: TenantOption = None,
    ) -> None:
        query = {"window": window, "queue": queue, "kind": kind, "tenant": tenant}
        found = await cli.call(operation, query=query)
        cli.out.result(found, lines(found, cli.out.width))

    command(workers, "workers", word, help=summary)(show)


_declare_series(
    "throughput",
    "Show how many runs were enqueued, completed, failed and died over time.",
    ops.THROUGHPUT,
    throughput_lines,
)
_declare_series(
    "latency",
    "Show how long attempts took and runs waited: median, 95th and 99th percentile.",
    ops.LATENCY,
    latency_lines,
)
_declare_series("errors", "Show the share of attempts that failed, and with what.", ops.ERRORS, errors_lines)
