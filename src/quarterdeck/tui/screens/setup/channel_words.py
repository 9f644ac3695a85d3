"""Channels in columns and words. A secret is only ever named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.enums import ChannelKind
from quarterdeck.tui import format as words
from quarterdeck.tui.format import Cell, plural
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.setup.facts import Fact, ago, fact_lines
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import CellContext, Column

Row = Mapping[str, Any]
_STATES = {"delivered": "completed", "pending": "active", "failed": "failed", "cancelled": "ended", "skipped": "ended"}


def target(row: Row) -> str:
    """Where it goes, without a secret."""
    settings = row["settings"]
    match settings["kind"]:
        case ChannelKind.WEBHOOK:
            return str(settings["url"])
        case ChannelKind.EMAIL:
            return f"{', '.join(settings['to'])} by {settings['host']}"
        case ChannelKind.PAGERDUTY:
            return f"PagerDuty, region {settings['region']}"
    return "the webhook that its secret names"


def secret(row: Row) -> str:
    """Where its secret stands; empty without one."""
    if row["secret_env"]:
        return f"the environment variable {row['secret_env']} of the engine"
    return f"the engine's keyring, channel:{row['secret_keyring']}" if row["secret_keyring"] else ""


def standing(row: Row, glyphs: Glyphs) -> Cell:
    if row["enabled"]:
        return f"{glyphs.completed} on", "badge-completed"
    return (
        (f"{glyphs.failed} off", "badge-failed") if row["disabled_reason"] else (f"{glyphs.ended} off", "badge-ended")
    )


def last(row: Row, glyphs: Glyphs, now: int) -> Cell:
    """What became of the last notification, and when: `● delivered 3m`."""
    one = row["last"]
    if one is None:
        return "-", "faint"
    kind = _STATES.get(one["state"], "waiting")
    return f"{getattr(glyphs, kind)} {one['state']} {words.age(one['at'], now)}", f"badge-{kind}"


def why_last(row: Row) -> str:
    """In a sentence, why the last notification was not delivered; empty where it was."""
    one = row["last"]
    if one is None or one["state"] == "delivered" or not one["error"]:
        return ""
    return f"{one['error']}{' It is tried again.' if one['state'] == 'pending' else ''}"


def _name(row: Row, _context: CellContext) -> Cell:
    return safe(row["name"]), "" if row["enabled"] else "muted"


def _standing(row: Row, context: CellContext) -> Cell:
    return standing(row, context.glyphs)


def _target(row: Row, _context: CellContext) -> Cell:
    return safe(target(row)), "muted"


def _tenant(row: Row, _context: CellContext) -> Cell:
    return (safe(row["tenant_id"]), "muted") if row["tenant_id"] else ("every", "faint")


def _last(row: Row, context: CellContext) -> Cell:
    return last(row, context.glyphs, context.now)


def _why(row: Row, _context: CellContext) -> Cell:
    return (safe(row["disabled_reason"]), "error") if row["disabled_reason"] else (safe(why_last(row)), "warning")


CHANNEL_COLUMNS: tuple[Column, ...] = (
    Column("state", "state", 6, _standing),
    Column("name", "channel", 14, _name, flex=True),
    Column("kind", "kind", 9, lambda row, _: (safe(row["kind"]), "muted")),
    Column("target", "goes to", 22, _target, flex=True),
    Column("tenant", "tenant", 12, _tenant, hide_below=100),
    Column("last", "last one", 16, _last, live=True),
    Column("why", "why", 20, _why, flex=True, hide_below=150),
)


def channel_lines(row: Row, *, cells: int, glyphs: Glyphs, now: int) -> list[Line]:
    head: Line = [(safe(row["name"]), "title"), ("  ", ""), standing(row, glyphs), ("  ", "")]
    head.append(last(row, glyphs, now) if row["last"] else ("nothing went out lately", "muted"))
    settings, one = row["settings"], row["last"]
    mail = settings["kind"] == ChannelKind.EMAIL
    facts: list[Fact] = [
        ("switched off", row["disabled_reason"] or "", "error"),
        ("last one", why_last(row), "warning"),
        ("attempts", plural(one["attempts"], "attempt") + f", run {one['run_id']}" if one and one["run_id"] else ""),
        ("kind", row["kind"]),
        ("goes to", target(row)),
        ("server", f"{settings['host']}:{settings['port']}, {settings['security']}" if mail else ""),
        ("from", settings["sender"] if mail else ""),
        ("logs in as", (settings["username"] or "") if mail else ""),
        ("secret", secret(row) or ("none: nothing is signed" if row["kind"] == ChannelKind.WEBHOOK else "none")),
        ("tenant", row["tenant_id"] or "every tenant"),
        ("changed", f"{ago(row['updated_at'], now)} by {row['updated_by']}"),
    ]
    return [head, *fact_lines(facts, cells)]


def verified(found: Row, cells: int, glyphs: Glyphs) -> list[Line]:
    """What came of a test."""
    good = found["delivered"]
    head = (f"{glyphs.completed} delivered", "badge-completed") if good else (f"{glyphs.failed} failed", "badge-failed")
    facts: list[Fact] = [
        ("said", found["said"], "" if good else "error"),
        ("code", found["code"] or ""),
        ("answer", found["detail"] or ""),
    ]
    return [[head, (f"  after {found['took_ms']:,} ms", "muted")], [], *fact_lines(facts, cells)]
