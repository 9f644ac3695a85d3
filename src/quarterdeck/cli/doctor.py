"""qd doctor: is everything here that the console needs?"""

from __future__ import annotations

from collections.abc import AsyncIterator

import typer

from quarterdeck import __version__
from quarterdeck.cli import checks
from quarterdeck.cli.checks import Finding, Level
from quarterdeck.cli.exits import Exit
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.operations import system
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.text import safe


def add_to(app: typer.Typer) -> None:
    command(app, "doctor")(doctor)


async def doctor(cli: Cli) -> int | None:
    """Look at terminal, home, store, socket, engine, keyring and versions; exit code 1 when something is a problem."""
    findings = [finding for check in checks.LOCAL for finding in check()]
    findings += [finding for look in checks.OF_HOME for finding in look(cli.home)]
    findings += [finding async for finding in _engine(cli)]
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(safe(f"{finding.level:<7}  {finding.name:<{width}}  {finding.found}"))
        if finding.advice:
            lines.append(safe(f"{'':<7}  {'':<{width}}  → {finding.advice}"))
    told = [{"name": each.name, "level": each.level, "found": each.found, "advice": each.advice} for each in findings]
    cli.out.result({"findings": told}, lines)
    return Exit.FAILED if any(finding.level is Level.PROBLEM for finding in findings) else None


async def _engine(cli: Cli) -> AsyncIterator[Finding]:
    """The engine, without starting one."""
    from quarterdeck.client.errors import Unreachable
    from quarterdeck.client.finding import engine_running

    pid = engine_running(cli.home)
    if pid is None:
        yield checks.ok("engine", "not running (starts when it is needed)")
        return
    try:
        client = await cli.client(start=False)
        info = await client.call(system.ENGINE)
        ready = await client.call(system.READYZ)
    except Unreachable as error:
        yield checks.problem("engine", str(error), f"Look at {cli.home.log}; qd engine stop, then qd engine start.")
        return
    except Problem as problem:
        yield checks.problem("engine", problem.detail, f"Look at {cli.home.log}.")
        return
    told = f"version {info['version']}, pid {info['pid']}, since {info['started_at']}"
    if info["version"] != __version__:
        yield checks.warning(
            "engine", told, f"This qd is {__version__}; qd engine stop, then it starts as the new one."
        )
    else:
        yield checks.ok("engine", told)
    for name, state in ready["checks"].items():
        if state == "ok":
            yield checks.ok(f"engine {name}", state)
        else:
            yield checks.problem(f"engine {name}", state, f"Look at {cli.home.log}.")
