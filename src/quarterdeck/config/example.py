"""config.example.toml: every setting with its default and a sentence, made from the settings themselves."""

from __future__ import annotations

import json
import textwrap
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le

from quarterdeck.config import queue_sections
from quarterdeck.config.settings import Settings

HEADER = """\
# Every setting of Quarterdeck with its default. Put what you want to change into config.toml in the home
# folder (`qd doctor` says where that is). Made from the code by `python3 dev.py generate`.
"""


def example() -> str:
    """The file as text."""
    defaults = Settings()
    parts = [HEADER]
    for section in fields(Settings):
        if section.name == "queues":
            parts.append(queue_sections.example())
            continue
        values = getattr(defaults, section.name)
        summary = (type(values).__doc__ or "").strip()
        hints = get_type_hints(type(values), localns={"Ge": Ge, "Le": Le}, include_extras=True)
        parts.append(f"\n# {summary}\n[{section.name}]\n")
        for each in fields(values):
            sentence = " ".join(filter(None, [each.metadata["doc"], _limits(hints[each.name])]))
            lines = textwrap.wrap(sentence, 108)
            comment = "".join(f"# {line}\n" for line in lines)
            parts.append(f"\n{comment}{each.name} = {_toml(getattr(values, each.name))}\n")
    return "".join(parts)


def _limits(hint: Any) -> str:
    """What the value may be, where the type says it."""
    if get_origin(hint) is Literal:
        return f"One of {', '.join(map(str, get_args(hint)))}."
    least = next((limit.ge for limit in getattr(hint, "__metadata__", ()) if isinstance(limit, Ge)), None)
    most = next((limit.le for limit in getattr(hint, "__metadata__", ()) if isinstance(limit, Le)), None)
    if most is not None:
        return f"From {least} to {most}."
    return f"At least {least}." if least else ""


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are written alike in both
