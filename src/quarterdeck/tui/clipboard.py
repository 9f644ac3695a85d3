"""Copying through the terminal: OSC 52, which reaches the operator's own machine over SSH."""

from __future__ import annotations

import base64
from collections.abc import Mapping

# A screen swallows longer device control strings; 76 characters of payload is what its own tools use.
_SCREEN_PIECE = 76


def osc52(text: str, environment: Mapping[str, str]) -> str:
    """The bytes to write, so that they reach the outer terminal."""
    return through(f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07", environment)


def through(sequence: str, environment: Mapping[str, str]) -> str:
    """An operating system command, wrapped for tmux and GNU screen so that they pass it on to the outer terminal."""
    if environment.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("TERM", "").startswith("screen") or environment.get("STY"):
        pieces = [sequence[at : at + _SCREEN_PIECE] for at in range(0, len(sequence), _SCREEN_PIECE)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence
