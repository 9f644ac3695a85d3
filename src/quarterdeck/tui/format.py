"""Numbers, times and states in the words of the console. Pure; times are milliseconds or ISO 8601 text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, from_iso
from quarterdeck.contract.transitions import DONE
from quarterdeck.tui.glyphs import UNICODE, Glyphs

Cell = tuple[str, str]  # text and the name of a style

_MONTH = 30 * DAY
_YEAR = 365 * DAY
# In the last two minutes a time to due counts seconds.
_LAST = 2 * MINUTE
_NEAR = 10 * HOUR

# state -> (kind of badge, word)
_BADGES: dict[str, tuple[str, str]] = {
    "open": ("waiting", "open"),
    "requested": ("waiting", "requested"),
    "scheduled": ("waiting", "scheduled"),
    "draft": ("waiting", "draft"),
    "pending": ("waiting", "pending"),
    "waiting": ("waiting", "waiting"),
    "in_progress": ("active", "in progress"),
    "active": ("active", "active"),
    "approved": ("active", "approved"),
    "received": ("active", "received"),
    "retrying": ("active", "retrying"),
    "resolved": ("completed", "resolved"),
    "refunded": ("completed", "refunded"),
    "completed": ("completed", "completed"),
    "succeeded": ("completed", "succeeded"),
    "rejected": ("failed", "rejected"),
    "failed": ("failed", "failed"),
    "dead": ("failed", "dead"),
    "needs_manual_review": ("attention", "needs review"),
    "closed": ("ended", "closed"),
    "cancelled": ("ended", "cancelled"),
    "discarded": ("ended", "discarded"),
    "skipped": ("ended", "skipped"),
    "healthy": ("completed", "healthy"),
    "degraded": ("attention", "degraded"),
    "unhealthy": ("failed", "unhealthy"),
    "paused": ("ended", "paused"),
    "running": ("active", "running"),
    "met": ("completed", "met"),
    "breached": ("failed", "breached"),
}
_SEVERITIES = {"critical": ("urgent", "error"), "warning": ("high", "warning"), "info": ("low", "muted")}
_PRIORITIES = {"urgent": "error", "high": "warning", "normal": "muted", "low": "muted"}


def moment(value: object) -> int | None:
    """Milliseconds of a time from the API; None where there is none, or where it cannot be read."""
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        try:
            return from_iso(value)
        except ValueError:
            return None
    return None


def span(milliseconds: int) -> str:
    """`95s`, `3m`, `2h`, `5d`, `14mo`, `3y`: one unit, rounded down."""
    if milliseconds < _LAST:
        return f"{milliseconds // SECOND}s"
    if milliseconds < HOUR:
        return f"{milliseconds // MINUTE}m"
    if milliseconds < 2 * DAY:
        return f"{milliseconds // HOUR}h"
    if milliseconds < 100 * DAY:
        return f"{milliseconds // DAY}d"
    if milliseconds < 2 * _YEAR:
        return f"{milliseconds // _MONTH}mo"
    return f"{milliseconds // _YEAR}y"


def age(since: object, now: int) -> str:
    """How old: `now` in the first minute, then `3m`, `2h`, `5d`. Changes at most once a minute."""
    start = moment(since)
    if start is None:
        return ""
    passed = now - start
    if passed < MINUTE:
        return "now"
    return f"{passed // MINUTE}m" if passed < HOUR else span(passed)


def due(at: object, now: int) -> Cell:
    """Time to due and its style: `in 12m`, `in 3h 05m`, `in 95s` in the last two minutes, `late 3h`."""
    target = moment(at)
    if target is None:
        return "", ""
    left = target - now
    if left <= 0:
        return f"late {age(target, now)}" if left <= -MINUTE else "late", "error"
    return f"in {left_of(left)}", "warning" if left < HOUR else ""


def left_of(milliseconds: int) -> str:
    """`span`, with minutes where an hour more or less is a plan: `1h 59m`."""
    if not HOUR <= milliseconds < _NEAR:
        return span(milliseconds)
    return f"{milliseconds // HOUR}h {milliseconds % HOUR // MINUTE:02d}m"


def due_signed(at: object, now: int, glyphs: Glyphs = UNICODE) -> Cell:
    """`due` with a sign where it presses, so that colour is not needed: `! in 12m`, `✕ late 3h`."""
    text, style = due(at, now)
    sign = {"error": f"{glyphs.failed} ", "warning": f"{glyphs.attention} "}.get(style, "")
    return f"{sign}{text}", style


def due_of(item: Mapping[str, Any], now: int, glyphs: Glyphs = UNICODE) -> Cell:
    """`due_signed` of an item; nothing where nobody waits for it any more."""
    if item["status"] in DONE or item.get("deleted_at"):
        return "", ""
    return due_signed(item.get("sla_due_at"), now, glyphs)


def count(number: int | None, *, more: bool = False) -> str:
    """`1,000,000`; `100+` where there are more than were counted; `?` where nothing is known."""
    return "?" if number is None else f"{number:,}{'+' if more else ''}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 item`, `1,204 items`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """Whole per cent, rounded down: 100% means all of it."""
    return f"{part * 100 // whole}%" if whole > 0 else "0%"


def per_cent(value: float | None) -> str:
    """`0.4%`, `12%`, `1,204%`: rounded down, so that 100% means all of it; nothing where nothing is known."""
    if value is None:
        return ""
    tenths = int(value * 10 + 1e-6)
    return f"{tenths / 10}%" if 0 < tenths < 100 and tenths % 10 else f"{tenths // 10:,}%"


def duration(milliseconds: int) -> str:
    """`45s`, `3m 20s`, `2h 05m`, `3d 4h`: two units, for estimates."""
    seconds = max(0, milliseconds) // SECOND
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    if seconds < 86_400:
        return f"{seconds // 3_600}h {seconds % 3_600 // 60:02d}m"
    return f"{seconds // 86_400}d {seconds % 86_400 // 3_600}h"


def bar(part: int, whole: int, width: int, glyphs: Glyphs = UNICODE) -> str:
    """A progress bar of exactly `width` cells; full only when all is done."""
    filled = min(width, part * width // whole) if whole > 0 else 0
    return glyphs.bar_full * filled + glyphs.bar_empty * (width - filled)


def badge(state: str, glyphs: Glyphs = UNICODE) -> Cell:
    """A state as sign, word and style: never colour alone."""
    kind, word = _BADGES.get(state, ("waiting", state.replace("_", " ")))
    return f"{getattr(glyphs, kind)} {word}", f"badge-{kind}"


def priority(word: str, glyphs: Glyphs = UNICODE) -> Cell:
    """A priority as sign, word and style."""
    style = _PRIORITIES.get(word)
    return (word, "") if style is None else (f"{getattr(glyphs, word)} {word}", style)


def severity(word: str, glyphs: Glyphs = UNICODE) -> Cell:
    """A severity as sign, word and style."""
    sign, style = _SEVERITIES.get(word, ("normal", ""))
    return f"{getattr(glyphs, sign)} {word}", style
