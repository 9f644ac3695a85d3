"""Take the README's picture: the real console, on a real engine with the demo's world, as SVG."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PICTURE = TOP / "docs" / "pictures" / "queue.svg"
COLUMNS, LINES = 120, 34
PATIENCE = 30.0


async def take(home_path: Path) -> str:
    from quarterdeck.client.local import connect, stop_engine
    from quarterdeck.config.home import Home
    from quarterdeck.config.settings import Settings
    from quarterdeck.demo.seed import seed
    from quarterdeck.tui.app import Console
    from quarterdeck.tui.keymap import Keymap
    from quarterdeck.tui.session import Session
    from quarterdeck.tui.state import ConsoleState

    home = Home(home_path)
    home.create()
    try:
        client = await connect(home)
        await seed(client, lambda _: None)
        await client.close()
        console = Console(
            Session(home, Settings(), Keymap(), ConsoleState()), go_to="support_tasks status:open,waiting"
        )
        async with console.run_test(size=(COLUMNS, LINES)) as pilot:
            async with asyncio.timeout(PATIENCE):
                await console.first_rows.wait()
            await pilot.pause(1.0)  # until the client has taken over and the count is known
            await pilot.press("j", "j", "space", "j", "space", "space", "enter")
            await pilot.pause(1.0)  # until the cursor has rested and its item has come
            return console.export_screenshot(title="qd")
    finally:
        await stop_engine(home)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="qd-", dir="/tmp") as folder:
        # The breadcrumb shows the home folder: somebody's, not the one of whoever runs this.
        os.environ.update(HOME=folder, XDG_RUNTIME_DIR=folder, COLORTERM="truecolor", TERM="xterm-256color")
        os.environ.pop("NO_COLOR", None)
        svg = asyncio.run(take(Path(folder) / "quarterdeck"))
    # Fonts of whoever looks, none from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"font-family: [^;]+;", "font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace;", svg
    )
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")
    print(f"{PICTURE.relative_to(TOP)}: {len(svg):,} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
