"""Values under secret names never leave the engine for whoever is not an admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarterdeck.config.settings import Settings
from quarterdeck.contract.enums import Role
from quarterdeck.contract.masking import MASKS, mask, pattern
from quarterdeck.contract.principal import Principal


def shown(payload: Any, principal: Principal, settings: Settings) -> Any:
    """The payload as the principal may see it. Values deep inside are found as well."""
    if principal.role.covers(Role.ADMIN):
        return payload
    return mask(payload, settings.console.secret_keys)


def unmasked(new: Any, old: Any, patterns: Sequence[str]) -> Any:
    """`new` with the values of `old` where whoever wrote it was shown, and sent back, a mask."""
    if not patterns:
        return new
    secret = pattern(tuple(patterns))
    top: list[Any] = [new]
    open_: list[Any] = [(top, 0, old)]
    while open_:
        holder, place, was = open_.pop()
        value = holder[place]
        if isinstance(value, dict):
            known = was if isinstance(was, dict) else {}
            made: Any = {
                key: known[key] if each in MASKS and key in known and secret.fullmatch(key) else each
                for key, each in value.items()
            }
            open_ += [(made, key, known.get(key)) for key, each in value.items() if isinstance(each, dict | list)]
        elif isinstance(value, list):
            made = list(value)
            beside = was if isinstance(was, list) else []
            open_ += [
                (made, number, beside[number] if number < len(beside) else None)
                for number, each in enumerate(made)
                if isinstance(each, dict | list)
            ]
        else:
            continue
        holder[place] = made
    return top[0]
