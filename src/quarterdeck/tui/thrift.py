"""Fewer bytes for the same picture.

Textual sends each run of text as `ESC[<whole style>m text ESC[0m`. Neighbours mostly share background and
attributes, so saying only what differs leaves out a third of the bytes of a repaint. That is time, over a
slow connection.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import IO, Any

from textual.driver import Driver

_STYLE = re.compile(r"(\x1b\[[\d;]*m)")
_MOVE = re.compile(r"(?:\r?\n|\x1b\[\d+;\d+H)+")  # draws nothing, and leaves the style alone
_RESET = ("\x1b[0m", "\x1b[m")

Parsed = tuple[frozenset[str], str, str]  # attributes, foreground, background


def thrifty(data: str) -> str:
    """The same terminal output in fewer bytes. What is not a style passes through as it is."""
    if "\x1b[0m" not in data:
        return data
    out: list[str] = []
    current: str | None = None  # the style in force, where it is known
    ended = False  # a reset that has not been sent: the next style may make it needless
    for piece in _STYLE.split(data):
        if not piece:
            continue
        if piece in _RESET:
            ended = True
        elif piece.startswith("\x1b[") and piece.endswith("m") and _STYLE.fullmatch(piece):
            out.append(_change(current, piece) if ended and current else f"\x1b[0;{piece[2:]}" if ended else piece)
            current = piece if ended or current is None else ""  # one upon the other: not known whole
            ended = False
        else:
            if ended and not _MOVE.fullmatch(piece):
                out.append("\x1b[0m")
                current, ended = None, False
            out.append(piece)
    if ended:
        out.append("\x1b[0m")
    return "".join(out)


@lru_cache(2048)
def _change(before: str, after: str) -> str:
    """What turns one style into another, both said whole."""
    old, new = _parse(before), _parse(after)
    if old is None or new is None or not old[0] <= new[0]:
        return f"\x1b[0;{after[2:]}"
    codes = sorted(new[0] - old[0])
    if old[1] != new[1]:
        codes.append(new[1] or "39")
    if old[2] != new[2]:
        codes.append(new[2] or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _parse(style: str) -> Parsed | None:
    """None for a style that holds a reset or something unknown."""
    codes = style[2:-1].split(";")
    attributes: set[str] = set()
    foreground = background = ""
    at = 0
    while at < len(codes):
        code = codes[at]
        width = 1
        if code in ("38", "48"):
            kind = codes[at + 1] if at + 1 < len(codes) else ""
            width = {"5": 3, "2": 5}.get(kind, 0)
            if not width or at + width > len(codes):
                return None
        whole = ";".join(codes[at : at + width])
        number = int(code or 0)
        if number == 38 or 30 <= number <= 39 or 90 <= number <= 97:
            foreground = "" if number == 39 else whole
        elif number == 48 or 40 <= number <= 49 or 100 <= number <= 107:
            background = "" if number == 49 else whole
        elif 1 <= number <= 9 or number in (21, 51, 52, 53):
            attributes.add(whole)
        else:
            return None
        at += width
    return frozenset(attributes), foreground, background


class _Terminal:
    """The file that a driver writes to; when the terminal has gone, what is written goes nowhere.

    Textual's writer thread would end with the error, and the console wait for ever for room in its queue.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.fileno, self.isatty = file.fileno, file.isatty

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._let_go()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._let_go()

    def _let_go(self) -> None:
        """What is still in the buffer would make Python fail once more at its end."""
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._file.fileno())


@lru_cache(4)
def thrifty_driver(base: type[Driver]) -> type[Driver]:
    """A driver that writes fewer bytes; for an app's `get_driver_class`."""

    class Thrifty(base):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            file: Any = getattr(self, "_file", None)
            if file is not None:
                self._file: Any = _Terminal(file)

        def write(self, data: str) -> None:
            super().write(thrifty(data))

    return Thrifty
