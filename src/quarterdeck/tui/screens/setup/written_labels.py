"""Labels and what compares them: `team=mail site="two words"`, `host=~"web.*" severity!=info`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from quarterdeck.tui.screens.setup.written import Written, quoted, unquoted

_VALUE = r'("(?:[^"\\]|\\.)*"|[^\s"][^\s]*|)'
_PAIR = re.compile(rf"([^\s=\"]+)={_VALUE}(?=\s|$)")
_MATCHER = re.compile(rf"([^\s=!~\"]+)(=~|!~|!=|=){_VALUE}(?=\s|$)")
# (is_regex, is_equal) -> sign, as in Alertmanager
_SIGNS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


def _all(pattern: re.Pattern[str], text: str, example: str) -> list[tuple[str, ...]]:
    """Every match, with nothing but blanks between them. Raises ValueError."""
    found, at = [], 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise ValueError(f"cannot be read at '{text[at : at + 20]}'; write it as {example}")
        found.append(match.groups())
        at = match.end()
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def read_labels(text: str) -> dict[str, str]:
    pairs = _all(_PAIR, text, 'team=mail site="two words"')
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"names {twice} twice")
    return {name: unquoted(value) for name, value in pairs}


def write_labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={quoted(value, '')}" for name, value in labels.items())


def read_matchers(text: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "value": unquoted(value), "is_regex": "~" in sign, "is_equal": not sign.startswith("!")}
        for name, sign, value in _all(_MATCHER, text, "team=mail host=~web.* severity!=info")
    ]


def write_matchers(matchers: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(
        f"{each['name']}{_SIGNS[each['is_regex'], each['is_equal']]}{quoted(each['value'], '')}" for each in matchers
    )


_SAME = re.compile(r"\s+same\s+")


def _read_inhibitions(text: str) -> list[dict[str, Any]]:
    """A line each: `severity=info same cluster, site`."""
    found = []
    for line in text.splitlines():
        matchers, *rest = _SAME.split(line, maxsplit=1)
        equal = [word for word in re.split(r"[\s,]+", rest[0]) if word] if rest else []
        found.append({"matchers": read_matchers(matchers), "equal": equal})
    return found


def _write_inhibitions(values: Iterable[Mapping[str, Any]]) -> str:
    lines = []
    for each in values:
        same = f" same {', '.join(each['equal'])}" if each["equal"] else ""
        lines.append(f"{write_matchers(each['matchers'])}{same}")
    return "\n".join(lines)


LABELS = Written(read_labels, write_labels)
MATCHERS = Written(read_matchers, write_matchers)
INHIBITIONS = Written(_read_inhibitions, _write_inhibitions)
