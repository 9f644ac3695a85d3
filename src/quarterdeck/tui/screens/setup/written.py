"""How a value is written in a field, and read from it: text, numbers, lengths of time, lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Written(NamedTuple):
    """`read` takes what was typed, without blanks around it and never empty; it raises ValueError with the end of a
    sentence: `is no number such as 20`. `write` is the other way round."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


# Commas part thousands; `2,5` would be another number without its comma.
_PARTED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")


def _number(text: str) -> float:
    try:
        number = float(text.replace(",", "") if _PARTED.fullmatch(text) else text)
    except ValueError:
        number = float("nan")
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("is no number such as 20 or 2.5")
    return int(number) if number == int(number) else number


def _whole(text: str) -> int:
    number = _number(text)
    if number != int(number):
        raise ValueError("is no whole number such as 20")
    return int(number)


def shown(number: float) -> str:
    """`20`, `2.5`, `1000000`: as it can be typed."""
    return str(int(number)) if number == int(number) else repr(float(number))


TEXT = Written(str, str)
NUMBER = Written(_number, shown)
WHOLE = Written(_whole, shown)
SWITCH = Written(lambda text: text == "on", lambda value: "on" if value else "off")

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LENGTH = re.compile(r"(?:\d+ *[a-z]+ *)+")
_PART = re.compile(r"(\d+) *([a-z]+)")


def _length(unit: str, units: str) -> Written:
    """Kept in `unit`, written in `units`, the longest first."""
    example = "30s, 5m or 2h" if unit == "s" else "15m, 2h or 1h 30m"

    def read(text: str) -> int:
        words = text.lower()
        if words == "0":
            return 0
        parts = _PART.findall(words) if _LENGTH.fullmatch(words) else []
        if not parts or any(sign not in units for _, sign in parts):
            raise ValueError(f"is no time such as {example}")
        seconds = sum(int(number) * _SECONDS[sign] for number, sign in parts)
        return seconds // _SECONDS[unit]

    def write(value: Any) -> str:
        left, said = int(value) * _SECONDS[unit], []
        for sign in units:
            number, left = divmod(left, _SECONDS[sign])
            if number:
                said.append(f"{number}{sign}")
        return " ".join(said) or "0"

    return Written(read, write)


SECONDS = _length("s", "dhms")
MINUTES = _length("m", "dhm")
# Minutes that count by a calendar have no days: a working day is not 24 hours long.
COUNTED_MINUTES = _length("m", "hm")

# Words with blanks, commas or quotes in them stand in quotes, in which \" and \\ and \n are escapes.
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s",]+')
_ESCAPES: Mapping[str, str] = {"n": "\n", "t": "\t", "r": "\r"}


def quoted(text: str, also: str = ",") -> str:
    """`text`, in quotes where it would not be read as one word; `also`: further signs that would end it."""
    if text and not re.search(r'[\s"\x00-\x1f]', text) and not any(sign in text for sign in also):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for letter, sign in _ESCAPES.items():
        escaped = escaped.replace(sign, "\\" + letter)
    return f'"{escaped}"'


def unquoted(word: str) -> str:
    """Raises ValueError for a quote that does not end."""
    if not word.startswith('"'):
        return word
    if not re.fullmatch(r'"(?:[^"\\]|\\.)*"', word):
        raise ValueError("has a quote that does not end")
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found.group(1), found.group(1)), word[1:-1])


def _list(text: str) -> list[str]:
    if re.sub(r"[\s,]", "", _WORD.sub("", text)):
        raise ValueError("has a quote that does not end")
    return [unquoted(word) for word in _WORD.findall(text)]


def _listed(values: Any) -> str:
    return ", ".join(quoted(str(value)) for value in values)


LIST = Written(_list, _listed)


def among(words: Sequence[str]) -> Written:
    """A list that holds nothing but `words`."""

    def read(text: str) -> list[str]:
        found = _list(text)
        for each in found:
            if each not in words:
                raise ValueError(f"has '{each[:30]}', which is not among {', '.join(words)}")
        return found

    return Written(read, _listed)
