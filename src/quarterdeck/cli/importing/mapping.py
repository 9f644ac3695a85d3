"""The mapping file: which column becomes what. A mistake names the file, the key and the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from quarterdeck.config.wording import plain
from quarterdeck.contract.enums import Resource


class MappingError(Exception):
    """One sentence naming the mapping file, the key, and what would be right."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Origin(_Part):
    """Where one value comes from: a column, the first of several that has a value, a template, a constant."""

    column: str | list[str] | None = None
    template: str | None = None
    constant: Any = None
    values: dict[str, Any] | None = None
    default: Any = None
    type: Literal["text", "number", "date"] | None = None
    dates: list[str] | None = None
    timezone: str | None = None
    take: Literal["first", "last"] = "last"
    cut: Annotated[int | None, Field(ge=1)] = None

    @model_validator(mode="after")
    def _one_way(self) -> Origin:
        ways = [self.column is not None, self.template is not None, "constant" in self.model_fields_set]
        if sum(ways) != 1:
            raise ValueError("give exactly one of column, template, constant")
        return self

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        return _zone(name)

    def columns(self) -> tuple[tuple[str, ...], ...]:
        """What it reads: groups of names; of each group one is enough."""
        if self.template is not None:
            return tuple(tuple(match.split("|")) for match in placeholders(self.template))
        if self.column is None:
            return ()
        return ((self.column,) if isinstance(self.column, str) else tuple(self.column),)


def _shorthand(value: Any) -> Any:
    """`"name"` and `["a", "b"]` stand for `{ column = … }`."""
    return {"column": value} if isinstance(value, (str, list)) else value


def _names(value: Any) -> Any:
    """`fields = ["a", "b"]` keeps columns under their own names."""
    return {name: name for name in value} if isinstance(value, list) else value


From = Annotated[Origin, BeforeValidator(_shorthand)]
Several = Annotated[dict[str, From], BeforeValidator(_names)]


class SourcePart(_Part):
    """How the file is written, and what it is about."""

    resource: Resource | None = None
    format: Literal["csv", "json", "jsonl"] | None = None
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    records: str | None = None
    nulls: list[str] = [""]
    dates: list[str] = ["iso"]
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str | None:
        return _zone(name)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except (LookupError, ValueError) as error:
            raise ValueError(f"'{name}' is no text encoding; for example utf-8 or latin-1") from error
        return name


class ItemPart(_Part):
    """What becomes of one record; `external_id` and `title` are needed."""

    external_id: From
    title: From
    tenant_id: From | None = None
    kind: From | None = None
    body: From | None = None
    status: From | None = None
    priority: From | None = None
    category: From | None = None
    assignee: From | None = None
    sla_due_at: From | None = None
    created_at: From | None = None
    updated_at: From | None = None
    fields: Several = {}


class EventsPart(_Part):
    """Timelines: rows of one case (`group_by`), or a list inside each record (`list`)."""

    group_by: str | None = None
    list: str | None = None
    order: From | None = None
    newest_first: bool = False
    at: From
    actor: From | None = None
    type: From | None = None
    body: From | None = None
    changes: Several = {}

    @model_validator(mode="after")
    def _one_way(self) -> EventsPart:
        if (self.group_by is None) == (self.list is None):
            raise ValueError("give either group_by (rows of one case) or list (a list inside each record)")
        return self


class Mapping(_Part):
    """A whole mapping file."""

    source: SourcePart = SourcePart()
    item: ItemPart
    events: EventsPart | None = None

    def origins(self) -> Iterator[tuple[str, Origin]]:
        """Every origin that reads the record itself, with the key that names it."""
        yield from _origins("item", self.item)
        if self.events is not None and self.events.list is None:
            yield from _origins("events", self.events)

    def nested_origins(self) -> Iterator[tuple[str, Origin]]:
        """Every origin that reads one entry of `events.list`."""
        if self.events is not None and self.events.list is not None:
            yield from _origins("events", self.events)


def _origins(section: str, part: _Part) -> Iterator[tuple[str, Origin]]:
    for name, value in part:
        if isinstance(value, Origin):
            yield f"{section}.{name}", value
        elif isinstance(value, dict):
            for key, origin in value.items():
                yield f"{section}.{name}.{key}", origin


_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


def placeholders(template: str) -> list[str]:
    return [match.group(1) for match in _PLACEHOLDER.finditer(template) if match.group(1)]


def _zone(name: str | None) -> str | None:
    if name is not None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"'{name}' is no time zone; for example UTC or Europe/Berlin") from error
    return name


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MappingError(f"The mapping {path} is not UTF-8 (byte {error.start}).") from error
    except OSError as error:
        raise MappingError(f"The mapping {path} cannot be read: {error.strerror}.") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping {path} is not valid TOML: {error}.") from error
    try:
        return Mapping.model_validate(values)
    except ValidationError as error:
        raise MappingError(_sentence(path, text, error)) from error


def _sentence(path: Path, text: str, error: ValidationError) -> str:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"] if not isinstance(part, int)]
    place = ".".join(keys)
    line = _line_of(text, keys)
    where = f"{path}, line {line}" if line else str(path)
    if first["type"] == "missing":
        return f"{where}: {place} is missing; a mapping needs it."
    if first["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        close = get_close_matches(keys[-1], known, n=1)
        guess = f" Did you mean '{close[0]}'?" if close else ""
        return f"{where}: '{place}' means nothing here.{guess} Valid: {', '.join(known)}."
    message = plain(first["msg"])
    return f"{where}: {place or 'the mapping'}: {message}."


def _known_keys(above: list[str]) -> list[str]:
    model: Any = Mapping
    for key in above:
        field = model.model_fields.get(key)
        model = {"source": SourcePart, "item": ItemPart, "events": EventsPart}.get(key, Origin) if field else Origin
    return list(model.model_fields)


def _line_of(text: str, keys: list[str]) -> int | None:
    """The line on which a key stands; None where it cannot be told (a missing key, an inline table)."""
    section, best = "", None
    dotted = ".".join(keys)
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]\s*(#.*)?$", line):
            section = header.group(1).replace('"', "").replace(" ", "")
            found = section
        elif pair := re.match(r"\s*([^=#]+?)\s*=", line):
            name = pair.group(1).replace('"', "").replace(" ", "")
            found = f"{section}.{name}" if section else name
        else:
            continue
        if dotted == found:
            return number
        if dotted.startswith(found + "."):
            best = number
    return best
