"""qd bulk template: bulk operations saved under a name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.cli import bulk_flow as flow
from quarterdeck.cli import forms
from quarterdeck.cli.choices import AnyResourceArgument, FilterOption, ReasonOption, YesOption
from quarterdeck.cli.exits import CommandError, Exit
from quarterdeck.cli.output import Heading, table
from quarterdeck.cli.runtime import Cli, command, group
from quarterdeck.contract.enums import read_resource
from quarterdeck.contract.operations import bulk as ops

template = group("template", "Bulk operations to use again: a filter, an action and its parameters under a name.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name or number of the template.")]


def add_to(bulk: typer.Typer) -> None:
    bulk.add_typer(template)


@command(template, "bulk", "template", "list")
async def list_(cli: Cli) -> None:
    """List the saved bulk operations."""
    found = await _all(cli)
    headings = (Heading("id", right=True), Heading("name"), Heading("resource"), Heading("action"), Heading("filter"))
    rows = [[each[name] for name in ("id", "name", "resource", "action", "filter")] for each in found]
    cli.out.result({"items": found}, table(headings, rows, width=cli.out.width) if rows else [])
    if not found and not cli.json:
        cli.out.note("Nothing is saved yet; qd bulk template save NAME RESOURCE ACTION saves one.")


@command(template, "bulk", "template", "save")
async def save(
    cli: Cli,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    resource: AnyResourceArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION")],
    query: FilterOption = "",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the action; can be repeated.")
    ] = None,
    reason: ReasonOption = None,
) -> None:
    """Save a bulk operation under a name; the same name is replaced."""
    declared = flow.bulk_action(resource, action)
    body: dict[str, Any] = {
        "name": name,
        "resource": resource,
        "action": action,
        "filter": query,
        "params": forms.params(declared, forms.settings(set_ or [])),
    }
    if reason is not None:
        body["reason"] = reason
    made = await cli.call(ops.SAVE_TEMPLATE, body=body)
    cli.out.result(made, [f"Saved as {made['id']}. Run it with: qd bulk template run {made['id']}"])


@command(template, "bulk", "template", "delete")
async def delete(cli: Cli, name: NameArgument) -> None:
    """Forget a saved bulk operation."""
    found = await _named(cli, name)
    gone = await cli.call(ops.DELETE_TEMPLATE, id=found["id"])
    cli.out.result(gone, [f"Deleted template {gone['id']}."])


@command(template, "bulk", "template", "run")
async def run(
    cli: Cli,
    name: NameArgument,
    yes: YesOption = False,
    confirm_count: Annotated[
        int | None, typer.Option("--confirm-count", metavar="N", help="Agree to exactly this many.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,
) -> int | None:
    """Run a saved bulk operation on what matches its filter now."""
    found = await _named(cli, name)
    made = await flow.draft(
        cli,
        flow.bulk_action(read_resource(found["resource"]), found["action"]),
        query=found["filter"],
        ids=None,
        given={key: "" if value is None else str(value) for key, value in found["params"].items()},
        reason=found["reason"],
        run_at=None,
        batch_size=None,
    )
    return await flow.carry_out(cli, made, yes=yes, confirm_count=confirm_count, wait=wait)


async def _all(cli: Cli) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await cli.call(ops.TEMPLATES, query={"limit": 500, "cursor": cursor})
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


async def _named(cli: Cli, name: str) -> dict[str, Any]:
    for each in await _all(cli):
        if name in (each["name"], str(each["id"])):
            return each
    raise CommandError(f"There is no template '{name}'; qd bulk template list shows them.", Exit.NOTHING)
