"""qd demo: a living world to look around in."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.exits import EPILOG, CommandError, Exit
from quarterdeck.cli.runtime import Cli, HomeOption, command, guarded
from quarterdeck.config.home import Home

demo = typer.Typer(
    name="demo",
    help="A living world in a home of its own: look around, break things, wipe it.",
    invoke_without_command=True,
    rich_markup_mode=None,
    epilog=EPILOG,
)

FIRST_LOOK = "support_tasks status:open,in_progress,waiting"


def add_to(app: typer.Typer) -> None:
    app.add_typer(demo)


def demo_home(given: str | None) -> Home:
    """A home of its own: never the one with the user's work, unless --home names it."""
    if given:
        return Home(Path(given).expanduser().absolute())
    from platformdirs import user_cache_dir

    return Home(Path(user_cache_dir("quarterdeck-demo", appauthor=False)))


@demo.callback()
def _open(
    context: typer.Context,
    home: HomeOption = None,
    console: Annotated[bool, typer.Option("--console/--no-console", help="Open the console when ready.")] = True,
    read_only: Annotated[bool, typer.Option("--read-only", help="Every action that changes something is off.")] = False,
    theme: Annotated[str | None, typer.Option("--theme", help="A theme for this time.")] = None,
) -> int:
    above = context.find_root().obj or {}
    context.obj = {"home": home or above.get("home"), "json": above.get("json")}
    if context.invoked_subcommand is not None:
        return Exit.OK
    place = demo_home(context.obj["home"])

    def whole() -> int:
        asyncio.run(_ready(place))
        if not console:
            _say(f"The demo world is ready. Open it with: {_again(place)}")
            return Exit.OK
        from quarterdeck.cli.console import open_console
        from quarterdeck.demo.process import watching

        _say("Opening the console: q goes back and leaves, ? shows the keys.")
        with watching(place):
            # The first look is at work that waits; later ones are where the last one ended.
            go_to = "" if place.console_state.exists() else FIRST_LOOK
            code = open_console(str(place.path), read_only=read_only, theme=theme, go_to=go_to)
        _say(
            f"The demo world goes on for a while.\n  come back: {_again(place)}\n"
            f"  stop it:   {_again(place)} stop\n  remove it: {_again(place)} wipe"
        )
        return code

    raise typer.Exit(guarded(whole, place))


async def _ready(home: Home) -> None:
    """Engine, items and life, each made where it is missing."""
    from quarterdeck.client.local import connect, stop_engine
    from quarterdeck.demo import process
    from quarterdeck.demo.queues import CONFIG
    from quarterdeck.demo.seed import is_empty, seed

    home.create()
    marker = home.path / "demo.home"
    if home.store.exists() and not marker.exists():
        raise CommandError(
            f"{home.path} is not a demo home; the demo does not mix with other work. Choose another --home."
        )
    marker.touch()
    if not home.config.exists():
        home.config.write_text(CONFIG, encoding="utf-8")
        await stop_engine(home)  # one that runs has not read it
    _say(f"The demo world is in {home.path}.")
    async with await connect(home, on_wait=lambda text: _say(f"{text} …")) as client:
        if await is_empty(client):
            _say("Making three shops …")
            made = await seed(client, lambda text: None)
            _say(f"{made:,} items, three tenants.")
    process.start(home)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _again(home: Home) -> str:
    """The demo's command, to be typed as it stands."""
    return f"{called()} demo" + ("" if home == demo_home(None) else f" --home {shlex.quote(str(home.path))}")


def called() -> str:
    """How qd was started: by a bare name only where the PATH finds this very program."""
    if by := os.environ.get("QUARTERDECK_CALLED"):
        return by
    program = Path(sys.argv[0])
    if program.parts[-2:] == ("cli", "__main__.py"):
        return f"{shlex.quote(sys.executable)} -m quarterdeck.cli"
    found = shutil.which("qd")
    if program.name != "qd" or (found and Path(found).resolve() == program.resolve()):
        return "qd"
    return shlex.quote(sys.argv[0])


@command(demo, "demo", "stop", home=demo_home)
async def stop(cli: Cli) -> None:
    """Stop the demo world and its engine; what is in it stays."""
    await _stop(cli.home)
    cli.out.result({"state": "stopped"}, [f"The demo world in {cli.home.path} has stopped."])


@command(demo, "demo", "wipe", home=demo_home)
async def wipe(cli: Cli) -> None:
    """Stop the demo world and remove all of it."""
    home = cli.home
    if not home.path.exists():
        cli.out.result({"state": "wiped"}, [f"There is no demo world in {home.path}."])
        return
    if not (home.path / "demo.home").exists():
        raise CommandError(f"{home.path} is not a demo home; nothing was removed.")
    await _stop(home)
    shutil.rmtree(home.path)
    cli.out.result({"state": "wiped"}, [f"The demo world in {home.path} is gone."])


async def _stop(home: Home) -> None:
    from quarterdeck.client.local import stop_engine
    from quarterdeck.demo import process

    try:
        await process.stop(home)
    except TimeoutError as error:
        raise CommandError(str(error)) from error
    await stop_engine(home)
