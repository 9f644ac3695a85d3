"""The console, from the command line."""

from __future__ import annotations

from typing import Any


def open_console(home: str | None = None, **options: Any) -> int:
    """`options` as `tui.launch.run` takes them."""
    from quarterdeck.tui.launch import run as run_console

    return run_console(home, **options)
