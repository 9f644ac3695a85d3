"""`usage.limits`: what it may name stands once, in the contract; it is read only where a file names a limit."""

from __future__ import annotations

import re


def check(limits: dict[str, dict[str, int]]) -> None:
    """Raises ValueError with a sentence."""
    from quarterdeck.contract.enums import Period
    from quarterdeck.contract.models.usage import MOST_ALLOWED, RESOURCE_TYPE

    for kind, periods in limits.items():
        if not re.fullmatch(RESOURCE_TYPE, kind):
            raise ValueError(f"usage.limits: {kind!r} is no resource type: a small letter, then these, digits, _ . -.")
        for period, quantity in periods.items():
            if period not in list(Period):
                raise ValueError(f"usage.limits.{kind}.{period} is no period; name day, week or month.")
            if not 1 <= quantity <= MOST_ALLOWED:
                raise ValueError(f"usage.limits.{kind}.{period} must be from 1 to {MOST_ALLOWED}; it is {quantity}.")
