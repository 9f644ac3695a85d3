"""Values under secret names, hidden: by the engine from whoever is not an admin, by the console from onlookers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Any

MASK, ASCII_MASK = "••••••", "******"
MASKS = (MASK, ASCII_MASK)


def mask(payload: Any, patterns: Sequence[str], sign: str = MASK) -> Any:
    """A copy in which every value under a name that matches is `sign`; an object or a list is masked whole."""
    if not patterns or not isinstance(payload, dict | list):
        return payload
    secret = pattern(tuple(patterns))
    top: list[Any] = [payload]
    # By hand, not by recursion: a payload may be nested deeper than Python calls.
    open_: list[Any] = [(top, 0)]
    while open_:
        holder, place = open_.pop()
        value = holder[place]
        if isinstance(value, dict):
            made: Any = {
                key: sign if secret.fullmatch(key) and each is not None else each for key, each in value.items()
            }
            open_ += [(made, key) for key, each in made.items() if isinstance(each, dict | list)]
        else:
            made = list(value)
            open_ += [(made, number) for number, each in enumerate(made) if isinstance(each, dict | list)]
        holder[place] = made
    return top[0]


@lru_cache(16)
def pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for names like `*password*`, whatever their case."""
    return re.compile("|".join(translate(each) for each in patterns), re.IGNORECASE)
