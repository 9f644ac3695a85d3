"""What is set up (policies, rules), written in files: TOML or JSON, as `show --json` prints it too."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarterdeck.cli.exits import CommandError, usage
from quarterdeck.cli.json_lines import json_file
from quarterdeck.config.wording import plain

if TYPE_CHECKING:
    from pydantic import BaseModel


def read_definition(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    """What of the file `model` takes, as JSON; what an engine only tells (id, version …) is left out.

    Raises CommandError with the file, and a usage error with the member that is wrong.
    """
    return _checked_file(_read(path), path, model)


def read_change(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    """The name and the whole settings of a file for `model`; and the version, where the file is what an engine told:
    what has changed since then is not overwritten. Raises as `read_definition`."""
    found = _read(path)
    written = _checked_file(found, path, model, whole=True)
    body = {"name": written["name"], "settings": written["settings"]}
    return {**body, "version": found["version"]} if isinstance(found.get("version"), int) else body


def _read(path: Path) -> dict[str, Any]:
    found = _toml(path) if path.suffix == ".toml" else json_file(path)
    if not isinstance(found, dict):
        raise CommandError(f"{path} must hold a table with a name and settings.")
    return found


_TOLD = ("id", "enabled", "version", "evaluated_at", "error", "firing", "pending", "updated_at", "updated_by")


def _checked_file(found: dict[str, Any], path: Path, model: type[BaseModel], *, whole: bool = False) -> dict[str, Any]:
    return checked({n: value for n, value in found.items() if n not in _TOLD}, model, f"{path}: ", whole=whole)


def checked(values: dict[str, Any], model: type[BaseModel], before: str = "", *, whole: bool = False) -> dict[str, Any]:
    """As JSON that `model` takes; `whole`: with what is meant where nothing is said. Raises a usage error that names
    the member; `before` begins it."""
    from pydantic import ValidationError

    try:
        return model.model_validate(values, strict=False).model_dump(mode="json", exclude_unset=not whole)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise usage(f"{before}{where}{': ' if where else ''}{plain(first['msg'])}.") from None


def _toml(path: Path) -> Any:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 (byte {error.start}).") from error
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{path} is not TOML: {error}.") from error
