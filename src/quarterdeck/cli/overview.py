"""qd overview: what needs somebody now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from quarterdeck.cli.output import Heading, table
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.operations import overview as ops
from quarterdeck.tui.format import count, per_cent, plural
from quarterdeck.tui.screens.home.needs import alert_name, needs, quiet_words
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]
_COUNTING = "still being counted"


def add_to(app: typer.Typer) -> None:
    command(app, "overview")(overview)


async def overview(
    cli: Cli,
    critical: Annotated[
        bool, typer.Option("--critical", help="Only critical alerts that nobody has acknowledged or silenced.")
    ] = False,
) -> None:
    """Say what needs you now, and how everything does, in short."""
    if critical:
        found = await cli.call(ops.CRITICAL)
        cli.out.result(found, critical_lines(found, cli.out.width))
        if not found["newest"] and not cli.json:
            cli.out.note("No critical alert fires that nobody has seen to.")
        return
    found = await cli.call(ops.SHOW)
    cli.out.result(found, overview_lines(found, cli.out.width))


def critical_lines(found: Row, width: int | None) -> list[str]:
    """A table, and how many others there are."""
    if not found["newest"]:
        return []
    headings = (Heading("id", right=True), Heading("alert"), Heading("tenant"), Heading("since"))
    rows = [(each["id"], alert_name(each), each["tenant_id"] or "", each["since"]) for each in found["newest"]]
    others = found["count"] - len(rows)
    more = [f"{count(others, more=found['more'])} more; see them with: qd alerts list --severity critical"]
    return [*table(headings, rows, width=width), *(more if others else [])]


def overview_lines(found: Row, width: int | None) -> list[str]:
    """What needs somebody first, then a line of each part."""
    needed = needs(found)
    lines = [each.words for each in needed] or [quiet_words(found)]
    lines.append("")
    if found["items"] is not None:
        headings = (Heading("queue"), *(Heading(each, right=True) for each in ("open", "due soon", "late")))
        rows = [
            (each["resource"], *(_number(each[name]) for name in ("open", "due_soon", "breached")))
            for each in found["items"]
        ]
        lines += [*table(headings, rows, width=width), ""]
    said = {
        "promises": _promises,
        "dead letters": _dead_letters,
        "alerts": _alerts,
        "workers": _conditions,
        "queues": _conditions,
        "operations": _operations,
    }
    members = {"dead letters": "dead_letters", "operations": "bulk"}
    for name, say in said.items():
        part = found[members.get(name, name)]
        if part is not None:
            lines.append(f"{name:<14}{say(part)}")
    lines += [f"{each['part'].replace('_', ' '):<14}{safe(each['why'])}" for each in found["failed"]]
    return lines


def _number(value: int | None) -> str:
    return "?" if value is None else count(value)


def _promises(part: Row) -> str:
    if part["week"] is None:
        return _COUNTING
    said = [
        f"{name} {per_cent(each['percent'])} kept, {count(each['breached'])} broken"
        for name, each in (("24 h", part["day"]), ("7 days", part["week"]))
        if each["percent"] is not None
    ]
    return "; ".join(said) or "none came to a verdict in 7 days"


def _dead_letters(part: Row) -> str:
    return f"{count(part['pending'])} pending, {part['hour']:+,} within an hour, {part['day']:+,} within 24 h"


def _alerts(part: Row) -> str:
    if not part["firing"] and not part["rules"]:
        return "no rule watches; make one with: qd alerts create-rule FILE"
    counts = ", ".join(f"{count(each['count'])} {each['name']}" for each in part["by_severity"])
    seen = f"; {count(part['acknowledged'])} acknowledged" if part["acknowledged"] else ""
    return f"{counts}{seen}"


def _conditions(part: Row) -> str:
    return ", ".join(f"{count(part[name])} {name}" for name in ("healthy", "degraded", "unhealthy"))


def _operations(part: Row) -> str:
    running = part["operations"]
    if not running:
        return "none runs"
    named = ", ".join(f"{safe(each['label'])} #{each['id']}" for each in running[:3])
    return f"{plural(len(running), 'operation')}{' or more' if part['more'] else ''}: {named}"
