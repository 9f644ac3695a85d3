"""What a validator says, in words for people."""

from __future__ import annotations

import re

_WORDS = (
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Input should be a valid number.*", "must be a number"),
    (r"Input should be a valid boolean.*", "must be true or false"),
    (r"Input should be a valid dictionary.*", 'must be a table, as in [name] or { name = "value" }'),
    (r"Input should be a valid (list|tuple|set).*", 'must be a list, as in ["one", "two"]'),
    (r"Input should be a valid string.*", "must be text"),
    (r"Input should be greater than or equal to (\S+)", r"must be at least \1"),
    (r"Input should be less than or equal to (\S+)", r"must be at most \1"),
    (r"Input should be greater than (\S+)", r"must be more than \1"),
    (r"Input should be less than (\S+)", r"must be less than \1"),
    (r"Input should be ", "must be "),
    (r"String should have at (least|most) (\d+) characters?", r"must have at \1 \2 characters"),
    (r"\w+ should have at (least|most) (\d+) items? after validation, not (\d+)", r"must have at \1 \2, not \3"),
    (r"Field required", "is missing"),
    (r"Value error, ", ""),
)


# Shapes that people type, by their pattern; who reads the sentence is not to read that.
_SHAPES = {
    r"^[a-zA-Z_][a-zA-Z0-9_]{0,199}$": "must be letters, digits and _, and not begin with a digit",
    r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$": "must be a time of day such as 08:00 or 24:00",
    r"^\d{4}-\d\d-\d\d$": "must be a date such as 2026-12-24",
    r"^[a-z][a-z0-9_.-]{0,99}$": "must be small letters, digits, _ . and -, and begin with a letter",
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$": "must be letters, digits, _ and -, and not begin with a sign",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$": "must be letters, digits, _ . and -, and not begin with a sign",
    r"^QUARTERDECK_CHANNEL_[A-Z0-9_]{1,100}$": "must be a name that begins with QUARTERDECK_CHANNEL_",
    r"^\d{1,18}(,\d{1,18})*$": "must be numbers with commas between them",
    r"^[A-Za-z0-9.:_-]{1,253}$": "must be the name or the address of a host",
}
_ORDER = re.compile(r"String should match pattern '\^-\?\(([a-z_|]+)\)\$'")


def plain(said: str) -> str:
    """One line, without the validator's own phrases, which may stand anywhere in it."""
    line = re.sub(r"\s+", " ", said).strip()
    for pattern, words in _WORDS:
        line = re.sub(pattern, words, line)
    for pattern, words in _SHAPES.items():
        line = line.replace(f"String should match pattern '{pattern}'", words)
    return _ORDER.sub(lambda found: _order(found.group(1).split("|")), line)


def _order(names: list[str]) -> str:
    return f"must be {', '.join(names[:-1])} or {names[-1]}, with - before it for the other way round"
