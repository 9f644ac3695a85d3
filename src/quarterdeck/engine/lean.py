"""What of a library is not imported, because nobody here uses it and every start would wait for it.

A test holds that the engine still comes up without it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

# SQLAlchemy's asyncio package imports the whole ORM for its sessions (70 of the 650 ms in which an engine
# started), uvicorn its command line with click (8 ms).
LEFT_OUT = ("sqlalchemy.ext.asyncio.session", "sqlalchemy.ext.asyncio.scoping", "uvicorn.main")


class _Unused:
    """In the place of a class that was left out."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("left out of the engine; see quarterdeck.engine.lean")


def _unused(name: str) -> type[_Unused]:
    if name.startswith("__"):  # whoever looks at modules, such as a debugger, asks each for its file
        raise AttributeError(name)
    return _Unused


def leave_out() -> None:
    """Without effect on what has been imported already."""
    for name in LEFT_OUT:
        empty = ModuleType(name)
        vars(empty)["__getattr__"] = _unused
        sys.modules.setdefault(name, empty)
