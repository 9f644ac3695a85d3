"""What a call to the engine can fail with, and the sentence for it."""

from __future__ import annotations

from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.problems import Problem

FAILURES = (Problem, Unreachable)


def sentence(error: BaseException) -> str:
    """One sentence for a person."""
    return error.detail if isinstance(error, Problem) else str(error)
