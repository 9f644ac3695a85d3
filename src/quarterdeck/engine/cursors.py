"""Cursors of keyset pages: opaque to clients, a JSON list inside."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from quarterdeck.contract.problems import Code, Problem

_LARGEST = 2**63 - 1


def encode(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str) -> list[Any]:
    """Raises Problem(CURSOR_INVALID)."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=="))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list):
        raise invalid()
    return values


def decode_ids(cursor: str, count: int) -> list[int]:
    """A cursor made of `count` integers."""
    values = decode(cursor)
    if len(values) != count or not all(
        isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST for value in values
    ):
        raise invalid()
    return values


def invalid() -> Problem:
    return Problem(
        Code.CURSOR_INVALID, "This cursor does not belong to this list; take `next` from the page before, unchanged."
    )
