"""qd alerts …: what is kept quiet, for how long and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from quarterdeck.cli.alert_words import minutes_of
from quarterdeck.cli.exits import usage
from quarterdeck.cli.output import Heading, table
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.enums import SilenceState
from quarterdeck.contract.operations import alerts as ops
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.screens.setup.written_labels import write_matchers

_MATCHER = re.compile(r"([a-zA-Z_]\w*)(=~|!~|!=|=)(.*)", re.DOTALL)
IdArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number.", show_default=False)]


def declare(app: typer.Typer) -> None:
    """Add the commands to the group."""

    @command(app, "alerts", "silence")
    async def silence(
        cli: Cli,
        matchers: Annotated[list[str], typer.Argument(metavar="MATCHER…", help="name=value, !=, =~ or !~.")],
        comment: Annotated[str, typer.Option("--comment", help="Why.")],
        time: Annotated[str, typer.Option("--for", metavar="TIME", help="30m, 4h, 2d.")] = "2h",
        tenant: Annotated[str | None, typer.Option("--tenant", help="Of this tenant only.")] = None,
        preview: Annotated[bool, typer.Option("--preview", help="Only say what would be quiet.")] = False,
    ) -> None:
        """Keep alerts that match all of these from being sent, for a time."""
        body: dict[str, Any] = {
            "matchers": [_matcher(each) for each in matchers],
            "comment": comment,
            "tenant_id": tenant,
            "ends_at": (datetime.now(UTC) + timedelta(minutes=minutes_of(time))).isoformat(),
        }
        if preview:
            would = await cli.call(ops.PREVIEW_SILENCE, body=body)
            already = f", {count(would['quiet'])} of which are quiet already" if would["quiet"] else ""
            pending = f" and {count(would['pending'])} about to" if would["pending"] else ""
            said = f"It would keep {plural(would['firing'], 'firing alert')}{pending} quiet{already}."
            cli.out.result(would, [said])
            return
        found = await cli.call(ops.SILENCE, body=body)
        said = f"Silence {found['id']} keeps {plural(found['alerts'], 'alert')} quiet until {found['ends_at']}."
        cli.out.result(found, [said])

    @command(app, "alerts", "silences")
    async def silences(cli: Cli) -> None:
        """List the silences, the newest first."""
        found = await cli.call(ops.SILENCES)
        headings = (Heading("id", right=True), Heading("state"), Heading("matches"), Heading("ends"), Heading("why"))
        rows = [
            (each["id"], _standing(each), write_matchers(each["matchers"]), each["ends_at"], each["comment"])
            for each in found["items"]
        ]
        cli.out.result(found, table(headings, rows, width=cli.out.width) if rows else [])
        if not rows and not cli.json:
            cli.out.note("Nothing is silenced.")

    @command(app, "alerts", "unsilence")
    async def unsilence(cli: Cli, silence: IdArgument) -> None:
        """End a silence now."""
        cli.out.result(await cli.call(ops.END_SILENCE, id=silence), [f"Silence {silence} is over."])


def _standing(silence: Mapping[str, Any]) -> str:
    return "broken" if silence["error"] and silence["state"] != SilenceState.EXPIRED else str(silence["state"])


def _matcher(text: str) -> dict[str, Any]:
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise usage(f"'{text}' is no matcher such as queue=mail or team=~a|b.")
    name, sign, value = match.groups()
    return {"name": name, "value": value, "is_regex": "~" in sign, "is_equal": not sign.startswith("!")}
