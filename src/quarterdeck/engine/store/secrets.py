"""JSON text without the values under secret names, as each database can be told to leave them out."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from functools import lru_cache

from quarterdeck.contract.masking import mask

# The rest of an escape sequence and of a string, once its first quotation mark is read.
_REST = r'[^"\\]*(?:\\.[^"\\]*)*'
_STRING = f'"{_REST}"'
# One letter of a string, which may be written as one escape or two.
_LETTER = r'(?:\\ud[89ab]..\\ud[c-f]..|\\u....|\\[^u]|[^"\\])'
_WILD = re.compile(r"\*|\?|\[[^\]]+\]")
_SIGN = re.compile(_WILD.pattern + "|.", re.DOTALL)
# How deep a value may be nested for its end to be found; behind a deeper one the rest of the text is left out.
_DEPTH = 4


def open_text(text: str | None, names: str) -> str | None:
    """`text` with a mask for every value under a name that is like one of `names` (a JSON list)."""
    if text is None:
        return None
    try:
        return json.dumps(mask(json.loads(text), json.loads(names)), ensure_ascii=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return ""  # what cannot be read cannot be searched


@dataclass(frozen=True, slots=True)
class SecretValues:
    r"""Regular expressions for PostgreSQL, for JSON text in ASCII without blanks.

    `likely`: what text holds that may have secrets; far cheaper than the others. `value`: replacing what it finds by
    `\1\2` leaves values out; it finds every string, so that it never begins inside one. `rest`: what remains to be
    replaced by nothing, from a value on that is nested too deep for its end to be found.
    """

    likely: str
    value: str
    rest: str


@lru_cache(16)
def secret_values(names: tuple[str, ...]) -> SecretValues:
    nested = r'[{\[](?:[^"{}\[\]]|' + _STRING + r")*[}\]]"
    for _ in range(_DEPTH - 1):
        nested = r'[{\[](?:[^"{}\[\]]|' + _STRING + "|" + nested + r")*[}\]]"
    value = "|".join((_STRING, r'[^"{\[,}\]]+', nested))
    key = '"(?:' + "|".join("".join(map(_like, _SIGN.findall(name))) for name in names) + ')":'
    surely = ("".join(map(_written, max(_WILD.split(name), key=len))) for name in names)
    return SecretValues("|".join(surely), f"({key})(?:{value})|({_STRING})", key + r"[{\[].*")


def _like(part: str) -> str:
    """A letter, `*` or `?`, as it is written in JSON. Any `[letters]` count as any letter."""
    return _REST if part == "*" else _LETTER if len(part) > 1 or part == "?" else _written(part)


@lru_cache(1_000)
def _written(letter: str) -> str:
    """The letter in either case, each as JSON writes it."""
    last = 0xFFFF if letter.isascii() else sys.maxunicode
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, last + 1))))
    same = re.findall(re.escape(letter), every, re.IGNORECASE)
    return "(?:" + "|".join(re.escape(json.dumps(each)[1:-1]) for each in same) + ")"
