"""A model named before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Names a class in `contract.models` ("items:ItemPage"); `load()` imports it on first use.

    The console paints its first rows without pydantic: importing it costs a fifth of the time to the
    first screen.
    """

    path: str

    def load(self) -> Any:
        module, _, name = self.path.partition(":")
        return getattr(import_module(f"quarterdeck.contract.models.{module}"), name)

    @property
    def name(self) -> str:
        return self.path.partition(":")[2]
