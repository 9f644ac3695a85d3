"""qd runs: machine work, piece by piece."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.cli import machine_actions, runs_enqueue, runs_holding, runs_logs
from quarterdeck.cli.choices import CursorOption, LimitOption, OldestOption
from quarterdeck.cli.machine_actions import Way
from quarterdeck.cli.run_lines import described, run_line, run_rows
from quarterdeck.cli.runtime import Cli, command, group
from quarterdeck.cli.searching import all_pages, searched_note
from quarterdeck.contract.actions import Action, actions_for
from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import items
from quarterdeck.contract.operations import runs as ops
from quarterdeck.tui.format import count as with_commas

runs = group("runs", "Runs: pieces of machine work.")

FilterOption = Annotated[
    str, typer.Option("--query", "-q", metavar="FILTER", help='For example: queue:refunds-api status:failed "refused".')
]
RunArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the run.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    for action in actions_for(MachineResource.RUNS):
        machine_actions.declare(runs, "runs", Way(action, _one(action), machine_actions.by_bulk(action), _line))
    runs_enqueue.add_to(runs)
    runs_logs.add_to(runs)
    runs_holding.add_to(runs)
    app.add_typer(runs)


def _one(action: Action) -> machine_actions.ActOnOne:
    async def act(cli: Cli, number: int, params: dict[str, Any]) -> dict[str, Any]:
        return await cli.call(
            items.ACT, body={"params": params}, resource=MachineResource.RUNS, id=number, action=action.verb
        )

    return act


def _line(done: dict[str, Any]) -> str:
    return run_line(done["run"])


@command(runs, "runs", "list")
async def list_(
    cli: Cli,
    query: FilterOption = "",
    limit: LimitOption = 50,
    oldest_first: OldestOption = False,
    cursor: CursorOption = None,
) -> None:
    """List the runs that match a filter."""
    wanted = {"filter": query, "sort": "created" if oldest_first else "-created"}
    found = await all_pages(cli, ops.LIST, wanted, limit, cursor)
    cli.out.result(found, run_rows(found["items"], cli.out.width))
    searched_note(cli, found, "runs", query)


@command(runs, "runs", "count")
async def count(cli: Cli, query: FilterOption = "") -> None:
    """Count the runs that match a filter."""
    found = await cli.call(items.COUNT, query={"filter": query}, resource=MachineResource.RUNS)
    cli.out.result(found, [with_commas(found["count"])])


@command(runs, "runs", "show")
async def show(cli: Cli, run: RunArgument) -> None:
    """Show one run whole, with every attempt."""
    found = await cli.call(ops.SHOW, id=run)
    cli.out.result(found, described(found))
