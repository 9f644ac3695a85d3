"""Regular expressions that people write, in the syntax of RE2: as Alertmanager takes them, and matched in a time that
grows with the text alone, whatever the expression."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

_MOST_BYTES = 1 << 20  # of memory for one that is compiled


class Expression(Protocol):
    def fullmatch(self, text: str) -> object | None:
        """None where `text` as a whole does not match."""


@lru_cache(maxsize=2_000)
def compiled(text: str) -> Expression | str:
    """The expression, or the end of a sentence: why it is none."""
    import re2  # with the first expression, and not with the console

    options: Any = re2.Options()
    options.max_mem, options.log_errors = _MOST_BYTES, False
    try:
        expression: Expression = re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        return f"is no regular expression: {reason.decode(errors='replace') if isinstance(reason, bytes) else reason}"
    return expression


def fault_of(text: str) -> str | None:
    """The end of a sentence: why it is no expression; None where it is one."""
    found = compiled(text)
    return found if isinstance(found, str) else None
