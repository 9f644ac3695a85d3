"""What a model says of one of its members: default, choices, limits, whether it may be absent. From its JSON schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]


class Shape(NamedTuple):
    """`blank`: what is meant where nothing is given: None, [] or {}; the default where the member cannot be empty."""

    default: Any
    choices: tuple[str, ...]
    required: bool
    nullable: bool
    blank: Any
    least: float | None
    most: float | None


def shape_at(schema: Schema, path: str) -> Shape:
    """`path`: names with / between them. Raises KeyError for a member that is not there."""
    here: Schema = schema
    required, member = True, here
    for name in path.split("/"):
        found = next((each for each in _forms(member, schema) if name in each.get("properties", {})), None)
        if found is None:
            raise KeyError(path)
        here = found
        member, required = here["properties"][name], name in here.get("required", ())
    forms = list(_forms(member, schema))
    nullable = any(each.get("type") == "null" for each in forms)
    choices = next((tuple(each["enum"]) for each in forms if "enum" in each), ())
    kinds = {each.get("type") for each in forms}
    default = member.get("default")
    blank: Any = default
    if "array" in kinds:
        blank = []
    elif nullable:
        blank = None
    elif "object" in kinds:
        blank = {}
    least = next((each["minimum"] for each in forms if "minimum" in each), None)
    most = next((each["maximum"] for each in forms if "maximum" in each), None)
    return Shape(default, choices, required and not nullable, nullable, blank, least, most)


def _forms(member: Schema, schema: Schema) -> Iterator[Schema]:
    """What a member may be, one after the other."""
    if "$ref" in member:
        yield from _forms(schema["$defs"][member["$ref"].rpartition("/")[2]], schema)
        return
    parts = [part for key in ("anyOf", "oneOf", "allOf") for part in member.get(key, ())]
    if not parts:
        yield member
    for part in parts:
        yield from _forms(part, schema)
