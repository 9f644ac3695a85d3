"""The signs the console draws, and the same signs in ASCII."""

from __future__ import annotations

from typing import NamedTuple


class Glyphs(NamedTuple):
    """Each one cell wide, in every terminal. (A NamedTuple: a dataclass costs the start five times as much.)"""

    cursor: str = "▸"
    mark: str = "■"
    range: str = "│"
    stale: str = "×"
    thumb: str = "▐"
    placeholder: str = "· · ·"
    ellipsis: str = "…"
    up: str = "▲"
    down: str = "▼"
    waiting: str = "○"
    active: str = "◐"
    completed: str = "●"
    failed: str = "✕"
    attention: str = "!"
    ended: str = "◌"
    urgent: str = "▲"
    high: str = "△"
    normal: str = " "
    low: str = "▽"
    separator: str = "›"
    bar_full: str = "█"
    bar_empty: str = "░"
    vertical: str = "│"
    horizontal: str = "─"
    ascii: bool = False


UNICODE = Glyphs()
ASCII = Glyphs(
    cursor=">",
    mark="*",
    range="|",
    stale="x",
    thumb="#",
    placeholder=". . .",
    ellipsis="~",
    up="^",
    down="v",
    waiting="o",
    active="+",
    completed="=",
    failed="x",
    attention="!",
    ended="-",
    urgent="^",
    high="+",
    normal=" ",
    low="-",
    separator=">",
    bar_full="#",
    bar_empty=".",
    vertical="|",
    horizontal="-",
    ascii=True,
)
