"""How the engine and its host processes talk: frames of JSON, each after its length. Only the standard library,
because a host should start fast."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct(">I")
# A frame that says it is longer is no frame of ours.
LONGEST = 64 * 1024 * 1024


class BrokenFrame(Exception):
    """What came is not what the other side says."""


def pack(text: str) -> bytes:
    body = text.encode("utf-8", "surrogatepass")
    return _LENGTH.pack(len(body)) + body


def packed(value: Any) -> bytes:
    return pack(json.dumps(value, separators=(",", ":")))


class Unpacker:
    """Frames out of pieces of bytes as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Raises BrokenFrame."""
        self._bytes += piece
        at = 0
        try:
            while len(self._bytes) - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(self._bytes, at)
                if length > LONGEST:
                    raise BrokenFrame(f"a frame of {length} bytes")
                if len(self._bytes) - at - _LENGTH.size < length:
                    return
                start = at + _LENGTH.size
                at = start + length
                try:
                    yield json.loads(bytes(self._bytes[start:at]))
                except (ValueError, RecursionError) as error:
                    raise BrokenFrame(str(error)) from error
        finally:
            del self._bytes[:at]
