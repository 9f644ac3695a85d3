"""What an engine says when it refuses something, as the problem that it is."""

from __future__ import annotations

import json

from quarterdeck.contract.problems import Code, Problem


def problem_of(status: int, content: bytes, retry_after: str | None) -> Problem:
    """The problem in an answer, whatever the answer looks like."""
    try:
        found = json.loads(content)
        detail = str(found["detail"])
    except (ValueError, KeyError, TypeError):
        found, detail = {}, f"The engine answered {status} without saying why."
    try:
        code = Code(found.get("code"))
    except ValueError:  # from a newer engine
        code = Code.BAD_REQUEST if status < 500 else Code.INTERNAL
    return Problem(
        code,
        detail,
        errors=tuple((each["pointer"], each["detail"]) for each in found.get("errors") or ()),
        retry_after=int(retry_after) if retry_after and retry_after.isdigit() else None,
        extra=found.get("extra"),
    )
