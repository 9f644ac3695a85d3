"""Words that the commands about alerts share."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quarterdeck.cli.exits import usage

_SPAN = re.compile(r"(\d+)([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1_440}


def minutes_of(text: str) -> int:
    """Minutes. Raises a usage error."""
    match = _SPAN.fullmatch(text)
    if match is None or not int(match.group(1)):
        raise usage(f"--for takes a time like 30m, 4h or 2d, not '{text}'.")
    return int(match.group(1)) * _MINUTES[match.group(2)]


def labels_of(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items() if name not in ("alertname", "severity"))
