"""The command line: every command in its group."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import typer

from quarterdeck import __version__
from quarterdeck.cli.exits import EPILOG, Exit
from quarterdeck.cli.runtime import fail
from quarterdeck.config.wording import plain

app = typer.Typer(
    name="qd",
    help="A terminal console, with its own engine, for the people who run operations.\n\n"
    "Without a command it opens the console.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
    epilog=EPILOG,
)


@app.callback()
def _console(
    context: typer.Context,
    home: Annotated[
        str | None, typer.Option("--home", metavar="DIR", help="The instance to open. Else QUARTERDECK_HOME.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Every action that changes something is off.")] = False,
    theme: Annotated[str | None, typer.Option("--theme", help="A theme for this time.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int:
    context.obj = {"home": home, "json": as_json}
    if version:
        print(f"qd {__version__}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        from quarterdeck.cli.console import open_console

        raise typer.Exit(open_console(home, read_only=read_only, theme=theme))
    return Exit.OK


def _assemble() -> None:
    # Each module adds its commands to `app` or to a group of its own.
    from quarterdeck.cli import (
        alerts,
        audit,
        bulk,
        demo,
        dlq,
        doctor,
        engine,
        export,
        imports,
        items,
        overview,
        queues,
        runs,
        sla,
        usage,
        workers,
    )

    for module in (
        engine,
        overview,
        items,
        bulk,
        queues,
        runs,
        dlq,
        workers,
        sla,
        alerts,
        usage,
        audit,
        imports,
        export,
        demo,
        doctor,
    ):
        module.add_to(app)


_assemble()


@cache
def _command() -> Callable[..., Any]:
    """Made once: it asks for the types of all options of all commands."""
    return typer.main.get_command(app)


def run(arguments: list[str]) -> int:
    """Run one command line to its exit code."""
    try:
        result = _command()(args=arguments, prog_name="qd", standalone_mode=False)
    except typer.Abort:
        return fail("Interrupted.", Exit.INTERRUPTED)
    except typer.TyperException as error:
        command = "qd"
        context = getattr(error, "ctx", None)
        if context is not None:
            command = context.command_path
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)
            return Exit.USAGE
        said = plain(error.format_message()).rstrip(".")
        return fail(f"{said}{'' if said.endswith('?') else '.'} See {command} --help.", Exit(error.exit_code))
    return result if isinstance(result, int) else Exit.OK
