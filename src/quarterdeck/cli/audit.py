"""qd audit: who did what, and whether the log is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.cli.choices import CursorOption
from quarterdeck.cli.exits import Exit
from quarterdeck.cli.output import Heading, table
from quarterdeck.cli.runtime import Cli, command, group
from quarterdeck.contract.operations import audit as ops
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.text import safe

audit = group("audit", "The audit log: append-only, every entry chained to the one before.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(audit)


@command(audit, "audit", "list")
async def list_(
    cli: Cli,
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this person did.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this action.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="Only what was done to this.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="ISO 8601; nothing older.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500)] = 50,
    cursor: CursorOption = None,
) -> None:
    """List who did what, newest first."""
    query = {"actor": actor, "action": action, "target": target, "since": since, "limit": limit, "cursor": cursor}
    page = await cli.call(ops.LIST, query=query)
    headings = (
        Heading("id", right=True),
        Heading("at"),
        Heading("actor"),
        Heading("role"),
        Heading("tenant"),
        Heading("action"),
        Heading("on"),
        Heading("reason"),
    )
    rows = [
        (
            each["id"],
            each["at"],
            each["actor"],
            each["role"],
            each["tenant_id"],
            each["action"],
            " ".join(filter(None, (each["resource"], each["target"]))),
            each["reason"],
        )
        for each in page["items"]
    ]
    cli.out.result(page, table(headings, rows, width=cli.out.width) if rows else [])
    if not rows and not cli.json:
        cli.out.note("There are no entries like that.")


@command(audit, "audit", "verify")
async def verify(cli: Cli) -> int | None:
    """Recompute the whole chain and hold it against the signed checkpoints; exit code 1 when it is not intact."""
    client = await cli.client()  # it only looks: no home is made for it
    verdict = await client.call(ops.VERIFY)
    lines = [safe(f"entry {fault['id']}, {fault['kind']}: {fault['sentence']}") for fault in verdict["faults"]]
    checked = f"{plural(verdict['entries'], 'entry', 'entries')}, {plural(verdict['checkpoints'], 'checkpoint')}"
    if verdict["intact"]:
        lines.append(f"The audit log is intact: {checked}.")
    else:
        lines.append(f"The audit log is NOT intact: {count(len(verdict['faults']))} faults in {checked}.")
    cli.out.result(verdict, lines)
    return None if verdict["intact"] else Exit.FAILED
