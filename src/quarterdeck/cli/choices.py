"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.contract.enums import Resource

ResourceArgument = Annotated[Resource, typer.Argument(help="Which kind of queue.", show_default=False)]
FilterOption = Annotated[
    str, typer.Option("--query", "-q", metavar="FILTER", help='For example: status:open priority:urgent "paper jam".')
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
