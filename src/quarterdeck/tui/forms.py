"""The fields of an action's form, read from its pydantic model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.transitions import TRANSITIONS, statuses


@dataclass(frozen=True, slots=True)
class Field:
    """`choices` empty: free text. `nullable`: empty means null. `known`: which facet completes it."""

    name: str
    title: str
    hint: str
    required: bool
    nullable: bool
    choices: tuple[str, ...] = ()
    known: str = ""

    def value(self, text: str) -> str | None:
        """What is sent for what was typed."""
        return None if self.nullable and not text else text


_KNOWN = {"assignee": "assignee", "category": "category"}


async def fields_of(action: Action, status: str | None = None) -> tuple[Field, ...]:
    """Loads pydantic on first use, beside the screen. `status` narrows a choice of states to legal moves."""
    model = await asyncio.to_thread(action.params.load)
    return tuple(_fields(model.model_json_schema(), action, status))


def _fields(schema: dict[str, Any], action: Action, status: str | None) -> list[Field]:
    required = set(schema.get("required", ()))
    found = []
    for name, member in schema.get("properties", {}).items():
        shapes = [_resolve(shape, schema) for shape in member.get("anyOf", [member])]
        choices = next((tuple(shape["enum"]) for shape in shapes if "enum" in shape), ())
        if name == "status":
            legal = TRANSITIONS[action.resource].get(status or "", frozenset(statuses(action.resource)))
            choices = tuple(choice for choice in statuses(action.resource) if choice in legal)
        nullable = any(shape.get("type") == "null" for shape in shapes)
        found.append(
            Field(
                name,
                str(member.get("title") or name.replace("_", " ").capitalize()),
                str(member.get("description", "")),
                name in required and not nullable,
                nullable,
                choices,
                _KNOWN.get(name, ""),
            )
        )
    return found


def _resolve(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = shape.get("$ref") or next((s["$ref"] for s in shape.get("allOf", ()) if "$ref" in s), None)
    if reference is None:
        return shape
    found: dict[str, Any] = schema["$defs"][reference.rpartition("/")[2]]
    return found
