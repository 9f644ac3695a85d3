"""The sections `[queues.NAME]`. What a queue can be told stands once, in the contract; it is read only where a
file names a queue."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any


def read(name: str, values: Any) -> dict[str, Any]:
    """What a section names. Raises pydantic's ValidationError, or ValueError with a sentence."""
    from quarterdeck.contract.enums import HandlerKind
    from quarterdeck.contract.models.queues import QUEUE_NAME, QueueChange

    if not re.fullmatch(QUEUE_NAME, name):
        raise ValueError(f"{name!r} is no name of a queue: letters, digits, _ and -, at most 100.")
    if not isinstance(values, dict):
        raise ValueError(f"queues.{name} is a section; write it as [queues.{name}].")
    if "reason" in values:
        raise ValueError(f"queues.{name}.reason is not a setting. See config.example.toml for all of them.")
    if values.get("handler") == HandlerKind.ENGINE:
        raise ValueError(f"queues.{name}.handler must be http, python or worker; engine is the engine's own work.")
    change = QueueChange.model_validate_json(json.dumps(values, default=str), strict=True)
    return change.model_dump(mode="json", exclude_unset=True)


def example() -> str:
    """What config.example.toml says of queues: a section that is commented out, with every default."""
    from quarterdeck.contract.models.queues import QueueSettings

    defaults = QueueSettings().model_dump(mode="json")
    intro = (
        "Queues of machine work, one section each. What a section names is set at every start of the engine; what "
        "it leaves out keeps its default, or what was last changed while the engine ran."
    )
    parts = ["\n", *_comment(intro), "# [queues.refunds-api]\n"]
    for name, field in QueueSettings.model_fields.items():
        parts += ["#\n", *_comment(field.description or ""), f"# {name} = {_toml(defaults[name])}".rstrip() + "\n"]
    return "".join(parts)


def _comment(text: str) -> list[str]:
    return [f"# {line}\n" for line in textwrap.wrap(text, 108)]


def _toml(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
