"""Hostile text in every place of a table, on a real pseudo-terminal: look at the bytes that reach it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.hostile import TEXTS, control_bytes
from tests.support.terminal import Terminal

APP = Path(__file__).with_name("hostile_app.py")


def test_nothing_hostile_reaches_the_terminal_and_nothing_is_out_of_line() -> None:
    with Terminal([sys.executable, str(APP)], columns=80, lines=24) as terminal:
        terminal.wait_for("title")
        terminal.settle()
        seen: set[str] = set()
        for _ in range(0, len(TEXTS), 10):
            rows = [line for line in terminal.screen.lines[1:] if line.strip()]
            assert all(line.rstrip("▐").rstrip().endswith(" end") for line in rows), terminal.text
            ends = {line.rstrip("▐").rstrip() for line in rows}
            seen |= ends
            terminal.press(*"jjjjjjjjjj")
            terminal.settle(quiet=0.15)
        assert len(seen) >= len(TEXTS)
        terminal.press("G")
        terminal.wait_for("lone surrogate")
        terminal.press("e")
        terminal.wait_until_gone("lone surrogate")
        terminal.settle(quiet=0.15)
        terminal.press("f")
        terminal.wait_for("failed")
        terminal.settle()
        assert control_bytes(terminal.raw) == []
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
        assert "Traceback" not in terminal.text
