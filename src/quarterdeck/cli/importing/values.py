"""From a record to a value, as an origin of the mapping says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

from quarterdeck.cli.importing.dates import date_parser
from quarterdeck.cli.importing.mapping import Origin, SourcePart

Record = dict[str, Any]
Value = Any
Extract = Callable[[Record], Value]

# Bytes that were not text (kept apart by surrogateescape), lone surrogates, NUL: no store takes them.
_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")


class BadValue(Exception):
    """Why a value was refused; `column` and `value` as the file has them."""

    def __init__(self, column: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        self.reason = reason


def look_up(record: Record, path: str) -> Value:
    """The value at a column name or a dotted path; a list on the way gives the list of what its entries hold."""
    if path in record:
        return record[path]
    found: Value = record
    parts = path.split(".")
    for index, part in enumerate(parts):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list):
            if part.isdigit():
                found = found[int(part)] if int(part) < len(found) else None
            else:
                rest = ".".join(parts[index:])
                inner = [look_up(entry, rest) for entry in found if isinstance(entry, dict)]
                return [value for value in inner if value is not None]
        else:
            return None
    return found


def extractor(origin: Origin, source: SourcePart, target: str = "text") -> Extract:
    """A function from a record to a value or None; it raises BadValue.

    `target` is what the place takes unless the origin says otherwise: text, date, or any (kept as it is).
    """
    read = _reader(origin, source)
    name = " / ".join("|".join(group) for group in origin.columns()) or "constant"
    kind = origin.type or ("date" if target == "date" else target)
    convert = _converter(kind, origin, source)
    values, default, cut = origin.values, origin.default, origin.cut

    def extract(record: Record) -> Value:
        raw, value = read(record)
        if values is not None:
            key = raw.strip() if isinstance(raw, str) else _as_key(raw)
            if key in values:
                return values[key]
            if default is not None:
                return default
            if value is None:
                return None
            raise BadValue(name, raw, f"is not in the list of values; known are {', '.join(values)}")
        if value is None:
            return default
        try:
            value = convert(value)
        except (ValueError, TypeError) as error:
            raise BadValue(name, raw, str(error)) from error
        if cut is not None and isinstance(value, str) and len(value) > cut:
            value = value[: cut - 1] + "…"
        return value

    return extract


def _as_key(raw: Value) -> str:
    if raw is None:
        return ""
    return json.dumps(raw) if isinstance(raw, (bool, dict, list)) else str(raw)


def _reader(origin: Origin, source: SourcePart) -> Callable[[Record], tuple[Value, Value]]:
    """(as it stands in the file, None where that means nothing)."""
    nulls = frozenset(source.nulls)
    if origin.template is not None:
        return _template_reader(origin.template, nulls)
    if origin.column is None:
        constant = origin.constant
        return lambda record: (constant, constant)
    columns = (origin.column,) if isinstance(origin.column, str) else tuple(origin.column)

    def read(record: Record) -> tuple[Value, Value]:
        raw: Value = None
        for column in columns:
            raw = look_up(record, column)
            if raw is not None and not (isinstance(raw, str) and raw.strip() in nulls):
                return raw, raw
        return raw, None

    return read


def _template_reader(template: str, nulls: frozenset[str]) -> Callable[[Record], tuple[Value, Value]]:
    pieces: list[tuple[str, tuple[str, ...]]] = []
    end = 0
    for match in re.finditer(r"\{\{|\}\}|\{([^{}]+)\}", template):
        before = template[end : match.start()]
        if match.group(1):
            pieces.append((before, tuple(match.group(1).split("|"))))
        else:
            pieces.append((before + match.group()[0], ()))
        end = match.end()
    tail = template[end:]

    def read(record: Record) -> tuple[Value, Value]:
        out: list[str] = []
        for before, columns in pieces:
            out.append(before)
            for column in columns:
                raw = look_up(record, column)
                if raw is not None and not (isinstance(raw, str) and raw.strip() in nulls):
                    out.append(_text(raw))
                    break
        out.append(tail)
        text = "".join(out)
        return text, text

    return read


def _converter(kind: str, origin: Origin, source: SourcePart) -> Callable[[Value], Value]:
    if kind == "any":
        return _plain
    if kind == "number":
        return _number
    if kind == "date":
        parse = date_parser(origin.dates or source.dates, origin.timezone or source.timezone)
        return lambda value: parse(_text(value).strip())
    return _text


def _text(value: Value) -> str:
    if isinstance(value, str):
        _possible(value)
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, list):
        return ", ".join(_text(entry) for entry in value)
    raise ValueError("is an object, not a text; name one of its members with a dot")


def _number(value: Value) -> Value:
    if isinstance(value, bool):
        raise ValueError("is no number")
    if isinstance(value, str):
        text = value.strip().replace(" ", "").replace("_", "x")
        try:
            value = int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError as error:
            raise ValueError("is no number") from error
    value = _plain(value)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("is no finite number")
    return value


def _plain(value: Value) -> Value:
    """Only what JSON can carry, checked all the way down."""
    if isinstance(value, str):
        _possible(value)
    elif isinstance(value, Decimal):
        return float(value)
    elif isinstance(value, list):
        return [_plain(entry) for entry in value]
    elif isinstance(value, dict):
        return {_text(key): _plain(entry) for key, entry in value.items()}
    return value


def _possible(text: str) -> None:
    # Nearly all text is ASCII without NUL, and both of these are quick.
    if text.isascii() and "\x00" not in text:
        return
    found = _IMPOSSIBLE.search(text)
    if found:
        raise ValueError("holds a NUL byte" if found.group() == "\x00" else "is not valid text in the file's encoding")


def show(value: str, longest: int = 500) -> str:
    """A value for the rejects file: what cannot be written is written as an escape."""
    text = value if len(value) <= longest else value[:longest] + "…"
    return _IMPOSSIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def columns_of(origins: Sequence[tuple[str, Origin]]) -> list[tuple[str, tuple[str, ...]]]:
    """(key of the mapping, names of which one is enough) for all that the mapping reads."""
    return [(key, group) for key, origin in origins for group in origin.columns()]
