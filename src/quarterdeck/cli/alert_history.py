"""qd alerts …: what fires, and what people do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.alert_lines import alert_rows, detail_lines, group_rows, stats_lines
from quarterdeck.cli.alert_words import minutes_of
from quarterdeck.cli.choices import CursorOption, TenantOption
from quarterdeck.cli.exits import CommandError, Exit
from quarterdeck.cli.json_lines import json_file
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.enums import AlertState, Severity
from quarterdeck.contract.operations import alerts as ops
from quarterdeck.tui.format import count, plural

IdArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number.", show_default=False)]
IdsArgument = Annotated[list[int], typer.Argument(metavar="ID…", min=1, help="Numbers of alerts.", show_default=False)]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="TOML (.toml) or JSON; - for standard input.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")]
FilterOption = Annotated[
    str,
    typer.Option(
        "--query",
        "-q",
        metavar="FILTER",
        help="For example: severity:critical is:unacknowledged queue=mail.",
    ),
]
Lines = Sequence[Mapping[str, Any]]


def declare(app: typer.Typer) -> None:
    """Add the commands to the group."""

    @command(app, "alerts", "list")
    async def list_(
        cli: Cli,
        state: Annotated[AlertState | None, typer.Option("--state", help="Only these.")] = None,
        severity: Annotated[Severity | None, typer.Option("--severity", help="Only these.")] = None,
        tenant: TenantOption = None,
        label: Annotated[str | None, typer.Option("--label", help="Only with this label: name=value.")] = None,
        filter_: FilterOption = "",
        limit: LimitOption = 100,
        cursor: CursorOption = None,
    ) -> None:
        """List alerts, the newest first: what waits, fires and is over."""
        asked = {"state": state, "severity": severity, "tenant": tenant, "label": label, "cursor": cursor}
        asked["filter"] = filter_ or None
        found = await cli.call(ops.HISTORY, query={**{k: v for k, v in asked.items() if v is not None}, "limit": limit})
        cli.out.result(found, alert_rows(found["items"], cli.out.width))
        if not found["items"] and not cli.json:
            cli.out.note("There are no such alerts.")

    @command(app, "alerts", "groups")
    async def groups(cli: Cli, filter_: FilterOption = "") -> None:
        """Say what fires in groups of what is told together, the worst first."""
        found = await cli.call(ops.BOARD, query={"filter": filter_, "alone": True})
        cli.out.result(found, group_rows(found["groups"], cli.out.width))
        if not cli.json:
            number = sum(found["firing"].values())
            grouped = sum(sum(each["firing"].values()) for each in found["groups"])
            others = f" ({count(number - grouped)} of which stand in no group above)" if number > grouped else ""
            resolved = f"{count(found['resolved'])} are over"
            cli.out.note(f"{plural(number, 'alert')} firing{others}, {count(found['pending'])} about to; {resolved}.")

    @command(app, "alerts", "show")
    async def show(cli: Cli, alert: IdArgument) -> None:
        """Show one alert: what became of it, and what was sent."""
        found = await cli.call(ops.SHOW, id=alert)
        cli.out.result(found, detail_lines(found))

    @command(app, "alerts", "ack")
    async def ack(
        cli: Cli,
        alerts: IdsArgument,
        time: Annotated[str | None, typer.Option("--for", metavar="TIME", help="30m, 4h, 2d.")] = None,
        note: Annotated[str | None, typer.Option("--note", help="What is being done.")] = None,
    ) -> Exit | None:
        """Say that you look after alerts: they stop repeating, for a time or until they get worse."""
        minutes = None if time is None else minutes_of(time)
        found = await cli.call(ops.ACKNOWLEDGE, body={"ids": alerts, "minutes": minutes, "note": note})
        return _acted(cli, found, "Acknowledged")

    @command(app, "alerts", "unack")
    async def unack(
        cli: Cli,
        alerts: IdsArgument,
        note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    ) -> Exit | None:
        """Take acknowledgements back: the alerts are told anew, and repeat."""
        found = await cli.call(ops.UNACKNOWLEDGE, body={"ids": alerts, "note": note})
        return _acted(cli, found, "Nobody looks after", otherwise="Not acknowledged, not firing, or not there")

    @command(app, "alerts", "resolve")
    async def resolve(
        cli: Cli, alerts: IdsArgument, note: Annotated[str, typer.Option("--note", help="Why it is over.")]
    ) -> Exit | None:
        """Say that alerts are over, and why."""
        return _acted(cli, await cli.call(ops.RESOLVE, body={"ids": alerts, "note": note}), "Resolved")

    @command(app, "alerts", "stats")
    async def stats(
        cli: Cli,
        tenant: TenantOption = None,
        days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far back.")] = 7,
    ) -> None:
        """Say how many alerts there are, and how long they took."""
        found = await cli.call(ops.STATS, query={"days": days, **({} if tenant is None else {"tenant": tenant})})
        cli.out.result(found, stats_lines(found, days))

    @command(app, "alerts", "post")
    async def post(cli: Cli, file: FileArgument) -> None:
        """Post alerts from a JSON file as Prometheus does: a list of labels, annotations, startsAt, endsAt."""
        body = json_file(file)
        if not isinstance(body, list):
            raise CommandError(f"{file} holds no list of alerts.")
        posted: Any = body
        found = await cli.call(ops.POST, body=posted)
        cli.out.result(found, [f"Posted {plural(found['received'], 'alert')}; {count(found['changed'])} changed."])


def _acted(
    cli: Cli, found: Mapping[str, Any], verb: str, *, otherwise: str = "Not firing, or not there"
) -> Exit | None:
    lines = [f"{verb} {plural(len(found['done']), 'alert')}."]
    if found["skipped"]:
        lines.append(f"{otherwise}: {', '.join(map(str, found['skipped']))}.")
    cli.out.result(found, lines)
    if found["skipped"]:
        return Exit.PARTIAL if found["done"] else Exit.NOTHING
    return None
