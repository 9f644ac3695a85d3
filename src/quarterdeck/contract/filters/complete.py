"""Completion of keys and values in a filter bar or a shell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quarterdeck.contract.enums import Listed
from quarterdeck.contract.filters.ast import quoted
from quarterdeck.contract.filters.keys import KeyKind, keys_for


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` replaces the characters from `start` to the cursor; `hint` says what it means."""

    start: int
    text: str
    hint: str


def complete(
    text: str,
    cursor: int,
    resource: Listed | None = None,
    known: Mapping[str, Sequence[str]] | None = None,
) -> list[Completion]:
    """What could stand at the cursor. `known` gives values seen in the store (kind, tenant, …)."""
    text = text[:cursor]
    start = _after_last(text, str.isspace)
    if text[start : start + 1] == "-":
        start += 1
    name, colon, values = text[start:].partition(":")
    keys = keys_for(resource)
    if not colon:
        return [
            Completion(start, f"{key.name}:", key.summary) for key in keys.values() if key.name.startswith(name.lower())
        ]
    key = keys.get(name.lower())
    if key is None:
        return []
    split = _after_last(values, ",".__eq__)
    before, partial = values[:split], values[split:]
    taken = set(before.split(","))
    written = {offer: quoted(offer) for offer in (*key.choices, *(known or {}).get(key.name, ()))}
    if key.kind in (KeyKind.PAST, KeyKind.FUTURE):
        written |= {offer: offer for offer in ("<1h", "<1d", "<7d", ">7d")}
    begin = start + len(name) + 1 + split
    wanted = partial.lower().removeprefix('"')
    return [
        Completion(begin, as_written, key.summary)
        for offer, as_written in written.items()
        if offer.lower().startswith(wanted) and as_written not in taken
    ]


def _after_last(text: str, separates: Callable[[str], bool]) -> int:
    """Where the part after the last separator outside quotation marks begins."""
    begin, inside, escaped = 0, False, False
    for at, letter in enumerate(text):
        if escaped:
            escaped = False
        elif inside and letter == "\\":
            escaped = True
        elif letter == '"':
            inside = not inside
        elif not inside and separates(letter):
            begin = at + 1
    return begin
