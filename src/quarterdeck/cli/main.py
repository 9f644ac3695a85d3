"""The `qd` command. Plain `qd` opens the console without reading the command line's libraries."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from quarterdeck.cli.console import open_console

# Options of the console itself; anything else is the command line's business.
_SWITCHES = {"--read-only": "read_only"}
_VALUES = {"--home": "home", "--theme": "theme"}


def console_options(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The console's options, or None where the arguments say something else."""
    found: dict[str, Any] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument in _SWITCHES:
            found[_SWITCHES[argument]] = True
        elif name in _VALUES:
            if not equals:
                value = next(rest, "")
            if not value:
                return None
            found[_VALUES[name]] = value
        else:
            return None
    return found


def run(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = console_options(arguments)
    if options is not None:
        return open_console(**options)
    from quarterdeck.cli.app import run as run_command

    return run_command(list(arguments))


def main() -> NoReturn:
    sys.exit(run())
