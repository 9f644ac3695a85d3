"""The bell, and desktop notices through the terminal: they reach the operator's own machine over SSH."""

from __future__ import annotations

from quarterdeck.tui.text import safe

BELL = "\a"
_MOST = 200  # characters; terminals cut what is longer, or drop it


def notice(form: str, title: str, words: str) -> str:
    """The sequence: OSC 9 (one text) or OSC 777 (title and text). What comes from outside cannot end it."""
    if form == "osc9":  # begins with a word of ours: 9;4 is a progress bar elsewhere
        return f"\x1b]9;{_plain(f'{title}: {words}')}\a"
    return f"\x1b]777;notify;{_plain(title)};{_plain(words)}\a"


def _plain(text: str) -> str:
    """Without controls, and without what parts one member from the next."""
    return safe(text).replace(";", ",")[:_MOST]
