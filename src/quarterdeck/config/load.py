"""Settings from a config file. A mistake names the file and the line or key."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from quarterdeck.config import queue_sections
from quarterdeck.config.settings import Settings
from quarterdeck.config.wording import plain

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


class ConfigError(Exception):
    """One sentence naming file, line or key, and what would be right."""


def load(path: Path) -> Settings:
    """The settings in `path`; the defaults where there is no such file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}).") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    return _validate(values, path) if values else Settings()


def _validate(values: dict[str, Any], path: Path) -> Settings:
    from pydantic import ValidationError

    sections: dict[str, Any] = {}
    shapes = {shape.name: shape for shape in fields(Settings)}
    for name, value in values.items():
        if name not in shapes:
            raise ConfigError(f"{path}: there is no section [{name}]. Valid: {', '.join(shapes)}.")
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: {name} is a section; write it as [{name}].")
        if name == "queues":
            sections[name] = _queues(value, path)
            continue
        shape: type[Any] = get_type_hints(Settings)[name]
        try:
            known = _model(shape).model_validate(value)
        except ValidationError as error:
            raise ConfigError(f"{path}: {_sentence(name, error)}") from error
        try:
            sections[name] = shape(**{each.name: getattr(known, each.name) for each in fields(shape)})
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from error
    return Settings(**sections)


def _queues(found: dict[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    from pydantic import ValidationError

    queues = {}
    for name, values in found.items():
        try:
            queues[name] = queue_sections.read(name, values)
        except ValidationError as error:
            raise ConfigError(f"{path}: {_sentence(f'queues.{name}', error)}") from error
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from error
    return queues


def _model(shape: type[Any]) -> type[BaseModel]:
    """The dataclass as a pydantic model that refuses settings nobody knows."""
    from annotated_types import Ge, Le
    from pydantic import ConfigDict, Field, create_model

    hints = get_type_hints(shape, localns={"Ge": Ge, "Le": Le}, include_extras=True)
    members: dict[str, Any] = {}
    for each in fields(shape):
        made: Any = each.default_factory
        default = Field(default_factory=made) if each.default is MISSING else Field(default=each.default)
        members[each.name] = (hints[each.name], default)
    return create_model(shape.__name__, __config__=ConfigDict(extra="forbid", strict=True), **members)


def _sentence(section: str, error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join([section, *(str(part) for part in first["loc"])])
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{key} is not a setting. See config.example.toml for all of them."
    return f"{key} {plain(first['msg'])}; it is {first['input']!r}."
