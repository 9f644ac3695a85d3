"""What makes two failures the same: queue, code, and the message without what differs between runs."""

from __future__ import annotations

import hashlib
import re

LONGEST = 500  # characters of a normalised message

# In this order: what holds something smaller comes first. What has no such sign in it need not be searched.
_PARTS = (
    ("-", re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "<id>"),
    ("-", re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (":", re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "<time>"),
    ("@", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<address>"),
    ("://", re.compile(r"https?://[^\s\"'<>]+"), "<url>"),
    ("", re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”|`[^`]*`"), "<text>"),
    ("0x", re.compile(r"\b0x[0-9a-fA-F]+\b"), "<hex>"),
    ("", re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{6,}\b"), "<hex>"),
    # A word with digits in it, such as order-4711 or evt_1a2b3c.
    ("", re.compile(r"\b[A-Za-z]+[_-](?=[A-Za-z0-9]*\d)[A-Za-z0-9]+\b"), "<id>"),
    ("", re.compile(r"[-+]?\d+(?:[.,]\d+)*"), "<n>"),
    ("", re.compile(r"\s+"), " "),
)


def normalised(message: str) -> str:
    """The message with numbers, ids, times, addresses and quoted parts replaced."""
    text = message[: 4 * LONGEST]
    for sign, pattern, instead in _PARTS:
        if sign in text:
            text = pattern.sub(instead, text)
    return text.strip()[:LONGEST]


def group_of(queue: str, code: str, message: str) -> tuple[str, str]:
    """(id of the group, normalised message)."""
    words = normalised(message)
    digest = hashlib.sha256("\0".join((queue, code, words)).encode("utf-8", "replace")).hexdigest()
    return digest[:12], words
