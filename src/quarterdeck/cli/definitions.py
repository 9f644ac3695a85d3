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
    found = _toml(path) if path.suffix == ".toml" else json_file(path)
    if not isinstance(found, dict):
        raise CommandError(f"{path} must hold a table with a name and settings.")
    return checked({name: value for name, value in found.items() if name not in _TOLD}, model, f"{path}: ")


_TOLD = ("id", "enabled", "version", "updated_at", "updated_by")


def checked(values: dict[str, Any], model: type[BaseModel], before: str = "") -> dict[str, Any]:
    """As JSON that `model` takes. Raises a usage error that names the member; `before` begins it."""
    from pydantic import ValidationError

    try:
        return model.model_validate(values, strict=False).model_dump(mode="json", exclude_unset=True)
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
