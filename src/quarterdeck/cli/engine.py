"""qd engine: the process behind the console."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.exits import CommandError, Exit
from quarterdeck.cli.output import pairs
from quarterdeck.cli.runtime import Cli, command, group
from quarterdeck.contract.operations import system
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.text import safe

engine = group("engine", "The engine: the process that holds the store and does the work.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(engine)


def _described(cli: Cli, info: dict[str, Any]) -> list[str]:
    return pairs(
        [
            ("state", "running"),
            ("version", info["version"]),
            ("pid", info["pid"]),
            ("home", info["home"]),
            ("socket", _socket(cli)),
            ("store", info["store"]),
            ("started", info["started_at"]),
            ("you are", f"{info['principal']['actor']} ({info['principal']['role']})"),
            ("tenants", ", ".join(info["tenants"])),
        ]
    )


def _socket(cli: Cli) -> str:
    """For programs that speak to the engine themselves."""
    from quarterdeck.client.finding import socket_of

    return str(socket_of(cli.home))


@command(engine, "engine", "start")
async def start(cli: Cli) -> None:
    """Start the engine of this home; fine when it runs already."""
    client = await cli.client(new_home=True)
    info = await client.call(system.ENGINE)
    cli.out.result({"socket": _socket(cli), **info}, _described(cli, info))


@command(engine, "engine", "status")
async def status(cli: Cli) -> int | None:
    """Say whether the engine runs; exit code 3 when it does not."""
    from quarterdeck.client.errors import Unreachable

    try:
        client = await cli.client(start=False)
        info = await client.call(system.ENGINE)
    except Unreachable as error:
        if cli.json:
            cli.out.result({"state": "stopped", "home": str(cli.home.path), "detail": str(error)}, [])
        else:
            cli.out.result({}, [f"The engine of {cli.home.path} is not running."])
        return Exit.UNREACHABLE
    cli.out.result({"state": "running", "socket": _socket(cli), **info}, _described(cli, info))
    return None


@command(engine, "engine", "stop")
async def stop(cli: Cli) -> None:
    """Stop the engine after the batches in flight; what is left goes on at the next start."""
    from quarterdeck.client.errors import Unreachable

    try:
        client = await cli.client(start=False)
        answer = await client.call(system.STOP)
    except Unreachable:
        cli.out.result({"state": "stopped"}, [f"The engine of {cli.home.path} is not running."])
        return
    await cli.close()
    await _gone(cli, int(answer["pid"]))
    cli.out.result({"state": "stopped", "pid": answer["pid"]}, [f"The engine (pid {answer['pid']}) has stopped."])


async def _gone(cli: Cli, pid: int) -> None:
    """Wait until the process has let go of its home: at most a minute, for the batches in flight."""
    from quarterdeck.client.finding import engine_running

    for _ in range(600):
        if engine_running(cli.home) != pid:
            return
        await asyncio.sleep(0.1)
    raise CommandError(f"The engine (pid {pid}) is still finishing its work; look again with qd engine status.")


@command(engine, "engine", "logs")
async def logs(
    cli: Cli,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written; ctrl+c ends it.")] = False,
) -> None:
    """Print the engine's log."""
    path = cli.home.log
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in deque(file, maxlen=lines):
                _say(cli, line)
            if follow:
                await _follow(cli, path, file.tell())
    except FileNotFoundError:
        raise CommandError(f"There is no log at {path}; the engine has not run here yet.", Exit.NOTHING) from None


async def _follow(cli: Cli, path: Path, position: int) -> None:
    while True:
        with path.open(encoding="utf-8", errors="replace") as file:
            if path.stat().st_size < position:  # a new file after rotation
                position = 0
            file.seek(position)
            for line in file:
                _say(cli, line)
            position = file.tell()
        await asyncio.sleep(0.5)


def _say(cli: Cli, line: str) -> None:
    text = line.rstrip("\n")
    cli.out.record({"line": text}, safe(text))


@command(engine, "engine", "health")
async def health(cli: Cli) -> int | None:
    """Ask the engine whether it is alive and ready; exit code 1 when it is not ready."""
    alive = await cli.call(system.HEALTHZ)
    try:
        ready = await cli.call(system.READYZ)
    except Problem as problem:
        ready = {"status": "not ready", "checks": {"engine": problem.detail}}
    found = {"alive": alive, "ready": ready}
    checks = [(name, text) for name, text in {**alive["checks"], **ready["checks"]}.items()]
    cli.out.result(found, pairs([("alive", alive["status"]), ("ready", ready["status"]), *checks]))
    return None if ready["status"] == "ok" else Exit.FAILED


@command(engine, "engine", "metrics")
async def metrics(cli: Cli) -> None:
    """Print the engine's numbers in the Prometheus text format."""
    client = await cli.client()
    text = await client.text(system.METRICS)
    cli.out.result({"metrics": text}, text.splitlines())


@command(engine, "engine", "events")
async def events(cli: Cli) -> None:
    """Print changes of items and operations as they happen; ctrl+c ends it."""
    client = await cli.client()
    async for message in client.events():
        told = {name: value for name, value in message.items() if name != "type"}
        cli.out.record(message, safe(f"{message['type']}  " + "  ".join(f"{k}={v}" for k, v in told.items())))
