"""Cells of CSV files that a spreadsheet would take for a formula are made plain text."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """The same text, with an apostrophe before it where a spreadsheet would run it (OWASP: CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
