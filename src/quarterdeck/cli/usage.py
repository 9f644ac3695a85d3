"""qd usage: what tenants have used, over time, as a file, and against limits."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from quarterdeck.cli.choices import CursorOption
from quarterdeck.cli.definitions import checked
from quarterdeck.cli.exits import usage as not_valid
from quarterdeck.cli.export import Format
from quarterdeck.cli.files import write_stream
from quarterdeck.cli.json_lines import LineError, break_off, read_batches
from quarterdeck.cli.output import Heading, table
from quarterdeck.cli.runtime import Cli, command, group, parameter
from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.enums import Period, UsageStep
from quarterdeck.contract.operations import usage as ops
from quarterdeck.contract.problems import Problem
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.format import count, per_cent, plural

usage = group("usage", "Usage: what each tenant has used, over time and against limits.")

TenantOption = Annotated[str | None, typer.Option("--tenant", help="Only what this tenant used.")]
TypeOption = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only this resource type.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="ISO 8601; else the last 30 days, the last one included.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="ISO 8601; else now.")]
StepOption = Annotated[UsageStep, typer.Option("--step", help="How finely.")]
TypeArgument = Annotated[str, typer.Argument(metavar="TYPE", help="Such as api_calls.", show_default=False)]

_NEW = ModelRef("usage:UsageEvent")
_SOURCE = "qd"
_TOTALS = (Heading("resource type"), Heading("quantity", right=True), Heading("before", right=True))
_AGAINST = (
    Heading("tenant"),
    Heading("resource type"),
    Heading("this"),
    Heading("used", right=True),
    Heading("limit", right=True),
    Heading("full", right=True),
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(usage)


def _asked() -> Iterator[Parameter]:
    """What usage is asked for, by the names of the query."""
    yield parameter("tenant", TenantOption, None)
    yield parameter("resource_type", TypeOption, None)
    yield parameter("since", SinceOption, None)
    yield parameter("until", UntilOption, None)


@command(usage, "usage", "summary", takes=_asked())
async def summary(cli: Cli, **asked: Any) -> None:
    """Totals by resource type, beside the same time before; and usage against limits."""
    found = await cli.call(ops.SUMMARY, query=asked)
    lines = [f"From {found['since']} until {found['until']}."]
    totals = [(each["resource_type"], count(each["quantity"]), count(each["previous"])) for each in found["totals"]]
    lines += ["", *table(_TOTALS, totals, width=cli.out.width)] if totals else ["Nothing was used."]
    limits = [
        (
            each["tenant_id"],
            each["resource_type"],
            each["period"],
            count(each["used"]),
            count(each["limit"]),
            per_cent(each["percent"]),
        )
        for each in found["limits"]
    ]
    lines += ["", *table(_AGAINST, limits, width=cli.out.width)] if limits else []
    cli.out.result(found, lines)


_IN_STEPS = [*_asked(), parameter("step", StepOption, UsageStep.DAY)]
_DETAILS = [
    *_IN_STEPS,
    parameter("by_tenant", Annotated[bool, typer.Option("--by-tenant", help="Each tenant by itself.")], False),
    parameter("limit", Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000)], 100),
    parameter("cursor", CursorOption, None),
]


@command(usage, "usage", "details", takes=_DETAILS)
async def details(cli: Cli, *, by_tenant: bool, **asked: Any) -> None:
    """Usage over time, the newest first."""
    page = await cli.call(ops.DETAILS, query={**asked, "by_tenant": by_tenant})
    named = (Heading("tenant"),) if by_tenant else ()
    headings = (Heading("from"), *named, Heading("resource type"), Heading("quantity", right=True))
    rows = [
        (
            each["start"],
            *((each["tenant_id"] or "(none)",) if by_tenant else ()),
            each["resource_type"],
            count(each["quantity"]),
        )
        for each in page["items"]
    ]
    cli.out.result(page, table(headings, rows, width=cli.out.width) if rows else [])
    if not rows and not cli.json:
        cli.out.note("Nothing was used in that time.")


_TOGETHER = typer.Option("--by-tenant/--together", help="Each tenant by itself.")
_FORMAT = typer.Option("--format", help="csv unless the file is called .json.")
_OUTPUT = typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")
_EXPORT = [
    *_IN_STEPS,
    parameter("by_tenant", Annotated[bool, _TOGETHER], True),
    parameter("format_", Annotated[Format | None, _FORMAT], None),
    parameter("output", Annotated[Path | None, _OUTPUT], None),
]


@command(usage, "usage", "export", takes=_EXPORT)
async def export(cli: Cli, *, format_: Format | None, output: Path | None, **asked: Any) -> None:
    """Write usage over time as CSV or JSON."""
    if format_ is None:
        by_name = output is not None and output.suffix.lower() == ".json"
        format_ = Format.JSON if cli.json or by_name else Format.CSV
    client = await cli.client()
    await write_stream(cli, client.stream(ops.EXPORT, query={**asked, "format": str(format_)}), output)


@command(usage, "usage", "record")
async def record(
    cli: Cli,
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Such as sms_sent.", show_default=False)] = None,
    quantity: Annotated[int, typer.Argument(metavar="[QUANTITY]", min=1, help="How much.")] = 1,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Who used it.")] = None,
    source: Annotated[str, typer.Option("--source", help="Where it was used.")] = _SOURCE,
    event_id: Annotated[
        str | None, typer.Option("--id", help="A second event of this id and source changes nothing; else a new one.")
    ] = None,
    time: Annotated[str | None, typer.Option("--time", metavar="TIME", help="ISO 8601; else now.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Many: JSON lines; - for standard input.")
    ] = None,
) -> None:
    """Record what was used: one event, or many from a file; the same source and id again changes nothing."""
    if (file is None) == (type_ is None):
        raise not_valid("Name a TYPE, or a --file with events.")
    if file is not None:
        await _record_file(cli, file, tenant, source)
        return
    if tenant is None:
        raise not_valid("Say who used it, with --tenant.")
    given = {
        "source": source,
        "id": event_id or str(uuid4()),
        "tenant_id": tenant,
        "resource_type": type_,
        "quantity": quantity,
        **({} if time is None else {"time": time}),
    }
    event = checked(given, _NEW.load())
    made = await cli.call(ops.RECORD, body={"events": [event]})
    said = "Recorded." if made["recorded"] else f"An event {event['id']} of {source} was there; nothing changed."
    cli.out.result(made, [said])


async def _record_file(cli: Cli, file: Path, tenant: str | None, source: str) -> None:
    defaults = {"source": source, **({} if tenant is None else {"tenant_id": tenant})}
    recorded = duplicates = lines = 0
    try:
        with cli.out.counting() as say:
            for batch in read_batches(file, _NEW.load(), defaults=defaults):
                made = await cli.call(ops.RECORD, body={"events": batch.rows})
                recorded += made["recorded"]
                duplicates += made["duplicates"]
                lines = batch.last_line
                say(f"{plural(recorded, 'event')} recorded …")
    except (LineError, Problem, Unreachable) as error:
        break_off(error, plural(recorded, "event"), lines)
    there = f", {count(duplicates)} were there before" if duplicates else ""
    summary = {"recorded": recorded, "duplicates": duplicates, "lines": lines}
    cli.out.result(summary, [f"Recorded {plural(recorded, 'event')}{there}."])


@command(usage, "usage", "limits")
async def limits(cli: Cli) -> None:
    """List what tenants may use."""
    found = await cli.call(ops.LIMITS)
    headings = (
        Heading("id", right=True),
        Heading("resource type"),
        Heading("tenant"),
        Heading("each"),
        Heading("limit", right=True),
        Heading("set by"),
    )
    rows = [
        (
            each["id"],
            each["resource_type"],
            each["tenant_id"] or "(every other)",
            each["period"],
            count(each["quantity"]),
            each["updated_by"],
        )
        for each in found["items"]
    ]
    cli.out.result(found, table(headings, rows, width=cli.out.width) if rows else [])
    if not rows and not cli.json:
        cli.out.note("There are no limits; set one with: qd usage set-limit TYPE QUANTITY.")


@command(usage, "usage", "set-limit")
async def set_limit(
    cli: Cli,
    type_: TypeArgument,
    quantity: Annotated[int, typer.Argument(metavar="QUANTITY", min=1, help="How much.", show_default=False)],
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whom it holds; else every other tenant.")] = None,
    period: Annotated[Period, typer.Option("--period", help="In which time.")] = Period.MONTH,
) -> None:
    """Say what may be used; nothing is refused beyond it, but it is shown."""
    body = {"resource_type": type_, "quantity": quantity, "tenant_id": tenant, "period": str(period)}
    found = await cli.call(ops.SET_LIMIT, body=body)
    cli.out.result(found, [f"Limit {found['id']}: {count(quantity)} {type_} a {period}."])
    await cli.remark_on(tenant)


@command(usage, "usage", "delete-limit")
async def delete_limit(
    cli: Cli, limit_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="As in qd usage limits.")]
) -> None:
    """Forget a limit."""
    found = await cli.call(ops.DELETE_LIMIT, id=limit_id)
    cli.out.result(found, [f"Forgot the limit on {found['resource_type']}."])
