"""qd runs logs: what the attempts at a run wrote."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated, Any

import typer

from quarterdeck.cli.run_lines import log_line, run_line
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import runs as ops

_ENDED = (RunStatus.COMPLETED, RunStatus.DEAD, RunStatus.CANCELLED)
_PAGE = 1_000


def add_to(app: typer.Typer) -> None:
    command(app, "runs", "logs")(logs)


async def logs(
    cli: Cli,
    run: Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the run.", show_default=False)],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    attempt: Annotated[int | None, typer.Option("--attempt", min=1, max=1_000, help="Only this attempt.")] = None,
    search: Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Only lines with this text.")] = None,
) -> None:
    """Print what the attempts wrote, oldest first; with --json one object a line."""
    reader = _Reader(cli, run, {"attempt": attempt, "search": search, "limit": _PAGE})
    await reader.read()
    if not follow:
        if not reader.lines and not cli.json:
            cli.out.note(f"Run {run} has no such lines." if attempt or search else f"Run {run} has written nothing.")
        return
    client = await cli.client()
    async with aclosing(client.watch_run(run)) as messages:
        async for message in messages:
            await reader.read()
            if message["type"] == Message.RUN_CHANGED and message["run"]["status"] in _ENDED:
                if not cli.json:
                    cli.out.note(run_line(message["run"]))
                return


class _Reader:
    """Prints lines, each once."""

    def __init__(self, cli: Cli, run: int, query: dict[str, Any]) -> None:
        self._cli = cli
        self._run = run
        self._query = query
        self._cursor: str | None = None
        self._over = False
        self.lines = 0

    async def read(self) -> None:
        """Those that there are now and were not printed yet."""
        while not self._over:
            page = await self._cli.call(ops.LOGS, query={**self._query, "cursor": self._cursor}, id=self._run)
            for line in page["items"]:
                self._cli.out.record(line, log_line(line))
            self.lines += len(page["items"])
            self._cursor = page["next"]
            self._over = self._cursor is None
            if len(page["items"]) < _PAGE:
                return
