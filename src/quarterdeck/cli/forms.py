"""Options made from what an action declares."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from quarterdeck.cli.exits import usage
from quarterdeck.cli.runtime import parameter
from quarterdeck.config.wording import plain
from quarterdeck.contract.actions import Action


def _kind(annotation: Any) -> tuple[type[Any], bool]:
    """The plain type of a field and whether it may be nothing."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not type(None)]
        return _kind(inner[0])[0], len(inner) < len(get_args(annotation))
    return annotation, False


def option_name(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def options(action: Action) -> Iterator[inspect.Parameter]:
    """One option for each parameter of the action."""
    for name, field in action.params.load().model_fields.items():
        kind, nullable = _kind(field.annotation)
        help_text = field.description or f"{field.title or name}."
        if field.is_required() and nullable and "mpty" not in help_text:
            help_text += " Empty for none."
        plain: Any = kind if issubclass(kind, StrEnum) else str
        option = typer.Option(option_name(name), help=help_text, show_default=False)
        annotation: Any = Annotated[plain if field.is_required() else plain | None, option]
        default = inspect.Parameter.empty if field.is_required() else None
        yield parameter(name, annotation, default)


def params(action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the action takes it; an empty text means nothing where that is allowed. Raises a usage
    error that names the parameter."""
    model = action.params.load()
    unknown = [name for name in given if name not in model.model_fields]
    if unknown:
        valid = ", ".join(model.model_fields) or "none"
        raise usage(f"{action.label} has no parameter '{unknown[0]}'. Valid: {valid}.")
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        nullable = _kind(model.model_fields[name].annotation)[1]
        chosen[name] = None if value == "" and nullable else str(value)
    return _checked(action, model, chosen)


def _checked(action: Action, model: Any, chosen: dict[str, Any]) -> dict[str, Any]:
    """As JSON of the right types."""
    from pydantic import ValidationError

    try:
        found: dict[str, Any] = model.model_validate(chosen, strict=False).model_dump(mode="json", include=set(chosen))
        return found
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "parameters"
        if first["type"] == "missing":
            raise usage(f"{action.label} needs {name}; give {option_name(name)} or --set {name}=VALUE.") from None
        raise usage(f"{action.label}, {name}: {plain(first['msg'])}.") from None


def settings(pairs: list[str]) -> dict[str, str]:
    """`key=value` texts as a dictionary. Raises a usage error."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise usage(f"--set takes key=value, not '{pair}'.")
        found[name.replace("-", "_")] = value
    return found
