"""Options made from a model of the contract, for settings that are too many to write down twice."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import typer

from quarterdeck.cli.exits import usage
from quarterdeck.cli.runtime import parameter
from quarterdeck.config.wording import plain

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

# How a limit is taken off.
NOTHING = "none"


def options(model: type[BaseModel], limits: tuple[str, ...] = ()) -> Iterator[inspect.Parameter]:
    """One option for each field, none of them required; a model inside becomes an option for each of its own.

    `limits` are fields that can be taken off with `none`.
    """
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation)
        inner = _fields(kind)
        if inner is not None:
            for part, each in inner.items():
                yield _option(f"{name}_{part}", _kind(each.annotation), _description(each))
        elif name in limits:
            yield _option(name, str, f"{_description(field).rstrip('.')}; {NOTHING} takes it off.")
        else:
            yield _option(name, kind, _description(field))


def _option(name: str, kind: type[Any], help_text: str) -> inspect.Parameter:
    flag = f"--{name.replace('_', '-')}"
    known = kind if kind in (int, float, bool) or issubclass(kind, StrEnum) else str
    declared = f"{flag}/--no-{flag[2:]}" if kind is bool else flag
    annotation: Any = Annotated[known | None, typer.Option(declared, help=help_text, show_default=False)]
    return parameter(name, annotation, None)


def chosen(model: type[BaseModel], given: Mapping[str, Any], limits: tuple[str, ...] = ()) -> dict[str, Any]:
    """What was given, as the model's JSON. Raises a usage error that names the option."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = _fields(_kind(field.annotation))
        if inner is not None:
            parts = {part: given[f"{name}_{part}"] for part in inner if given.get(f"{name}_{part}") is not None}
            if parts:
                found[name] = parts
        elif given.get(name) is not None:
            value = given[name]
            if name in limits:
                value = None if value == NOTHING else _number(name, value)
            found[name] = str(value) if isinstance(value, StrEnum) else value
    _check(model, found)
    return found


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise usage(f"--{name.replace('_', '-')} takes a number or {NOTHING}, not '{text}'.") from None
    return int(number) if number.is_integer() else number


def _check(model: type[BaseModel], found: dict[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        model.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        name = "-".join(str(part).replace("_", "-") for part in first["loc"])
        raise usage(f"--{name} {plain(first['msg'])}.") from None


def _description(field: FieldInfo) -> str:
    """Its own, or that of the type it is made of."""
    if field.description:
        return field.description
    parts = get_args(field.annotation)
    said = (getattr(each, "description", None) for part in parts for each in getattr(part, "__metadata__", ()))
    return next(filter(None, said), "")


def _kind(annotation: Any) -> type[Any]:
    """The plain type of a field."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _kind(next(each for each in get_args(annotation) if each is not type(None)))
    kind: type[Any] = annotation
    return kind


def _fields(kind: type[Any]) -> dict[str, FieldInfo] | None:
    """The fields of a model; None for what is none."""
    from pydantic import BaseModel

    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else None
