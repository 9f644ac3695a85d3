"""Text to `Filter`. The first mistake is reported with its column and what would be valid there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from quarterdeck.contract.enums import Listed
from quarterdeck.contract.filters.ast import JOINERS, Condition, Equals, Filter, FilterError, Term
from quarterdeck.contract.filters.keys import BY_CLOCK, FIELD_PREFIX, Key, KeyKind, keys_for
from quarterdeck.contract.filters.times import time_condition

LONGEST = 8_000
# Databases limit how deep a condition may be nested.
MOST_VALUES = 500
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*(?=:)")
_LARGEST_ID = 2**63 - 1


@dataclass(slots=True)
class _Value:
    text: str
    column: int
    was_quoted: bool


def parse(text: str, resource: Listed | None = None) -> Filter:
    """Parse a filter. Raises FilterError. An empty text matches everything."""
    if len(text) > LONGEST:
        raise FilterError(f"the filter is longer than {LONGEST} characters; shorten it.", LONGEST)
    return Filter(tuple(_Parser(text, keys_for(resource)).terms()))


class _Parser:
    def __init__(self, text: str, keys: Mapping[str, Key]) -> None:
        self.text = text
        self.keys = keys
        self.at = 0
        self.values = 0

    def terms(self) -> list[Term]:
        terms: list[Term] = []
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            if self.at >= len(self.text):
                return terms
            terms.append(self._term())

    def _term(self) -> Term:
        column = self.at + 1
        negated = self.text[self.at] == "-"
        if negated:
            self.at += 1
            if self.at >= len(self.text) or self.text[self.at].isspace():
                raise FilterError("a '-' needs something to exclude, for example -category:spam.", column)
        match = _KEY.match(self.text, self.at)
        if match is None:
            value = self._value(stop_at_comma=False)
            if value.text in JOINERS and not value.was_quoted:
                raise FilterError(
                    f"'{value.text}' is not needed: terms are joined by AND, and the values of one term by commas, "
                    "as in status:open,waiting. To search for the word, put it in quotes.",
                    value.column,
                )
            return Term("", (Equals(value.text),), negated, column)
        name, start = match.group().lower(), self.at + 1
        self.at = match.end() + 1
        key = self._key(match.group(), name, start)
        conditions = [self._condition(key, self._key_value(key))]
        while self.at < len(self.text) and self.text[self.at] == ",":
            self.at += 1
            conditions.append(self._condition(key, self._key_value(key)))
        if key.name == "is" and len(conditions) > 1 and Equals("overdue") in conditions:
            raise FilterError("'overdue' goes with nothing else in one term; write is:overdue by itself.", column)
        by_clock = [isinstance(each, Equals) and each.value in BY_CLOCK for each in conditions]
        if key.name == "due" and any(by_clock) and not all(by_clock):
            raise FilterError("'soon' and 'breached' go with no times in one term; write due:soon by itself.", column)
        return Term(key.name, tuple(conditions), negated, column)

    def _key(self, written: str, name: str, column: int) -> Key:
        if name.startswith(FIELD_PREFIX) and len(name) > len(FIELD_PREFIX):
            return Key(FIELD_PREFIX + written[len(FIELD_PREFIX) :], KeyKind.WORD, "a field")
        if name in self.keys:
            return self.keys[name]
        close = get_close_matches(name, self.keys, n=1)
        guess = f" Did you mean '{close[0]}'?" if close else ""
        raise FilterError(
            f"'{written}' is no key.{guess} To search for the text, put it in quotes.",
            column,
            (*self.keys, "field.NAME"),
        )

    def _key_value(self, key: Key) -> _Value:
        value = self._value(stop_at_comma=True)
        if not value.text and not value.was_quoted:
            valid = key.choices or key.examples
            raise FilterError(f"'{key.name}:' needs a value.", value.column, tuple(valid))
        return value

    def _value(self, stop_at_comma: bool) -> _Value:
        start = self.at
        self.values += 1
        if self.values > MOST_VALUES:
            raise FilterError(f"the filter has more than {MOST_VALUES} values; use fewer.", start + 1)
        if self.at < len(self.text) and self.text[self.at] == '"':
            return _Value(self._quoted(), start + 1, True)
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter.isspace() or (stop_at_comma and letter == ","):
                break
            self.at += 1
        return _Value(self.text[start : self.at], start + 1, False)

    def _quoted(self) -> str:
        start, out = self.at, []
        self.at += 1
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == "\\" and self.at + 1 < len(self.text):
                out.append(self.text[self.at + 1])
                self.at += 2
                continue
            self.at += 1
            if letter == '"':
                return "".join(out)
            out.append(letter)
        raise FilterError("this quotation mark is never closed.", start + 1)

    def _condition(self, key: Key, value: _Value) -> Condition:
        if key.kind in (KeyKind.PAST, KeyKind.FUTURE):
            return time_condition(key, value.text, value.column)
        if key.kind is KeyKind.CHOICE:
            word = value.text.lower()
            if word not in key.choices:
                close = get_close_matches(word, key.choices, n=1)
                guess = f" Did you mean '{close[0]}'?" if close else ""
                what = f"does not go with {key.name}:" if key.name in ("has", "is") else f"is no {key.name}"
                raise FilterError(f"'{value.text}' {what}.{guess}", value.column, key.choices)
            return Equals(word)
        if key.kind is KeyKind.NUMBER:
            # Length first: Python refuses to read a number of thousands of digits.
            digits = value.text.isascii() and value.text.isdigit() and len(value.text.lstrip("0")) <= 19
            if not digits or int(value.text) > _LARGEST_ID:
                raise FilterError(f"'{value.text}' is no number.", value.column, key.examples)
            return Equals(str(int(value.text)))
        word = value.text.lower()  # me, none and any are words however they are written, unless quoted
        if word in key.choices:
            return Equals(value.text, exact=True) if value.was_quoted else Equals(word)
        return Equals(value.text)
