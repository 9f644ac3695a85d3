"""qd import: files of other systems become items."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarterdeck.cli.choices import ResourceArgument
from quarterdeck.cli.exits import CommandError, Exit, usage
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.operations import items
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.format import count, plural

if TYPE_CHECKING:
    from quarterdeck.cli.importing.run import Summary

# Seconds before a batch is sent again when the engine has gone away.
_TRIES = (0.2, 1.0, 3.0)
_NAMED = 3


def add_to(app: typer.Typer) -> None:
    command(app, "import")(import_)


async def import_(
    cli: Cli,
    resource: ResourceArgument,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CSV, JSON or JSON lines, plain or gzipped; - to read standard input."),
    ],
    mapping: Annotated[Path, typer.Option("--mapping", metavar="MAP.toml", help="Which column becomes what.")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose items these are; wins over the mapping.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", metavar="FILE", help="Where rejected rows go. Else a new FILE.rejects.csv here."),
    ] = None,
) -> int | None:
    """Import a file; the same file again changes nothing, changed rows update their items."""
    from quarterdeck.cli.importing.mapping import MappingError, load_mapping
    from quarterdeck.cli.importing.readers import SourceFile, UnreadableFile
    from quarterdeck.cli.importing.rejects import Rejects
    from quarterdeck.cli.importing.run import Importer
    from quarterdeck.client.errors import Unreachable

    where = rejects or _unused(f"{file.name if str(file) != '-' else 'import'}.rejects")
    if where.exists() and file.exists() and where.samefile(file):
        raise usage("--rejects names the file that is to be read; choose another.")
    importer: Importer | None = None
    try:
        rules = load_mapping(mapping)
        with _Progress() as progress:
            importer = Importer(rules, mapping, resource, tenant, Rejects(where), dry_run=dry_run, progress=progress)
            source = SourceFile(file, rules.source)
            try:
                importer.check_columns(source)
                await cli.client(new_home=True)
                summary = await importer.run(source, partial(_send, cli, resource))
            finally:
                source.close()
    except (MappingError, UnreadableFile) as error:
        done = f" {_so_far(importer.summary)}" if importer is not None else ""
        raise CommandError(f"{error}{done}") from error
    except (asyncio.CancelledError, Unreachable, Problem, OSError):
        if importer is not None and (done := _so_far(importer.summary)):
            cli.out.note(done)
        raise
    return _report(cli, resource, importer, summary)


async def _send(cli: Cli, resource: str, body: dict[str, Any]) -> Any:
    """A batch can be sent again: what has arrived before changes nothing. Raises Unreachable after some tries."""
    from quarterdeck.client.errors import Unreachable

    for wait in _TRIES:
        try:
            return await cli.call(items.IMPORT, body=body, resource=resource)
        except Unreachable:
            await asyncio.sleep(wait)
            client = await cli.client()
            if client.revive is not None:
                await client.revive()
    return await cli.call(items.IMPORT, body=body, resource=resource)


def _so_far(summary: Summary) -> str:
    done = summary.created + summary.updated + summary.unchanged
    if not done or summary.dry_run:
        return ""
    return f"{plural(done, 'item')} had been imported before; import again to go on, nothing is imported twice."


def _unused(name: str) -> Path:
    """`name.csv`, or `name.2.csv` and so on: rows rejected earlier may still be waiting for somebody."""
    path, number = Path(f"{name}.csv"), 1
    while path.exists():
        number += 1
        path = Path(f"{name}.{number}.csv")
    return path


def _never_found(found: list[tuple[str, str]]) -> str:
    named = [f"{key} names '{name}'" for key, name in found[:_NAMED]]
    more = f", and {count(len(found) - _NAMED)} more do so too" if len(found) > _NAMED else ""
    return f"The mapping's {', '.join(named)}, which no record has{more}."


def _report(cli: Cli, resource: str, importer: Any, summary: Summary) -> int | None:
    would = "would be " if summary.dry_run else ""
    lines = [
        f"{plural(summary.rows, 'row')} of {resource}: {count(summary.created)} {would}created, "
        f"{count(summary.updated)} {would}updated, {count(summary.unchanged)} unchanged, "
        f"{plural(summary.events, 'timeline line')}, {count(summary.rejected)} rejected."
    ]
    cli.out.result(summary.as_json(), lines)
    if summary.never_found:
        cli.out.note(_never_found(summary.never_found))
    if not summary.rejected:
        return None
    for reject in importer.rejects.first:
        cli.out.note(f"  {reject.sentence()}")
    if summary.rejected > len(importer.rejects.first):
        cli.out.note(f"  … and {count(summary.rejected - len(importer.rejects.first))} more")
    cli.out.note(f"Rejected rows are in {summary.rejects_file}.")
    used = summary.created + summary.updated + summary.unchanged
    return Exit.PARTIAL if used else Exit.FAILED


class _Progress:
    """A bar on standard error, where somebody looks at it; called from the thread that reads."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[told]}", markup=False),
                console=Console(stderr=True),
                transient=True,
                refresh_per_second=5,
            )
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, part: str, done: int, total: int | None, summary: Summary) -> None:
        if self._bar is None:
            return
        told = f"{count(summary.rows)} rows"
        if part not in self._tasks:
            self._tasks[part] = self._bar.add_task(part, total=total, told=told)
        self._bar.update(self._tasks[part], completed=done, total=total, told=told)
