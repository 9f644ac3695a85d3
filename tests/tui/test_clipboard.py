"""Copies reach the operator's own machine through tmux and screen."""

from __future__ import annotations

import base64
import re

from quarterdeck.tui.clipboard import osc52


def test_plain() -> None:
    assert osc52("héllo", {}) == f"\x1b]52;c;{base64.b64encode('héllo'.encode()).decode()}\x07"


def test_tmux_gets_it_wrapped_with_doubled_escapes() -> None:
    assert osc52("x", {"TMUX": "/tmp/tmux"}) == "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\"


def test_screen_gets_it_in_pieces() -> None:
    sent = osc52("x" * 300, {"TERM": "screen-256color"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, flags=re.DOTALL)
    assert all(len(piece) <= 76 for piece in pieces)
    assert "".join(pieces) == osc52("x" * 300, {})
