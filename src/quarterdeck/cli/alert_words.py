"""Words that the commands about alerts share."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quarterdeck.cli.exits import usage

_SPAN = re.compile(r"([0-9]{1,9})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1_440}
_MOST_DAYS = 366


def minutes_of(text: str) -> int:
    """Minutes. Raises a usage error."""
    match = _SPAN.fullmatch(text)
    minutes = int(match.group(1)) * _MINUTES[match.group(2)] if match else 0
    if not 0 < minutes <= _MOST_DAYS * _MINUTES["d"]:
        raise usage(f"--for takes a time like 30m, 4h or 2d, of {_MOST_DAYS} days at most, not '{text}'.")
    return minutes


def labels_of(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items() if name not in ("alertname", "severity"))
