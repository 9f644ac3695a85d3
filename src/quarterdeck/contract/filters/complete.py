"""Completion of keys and values in a filter bar or a shell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.filters.ast import quoted
from quarterdeck.contract.filters.keys import KeyKind, keys_for

_WORD = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*"?)*\Z')


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` replaces the characters from `start` to the cursor; `hint` says what it means."""

    start: int
    text: str
    hint: str


def complete(
    text: str,
    cursor: int,
    resource: Resource | None = None,
    known: Mapping[str, Sequence[str]] | None = None,
) -> list[Completion]:
    """What could stand at the cursor. `known` gives values seen in the store (kind, tenant, …)."""
    match = _WORD.search(text[:cursor])
    word = match.group() if match else ""
    start = cursor - len(word)
    if word.startswith("-"):
        word, start = word[1:], start + 1
    keys = keys_for(resource)
    name, colon, values = word.partition(":")
    if not colon:
        return [
            Completion(start, f"{key.name}:", key.summary) for key in keys.values() if key.name.startswith(name.lower())
        ]
    key = keys.get(name.lower())
    if key is None:
        return []
    before, _, partial = values.rpartition(",")
    taken = set(before.split(","))
    offers = [*key.choices, *(known or {}).get(key.name, ())]
    if key.kind in (KeyKind.PAST, KeyKind.FUTURE):
        offers += ["<1h", "<1d", "<7d", ">7d"]
    begin = start + len(name) + 1 + (len(before) + 1 if before else 0)
    wanted = partial.lower().lstrip('"')
    seen: set[str] = set()
    out = []
    for offer in offers:
        text_ = offer if offer[:1] in "<>" else quoted(offer)
        if offer.lower().startswith(wanted) and text_ not in taken and text_ not in seen:
            seen.add(text_)
            out.append(Completion(begin, text_, key.summary))
    return out
