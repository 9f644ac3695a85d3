"""What is promised for a priority, and what follows when it is nearly broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from quarterdeck.contract.enums import Priority
from quarterdeck.tui.screens.setup.written import COUNTED_MINUTES, LIST, Written, quoted, unquoted

EXAMPLE = "75% suggest raise priority"
_STEP = re.compile(
    r"(?P<percent>\d+)\s*%\s*(?:of\s+(?P<target>first response|resolution)\s+)?(?P<does>suggest|do)\s+"
    r'(?P<act>raise priority|assign|notify)(?:\s+(?P<whom>"(?:[^"\\]|\\.)*"|[^":]+?))?\s*(?::\s*(?P<note>.+))?',
    re.DOTALL,
)


def _read_steps(text: str) -> list[dict[str, Any]]:
    """A line each: `75% suggest raise priority`, `100% of first response do assign lead: Call the customer.`,
    `100% do notify on-call, ops`."""
    found = []
    for line in text.splitlines():
        match = _STEP.fullmatch(line.strip())
        act = match["act"] if match is not None else ""
        if match is None or (match["whom"] and act == "raise priority"):
            raise ValueError(
                f"cannot be read in '{line.strip()[:30]}'; write it as {EXAMPLE}, or 100% do assign lead: note"
            )
        whom = match["whom"] or ""
        found.append(
            {
                "percent": int(match["percent"]),
                "target": (match["target"] or "resolution").replace(" ", "_"),
                "does": match["does"],
                "act": act.replace(" ", "_"),
                "assignee": unquoted(whom) if whom and act == "assign" else None,
                "note": match["note"].replace("\\n", "\n") if match["note"] else None,
                "channels": LIST.read(whom) if whom and act == "notify" else [],
            }
        )
    return found


def write_step(step: Mapping[str, Any]) -> str:
    act = str(step["act"]).replace("_", " ")
    whom = quoted(step["assignee"], ":") if step["assignee"] else LIST.write(step["channels"])
    of = " of first response" if step["target"] == "first_response" else ""
    note = ": " + step["note"].replace("\n", "\\n") if step["note"] else ""
    return f"{step['percent']}%{of} {step['does']} {act}{' ' + whom if whom else ''}{note}"


def _write_steps(steps: Iterable[Mapping[str, Any]]) -> str:
    return "\n".join(write_step(step) for step in steps)


def _read_targets(text: str) -> list[dict[str, Any]]:
    """A line each: `urgent 15m / 2h`: the first response, then the resolution; - where nothing is promised."""
    found = []
    for line in text.splitlines():
        word, _, times = line.strip().partition(" ")
        parts = [part.strip() for part in times.split("/")]
        if word not in list(Priority) or len(parts) != 2:
            names = ", ".join(Priority)
            raise ValueError(f"cannot be read in '{line.strip()[:30]}'; write it as urgent 15m / 2h ({names})")
        first, last = (_minutes(part, word) for part in parts)
        found.append({"priority": word, "first_response_minutes": first, "resolution_minutes": last})
    return found


def _minutes(text: str, priority: str) -> int | None:
    if text in ("", "-"):
        return None
    try:
        return int(COUNTED_MINUTES.read(text))
    except ValueError as error:
        raise ValueError(f"has '{text[:30]}' for {priority}, which {error}") from None


def remark_on_targets(text: str) -> str:
    """What is odd, though it can be promised; empty where nothing is, or nothing can be read yet."""
    try:
        targets = _read_targets(text)
    except ValueError:
        return ""
    odd = [
        each["priority"]
        for each in targets
        if (each["first_response_minutes"] or 0) > (each["resolution_minutes"] or 1e9)
    ]
    return f"The first response is later than the resolution: {', '.join(odd)}." if odd else ""


def _write_targets(targets: Iterable[Mapping[str, Any]]) -> str:
    lines = []
    for each in targets:
        times = (each["first_response_minutes"], each["resolution_minutes"])
        said = " / ".join("-" if time is None else COUNTED_MINUTES.write(time) for time in times)
        lines.append(f"{each['priority']} {said}")
    return "\n".join(lines)


STEPS = Written(_read_steps, _write_steps)
TARGETS = Written(_read_targets, _write_targets)
