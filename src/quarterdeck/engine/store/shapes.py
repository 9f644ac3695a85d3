"""Statements that are built once for each shape of their parts, and executed with the values of each.

Building a statement of SQLAlchemy's and finding its compiled form costs ten times what SQLite takes to execute
it. Here the values in the parts get names of our own, so that the statement around them can stay.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import BindParameter, ColumnElement, bindparam
from sqlalchemy.sql.visitors import replacement_traverse

Part = ColumnElement[Any]
Built = TypeVar("Built")


class Shapes(Generic[Built]):
    """What was built for each shape; forgotten, all at once, when there are `most`."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._built: dict[Hashable, Built] = {}

    def of(
        self, fixed: Hashable, parts: Sequence[Part], build: Callable[[list[Part]], Built]
    ) -> tuple[Built, dict[str, Any]]:
        """What `build` makes of the parts with their values taken out, and these values by their names.

        `fixed` must hold all else that `build` looks at.
        """
        shape: list[Hashable] = [fixed]
        taken: list[BindParameter[Any]] = []
        for part in parts:
            found = part._generate_cache_key()
            if found is None:
                raise TypeError(f"{part} says too little about itself to be used again")
            shape.append(found.key)
            for value in found.bindparams:
                if value.expanding or value.literal_execute:  # how many there are is part of the statement
                    shape.append(tuple(value.value or ()))
                else:
                    taken.append(value)
        key = tuple(shape)
        built = self._built.get(key)
        if built is None:
            names = {id(value): _name(number) for number, value in enumerate(taken)}

            def named(element: Any, **_: Any) -> Any:
                name = names.get(id(element))
                return None if name is None else bindparam(name, type_=element.type)

            if len(self._built) >= self._most:
                self._built.clear()
            built = self._built[key] = build([replacement_traverse(part, {}, named) for part in parts])
        return built, {_name(number): value.value for number, value in enumerate(taken)}


def _name(number: int) -> str:
    return f"value_{number}"
