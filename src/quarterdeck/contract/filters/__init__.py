"""The filter grammar: one parser for console, API and command line.

    status:open,waiting priority:urgent assignee:me created:>=2026-01-01 due:<2h -category:spam "free text"

Terms are joined by AND, the values of one term by OR, `-` negates a term.
"""

from quarterdeck.contract.filters.ast import (
    Between,
    Compare,
    Condition,
    Equals,
    Filter,
    FilterError,
    Instant,
    Term,
)
from quarterdeck.contract.filters.complete import Completion, complete
from quarterdeck.contract.filters.freeze import freeze
from quarterdeck.contract.filters.keys import KEYS, Key, KeyKind, keys_for
from quarterdeck.contract.filters.parser import parse

__all__ = [
    "KEYS",
    "Between",
    "Compare",
    "Completion",
    "Condition",
    "Equals",
    "Filter",
    "FilterError",
    "Instant",
    "Key",
    "KeyKind",
    "Term",
    "complete",
    "freeze",
    "keys_for",
    "parse",
]
