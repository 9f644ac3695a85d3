"""The words of the detail pane of a run and of a dead letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.enums import RunStatus
from quarterdeck.tui.detail import facts, when
from quarterdeck.tui.format import badge, count, plural
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.machines.columns import next_start, time_taken
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.json_words import first_lines
from quarterdeck.tui.widgets.run_timeline import counted_anew, timeline_lines, with_the_one_at_work

Row = Mapping[str, Any]
Keys = Mapping[str, str]  # command -> key, for what the pane leads to
_PAYLOAD_LINES = 14
_DETAIL_LINES = 60


def run_lines(
    run: Row, attempts: Sequence[Row] | None, *, cells: int, now: int, glyphs: Glyphs, keys: Keys
) -> list[Line]:
    """`attempts` None: they and the payload are on their way."""
    lines = [_run_head(run, now, glyphs), _name(run, run["kind"])]
    lines += _trouble(run, cells)
    lines += [[], [("attempts", "heading")]]
    if attempts is None:
        return [*lines, [("loading the attempts…", "muted")]]
    shown = with_the_one_at_work(attempts, run)
    lines += timeline_lines(shown, now=now, cells=cells, glyphs=glyphs)
    lines += _detail_of(shown, cells)
    lines += _payload("payload", run.get("payload"), cells, glyphs, keys.get("payload", ""))
    if run.get("result") is not None:
        lines += _payload("result", run["result"], cells, glyphs, "")
    lines += [[], [("facts", "heading")]]
    lines += facts(
        (
            ("priority", run["priority"]),
            ("worker", run.get("worker")),
            ("unique", run.get("unique_key")),
            ("lost", plural(run["lost"], "attempt") if run["lost"] else ""),
            ("operation", f"#{run['operation_id']}" if run.get("operation_id") else ""),
            (
                "letter",
                f"#{run['dead_letter_id']}{_by(keys, 'see-dead-letter')}" if run.get("dead_letter_id") else "",
            ),
            ("due", when(run["run_at"], now)),
            ("enqueued", when(run["created_at"], now)),
            ("started", when(run.get("started_at"), now)),
            ("finished", when(run.get("finished_at"), now)),
        ),
        cells,
    )
    return lines


def _run_head(run: Row, now: int, glyphs: Glyphs) -> Line:
    line: Line = [badge(run["status"], glyphs), (f"  try {run['attempt']} of {run['max_attempts']}", "")]
    taken, again = time_taken(run, now), next_start(run, now)
    if run["status"] == RunStatus.ACTIVE and run.get("progress") is not None:
        line.append((f"  {int(run['progress'] * 100)}%", "badge-active"))
    if taken:
        line.append((f"  {taken}", "muted"))
    if again:
        word = "tried again" if run["status"] == RunStatus.FAILED else "starts"
        line.append((f"  {word} {again}" if again != "due now" else f"  {again}", "warning"))
    return line


def _name(row: Row, kind: object) -> Line:
    return [
        (f"#{row['id']}  ", "accent"),
        (safe(row["queue"]), "title"),
        (f"  {safe(kind)}  {safe(row['tenant_id'])}", "muted"),
    ]


def _trouble(row: Row, cells: int) -> list[Line]:
    if not row.get("error_code") and not row.get("error_message"):
        return []
    code = " ".join(str(row[key]) for key in ("error_code", "error_class") if row.get(key))
    return wrap(f"{code}: {row.get('error_message') or 'no message'}", cells, "error", most=6)


def _detail_of(attempts: Sequence[Row], cells: int) -> list[Line]:
    """The traceback or the answer of the newest attempt that has one."""
    told = next((each for each in reversed(attempts) if each.get("detail")), None)
    if told is None:
        return []
    head: Line = [(f"what attempt #{told['number']} said", "heading")]
    return [[], head, *wrap(str(told["detail"]), cells, "", most=_DETAIL_LINES)]


def _payload(title: str, value: Any, cells: int, glyphs: Glyphs, key: str) -> list[Line]:
    head: Line = [(title, "heading")]
    if key:
        head += [("  ", ""), (key, "key"), (" opens it", "faint")]
    return [[], head, *first_lines(value, cells, _PAYLOAD_LINES, glyphs)]


def _by(keys: Keys, command: str) -> str:
    """How to get there."""
    return f" · {keys[command]} shows it" if keys.get(command) else ""


def dead_letter_lines(letter: Row, rest: Row | None, *, cells: int, now: int, glyphs: Glyphs, keys: Keys) -> list[Line]:
    """`rest` is a DeadLetterDetail; None: on its way."""
    lines: list[Line] = [_letter_head(letter, glyphs), _name(letter, letter["event_type"])]
    lines += _trouble(letter, cells)
    lines += [[], [("attempts", "heading")]]
    if rest is None:
        return [*lines, [("loading the attempts…", "muted")]]
    attempts = counted_anew(rest["attempts"])
    told = _detail_of(attempts, cells)
    if attempts:
        lines += timeline_lines(attempts, now=now, cells=cells, glyphs=glyphs)
    else:
        lines.append([(f"{plural(letter['attempts'], 'attempt')}, made elsewhere", "muted")])
    if not told and rest.get("detail"):
        told = [[], [("what it said", "heading")], *wrap(str(rest["detail"]), cells, "", most=_DETAIL_LINES)]
    lines += told
    lines += _payload("payload", rest["payload"], cells, glyphs, keys.get("payload", ""))
    if rest["metadata"]:
        lines += _payload("metadata", rest["metadata"], cells, glyphs, "")
    lines += _edits(rest["edits"], cells, now)
    lines += [[], [("facts", "heading")]]
    lines += facts(
        (
            ("run", f"#{letter['run_id']}{_by(keys, 'see-run')}" if letter.get("run_id") else ""),
            ("retry", f"run #{letter['retry_run_id']}" if letter.get("retry_run_id") else ""),
            (
                "exception",
                f"#{letter['exception_id']}{_by(keys, 'see-exception')}" if letter.get("exception_id") else "",
            ),
            ("source", letter.get("source_id")),
            ("group", letter["group"]),
            ("died", when(letter["died_at"], now)),
            ("updated", f"{when(letter['updated_at'], now)} · v{letter['version']}"),
            ("removed", when(letter["expires_at"], now)),
        ),
        cells,
    )
    return lines


def story_lines(rest: Row, *, cells: int, now: int, glyphs: Glyphs, keys: Keys) -> list[Line]:
    """The dead letter behind an exception, with every attempt at it; `rest` is a DeadLetterDetail."""
    letter = rest["dead_letter"]
    head: Line = [(f"dead letter #{letter['id']}", "heading"), (_by(keys, "see-dead-letter"), "faint")]
    run = letter.get("retry_run_id") or letter.get("run_id")
    lines: list[Line] = [[], head, _letter_head(letter, glyphs)]
    if run:
        lines.append([(f"run #{run}", "muted"), (_by(keys, "see-run"), "faint")])
    if rest["attempts"]:
        lines += timeline_lines(counted_anew(rest["attempts"]), now=now, cells=cells, glyphs=glyphs)
    return lines


def _letter_head(letter: Row, glyphs: Glyphs) -> Line:
    line: Line = [badge(letter["status"], glyphs), (f"  {plural(letter['attempts'], 'attempt')}", "")]
    if letter["retries"]:
        line.append((f", retried {count(letter['retries'])} ×", "warning"))
    return line


def _edits(edits: Sequence[Row], cells: int, now: int) -> list[Line]:
    """What edited retries changed: JSON Patches (RFC 6902)."""
    lines: list[Line] = []
    for edit in edits:
        lines += [[], [("edited", "heading"), (f"  {safe(edit['actor'])}, {when(edit['at'], now)}", "muted")]]
        for change in list(edit["patch"])[:20]:
            said = f"{change.get('op')} {change.get('path')}"
            if "value" in change:
                said += f" = {str(change['value'])[:200]}"
            lines += [[("  ", ""), *line] for line in wrap(said, max(cells - 2, 10), "", most=3)]
    return lines
