"""What a terminal would show for the bytes that a program sent it."""

from __future__ import annotations

import re

import pyte
from wcwidth import wcwidth

_PRIVATE = re.compile(rb"\x1b\[[<>=?][0-9;:]*\$?[a-zA-Z~]")
# An escape sequence that the next read will finish.
_UNFINISHED = re.compile(rb"\x1b(?:\[[<>=?0-9;:]*\$?)?\Z")


class Screen:
    """Feed it bytes; read `text`, and `raw` for every byte so far."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._pending = b""
        self.raw = bytearray()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        return [self._read(y).rstrip() for y in range(self._screen.lines)]

    def _read(self, y: int) -> str:
        """As pyte's `display`, which cannot read a line of which half a wide letter was overwritten so far."""
        line, text, x = self._screen.buffer[y], "", 0
        while x < self._screen.columns:
            cell = line[x].data or " "
            text += cell
            x += 2 if wcwidth(cell[0]) == 2 else 1
        return text

    def feed(self, data: bytes) -> bytes:
        """Take what the program sent; give what a terminal would answer."""
        self.raw += data
        data = self._pending + data
        unfinished = _UNFINISHED.search(data)
        cut = unfinished.start() if unfinished else len(data)
        data, self._pending = data[:cut], data[cut:]
        self._stream.feed(_PRIVATE.sub(b"", data))  # pyte would print what it does not know
        answer = b""
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            answer += b"\x1b[?62;22c"
        if b"\x1b[6n" in data:
            answer += b"\x1b[1;1R"
        return answer

    def resize(self, columns: int, lines: int) -> None:
        self._screen.resize(lines, columns)
