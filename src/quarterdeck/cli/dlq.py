"""qd dlq: dead letters, looked at and replayed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli import dlq_files, forms, machine_actions
from quarterdeck.cli.choices import CursorOption, LimitOption, OldestOption
from quarterdeck.cli.dlq_lines import described, group_lines, letter_line, letter_rows, stats_lines
from quarterdeck.cli.exits import usage
from quarterdeck.cli.json_lines import json_file, json_value
from quarterdeck.cli.machine_actions import Chosen, Way
from quarterdeck.cli.runtime import Cli, command, group, parameter
from quarterdeck.cli.searching import all_pages, searched_note
from quarterdeck.contract.actions import ACTIONS
from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import dead_letters as ops
from quarterdeck.contract.operations import items
from quarterdeck.tui.format import count as with_commas

dlq = group("dlq", "Dead letters: what is kept when a run has used up its attempts.")

FilterOption = Annotated[
    str, typer.Option("--query", "-q", metavar="FILTER", help='For example: queue:refunds-api error:503 "order-42".')
]
LetterArgument = Annotated[
    int, typer.Argument(metavar="ID", min=1, help="Number of the dead letter.", show_default=False)
]

_RETRY = ACTIONS[MachineResource.DEAD_LETTERS, "retry"]
_DISCARD = ACTIONS[MachineResource.DEAD_LETTERS, "discard"]
_REOPEN = ACTIONS[MachineResource.DEAD_LETTERS, "reopen"]


class Period(StrEnum):
    """How far back growth is shown."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def add_to(app: typer.Typer) -> None:
    _declare_retry()
    machine_actions.declare(dlq, "dlq", Way(_DISCARD, _discard, machine_actions.by_bulk(_DISCARD), _line))
    machine_actions.declare(dlq, "dlq", Way(_REOPEN, _reopen, machine_actions.by_bulk(_REOPEN), _line))
    dlq_files.add_to(dlq)
    app.add_typer(dlq)


def _line(done: dict[str, Any]) -> str:
    return letter_line(done["dead_letter"])


async def _retry(cli: Cli, number: int, params: dict[str, Any]) -> dict[str, Any]:
    return await cli.call(ops.RETRY, body=params, id=number)


async def _discard(cli: Cli, number: int, params: dict[str, Any]) -> dict[str, Any]:
    return await cli.call(ops.DISCARD, body=params, id=number)


async def _reopen(cli: Cli, number: int, params: dict[str, Any]) -> dict[str, Any]:
    return await cli.call(
        items.ACT, body={"params": params}, resource=MachineResource.DEAD_LETTERS, id=number, action=_REOPEN.verb
    )


async def _retry_batch(cli: Cli, query: str, without: list[int] | None, params: dict[str, Any]) -> dict[str, Any]:
    if not without:
        return await cli.call(ops.RETRY_BATCH, body={"filter": query, **params})
    body = {"filter": query, "except_ids": without}
    chosen = await cli.call(items.SELECT, body=body, resource=MachineResource.DEAD_LETTERS)
    return await cli.call(ops.RETRY_BATCH, body={"selection": chosen["token"], **params})


def _declare_retry() -> None:
    """As every action, and one of them with another payload."""
    options = list(forms.options(_RETRY))
    way = Way(_RETRY, _retry, _retry_batch, _line)

    async def retry(cli: Cli, *, payload: str | None, payload_file: Path | None, **given: Any) -> int | None:
        params = forms.params(_RETRY, {option.name: given.pop(option.name) for option in options})
        chosen = Chosen(**given)
        if payload is not None and payload_file is not None:
            raise usage("Give --payload or --payload-file, not both.")
        if payload is not None or payload_file is not None:
            if chosen.query is not None or len(chosen.ids or ()) != 1:
                raise usage("A changed payload goes with one id.")
            text = json_value(payload, "--payload") if payload is not None else None
            params["payload"] = json_file(payload_file) if payload_file is not None else text
        return await machine_actions.carry_out(cli, way, chosen, params)

    changed = typer.Option(
        "--payload", metavar="JSON", help="Of one: retry it with this instead; what differs is kept."
    )
    file = typer.Option("--payload-file", metavar="FILE", help="The same from a file; - for standard input.")
    takes = [
        *machine_actions.selecting(),
        *options,
        parameter("payload", Annotated[str | None, changed], None),
        parameter("payload_file", Annotated[Path | None, file], None),
        *machine_actions.agreeing(),
    ]
    command(dlq, "dlq", "retry", help=_RETRY.summary, takes=takes)(retry)


@command(dlq, "dlq", "list")
async def list_(
    cli: Cli,
    query: FilterOption = "",
    limit: LimitOption = 50,
    oldest_first: OldestOption = False,
    cursor: CursorOption = None,
) -> None:
    """List the dead letters that match a filter."""
    wanted = {"filter": query, "sort": "created" if oldest_first else "-created"}
    found = await all_pages(cli, ops.LIST, wanted, limit, cursor)
    cli.out.result(found, letter_rows(found["items"], cli.out.width))
    searched_note(cli, found, "dead letters", query)


@command(dlq, "dlq", "count")
async def count(cli: Cli, query: FilterOption = "") -> None:
    """Count the dead letters that match a filter."""
    found = await cli.call(items.COUNT, query={"filter": query}, resource=MachineResource.DEAD_LETTERS)
    cli.out.result(found, [with_commas(found["count"])])


@command(dlq, "dlq", "show")
async def show(cli: Cli, letter: LetterArgument) -> None:
    """Show one dead letter whole: payload, metadata, every attempt."""
    found = await cli.call(ops.SHOW, id=letter)
    cli.out.result(found, described(found))


@command(dlq, "dlq", "groups")
async def groups(cli: Cli, query: FilterOption = "") -> None:
    """Group dead letters by queue, code and message, the most frequent first."""
    found = await cli.call(ops.GROUPS, query={"filter": query})
    cli.out.result(found, group_lines(found))
    if cli.json:
        return
    if not found["items"]:
        cli.out.note("No dead letters match this filter." if query else "There are no dead letters.")
    elif found["searched"] < 1:
        cli.out.note(f"Time was up after {found['searched']:.0%} of them; a narrower filter counts all.")
    else:
        cli.out.note(f"Act on one of them with: qd dlq retry -q group:{found['items'][0]['group']}")


@command(dlq, "dlq", "stats")
async def stats(
    cli: Cli, period: Annotated[Period, typer.Option("--period", help="How far back growth is shown.")] = Period.DAY
) -> None:
    """Count dead letters by queue, type and tenant, and show how they grow."""
    found = await cli.call(ops.STATS, query={"period": period})
    cli.out.result(found, stats_lines(found, cli.out.width))
