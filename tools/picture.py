"""Take the pictures of README and docs: the real console on the demo's living world, as SVG."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PICTURES = TOP / "docs" / "pictures"
COLUMNS, LINES = 120, 34
PATIENCE = 30.0
# An alert fires when what is wrong has been wrong for a while.
WORLD_SECONDS = 300.0

# By file name: where to go, and what to press there.
VIEWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "queue": ("support_tasks status:open,waiting", ("j", "j", "space", "j", "space", "space", "enter")),
    "home": ("home", ()),
    "alerts": ("alerts", ("enter",)),
    "dead-letters": ("dlq", ("enter",)),
    "service-levels": ("sla", ()),
    "usage": ("usage", ()),
}


async def living(home_path: Path) -> None:
    """Until something fires in the demo's world."""
    from quarterdeck.client.local import connect
    from quarterdeck.config.home import Home
    from quarterdeck.contract.operations import overview

    client = await connect(Home(home_path))
    try:
        deadline = time.monotonic() + WORLD_SECONDS
        while time.monotonic() < deadline:
            if (await client.call(overview.SHOW))["alerts"]["firing"]:
                return
            await asyncio.sleep(2)
    finally:
        await client.close()


async def take(home_path: Path, place: str, keys: tuple[str, ...]) -> str:
    from quarterdeck.config.home import Home
    from quarterdeck.config.settings import Settings
    from quarterdeck.tui.app import Console
    from quarterdeck.tui.keymap import Keymap
    from quarterdeck.tui.session import Session
    from quarterdeck.tui.state import ConsoleState

    console = Console(Session(Home(home_path), Settings(), Keymap(), ConsoleState()), go_to=place)
    async with console.run_test(size=(COLUMNS, LINES)) as pilot:
        async with asyncio.timeout(PATIENCE):
            await console.first_rows.wait()
        await pilot.pause(3.0)  # until the client has taken over and what is shown has come
        await pilot.press(*keys)
        await pilot.pause(2.0)  # until the cursor has rested and the rest of its row has come
        return console.export_screenshot(title="qd")


def with_fonts_of_whoever_looks(svg: str) -> str:
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    family = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
    return re.sub(r"font-family: [^;]+;", f"font-family: {family};", svg)


def main() -> int:
    from quarterdeck.cli import main as cli

    wanted = sys.argv[1:] or list(VIEWS)
    with tempfile.TemporaryDirectory(prefix="qd-", dir="/tmp") as folder:
        # The breadcrumb shows the home folder: somebody's, not the one of whoever runs this.
        os.environ.update(HOME=folder, XDG_RUNTIME_DIR=folder, COLORTERM="truecolor", TERM="xterm-256color")
        os.environ.pop("NO_COLOR", None)
        home = Path(folder) / "quarterdeck"
        where = ["--home", str(home)]
        if cli.run(["demo", *where, "--no-console"]) != 0:
            return 1
        try:
            asyncio.run(living(home))
            PICTURES.mkdir(parents=True, exist_ok=True)
            for name in wanted:
                svg = with_fonts_of_whoever_looks(asyncio.run(take(home, *VIEWS[name])))
                (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
                print(f"{name}.svg: {len(svg):,} characters")
        finally:
            cli.run(["engine", "stop", *where])
    return 0


if __name__ == "__main__":
    sys.exit(main())
