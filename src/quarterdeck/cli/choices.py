"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.contract.enums import AnyResource, MachineResource, Resource, read_resource

ResourceArgument = Annotated[Resource, typer.Argument(help="Which kind of queue.", show_default=False)]


def _read_any(text: str) -> AnyResource:
    try:
        return read_resource(text)
    except ValueError:
        known = ", ".join(f"'{each}'" for each in (*Resource, *MachineResource))
        raise typer.BadParameter(f"'{text}' is not one of {known}.") from None


# Whatever a bulk operation can act on. The command line's library takes no union, hence Any: an AnyResource.
AnyResourceArgument = Annotated[
    Any,
    typer.Argument(
        parser=_read_any,
        metavar="RESOURCE",
        help=f"One of {', '.join((*Resource, *MachineResource))}.",
        show_default=False,
    ),
]
FilterOption = Annotated[
    str, typer.Option("--query", "-q", metavar="FILTER", help='For example: status:open priority:urgent "paper jam".')
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="Only this tenant.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=0, help="How many; 0 for all.")]
CursorOption = Annotated[str | None, typer.Option("--cursor", help="Go on from the `next` of an earlier --json.")]
OldestOption = Annotated[bool, typer.Option("--oldest-first", help="Else the newest come first.")]
ExceptOption = Annotated[list[int] | None, typer.Option("--except", metavar="ID", help="All that match, but not this.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit log.")]
