"""qd export: items as CSV or JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.choices import FilterOption, ResourceArgument
from quarterdeck.cli.files import write_stream
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.operations import items


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    command(app, "export")(export)


async def export(
    cli: Cli,
    resource: ResourceArgument,
    query: FilterOption = "",
    format_: Annotated[Format | None, typer.Option("--format", help="csv unless the file is called .json.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")] = None,
) -> None:
    """Write every item that matches a filter as CSV or JSON."""
    if format_ is None:
        by_name = output is not None and output.suffix.lower() == ".json"
        format_ = Format.JSON if cli.json or by_name else Format.CSV
    client = await cli.client()
    chunks = client.stream(items.EXPORT, query={"filter": query, "format": str(format_)}, resource=resource)
    await write_stream(cli, chunks, output)
