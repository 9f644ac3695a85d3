"""A tenant is there once something is of it: nobody makes one, so a name that is mistyped is only new."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.tui.text import safe

_MOST_TOLD = 1_000  # as an engine tells


def unheard_of(tenant: str, tenants: Sequence[str]) -> str:
    """A remark on a tenant of whom there is no item; empty where there is one, or where all are new.

    `tenants`: those who have items, as the engine says.
    """
    if not tenants or tenant in tenants or len(tenants) >= _MOST_TOLD:
        return ""
    return f"No item is of a tenant {safe(tenant)} yet; look whether it is spelt so."
