"""Home as lines: what needs somebody, then every part, quiet where there is nothing to say. Pure.

Everything stands on one screen of 24 lines; where there is more room, more is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from quarterdeck.contract.enums import Resource, Severity
from quarterdeck.contract.transitions import open_filter
from quarterdeck.tui import format as words
from quarterdeck.tui.format import count, per_cent
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.home.doors import Door, Piece, Row
from quarterdeck.tui.screens.home.needs import NOUNS, Need, alert_name, is_unseen, needs, quiet_words
from quarterdeck.tui.spans import Line, width
from quarterdeck.tui.text import fit, safe
from quarterdeck.tui.widgets.chart_spark import spark
from quarterdeck.tui.widgets.tray import progress

Part = Mapping[str, Any]
_LABEL, _NUMBER = 16, 12
# However little room there is: sentences, and alerts below them.
_FEWEST_NEEDS, _ALERTS_SEEN = 4, 3
_SPARKS = (24, 12)  # cells: one an hour, one for two hours


def _how_bad(alert: Part) -> tuple[bool, int]:
    """For sorting: what nobody has seen to before the rest, the worst first."""
    return not is_unseen(alert), Severity(alert["severity"]).rank


class Board:
    """Built anew for each look: `rows` is what to show."""

    def __init__(self, overview: Part, cells: int, height: int, now: int, glyphs: Glyphs) -> None:
        self._cells, self._now, self._glyphs = cells - 3, now, glyphs  # the cursor's sign, and one at the right
        self._why = {each["part"]: each["why"] for each in overview["failed"]}
        self._overview = overview
        found = needs(overview)
        self.needs = len(found)
        parts = self._items() + self._figures()
        # Where few lines stand, those that wake somebody do.
        latest = sorted((overview["alerts"] or {}).get("latest", ()), key=_how_bad)
        self._tenant = 13 if any(each["tenant_id"] for each in latest) else 0
        self._seen = 0 if all(is_unseen(each) for each in latest) else 5
        lists = [
            (self._alert_row, latest),
            (self._unwell("queues"), (overview["queues"] or {}).get("unwell", ())),
            (self._unwell("workers"), (overview["workers"] or {}).get("unwell", ())),
            (self._operation_row, (overview["bulk"] or {}).get("operations", ())[1:]),
        ]
        room = height - len(parts) - 2  # a line between, one under the heading of needs
        most = max(_FEWEST_NEEDS, room - min(_ALERTS_SEEN, len(latest)))
        top = self._needs(found, most)
        room -= len(top) - 1
        below: list[list[Row]] = []
        for make, each in lists:
            made = [make(one) for one in each[: max(room, 0)]]
            room -= len(made)
            below.append(made)
        self.rows: list[Row] = [*top, (), *self._with(parts, *below)]

    # What needs somebody

    def _needs(self, found: Sequence[Need], most: int) -> list[Row]:
        if not found:
            return [[Piece([(quiet_words(self._overview), "success")])]]
        shown = found if len(found) <= most else found[: most - 1]
        rows: list[Row] = [[Piece([("needs you", "heading")])]]
        for need in shown:
            sign = self._glyphs.failed if need.style == "error" else self._glyphs.attention
            door = Door(f"need {need.to}", need.to, "needs")
            rows.append([Piece([(fit(f"{sign} {need.words}", self._cells).rstrip(), need.style)], door)])
        if len(shown) < len(found):
            rows.append([Piece([(f"  and {len(found) - len(shown)} more, in what stands below", "muted")])])
        return rows

    # Parts

    def _items(self) -> list[Row]:
        items = self._overview["items"]
        if items is None:
            return [self._failed("items", "items")]
        heads = "".join(each.rjust(_NUMBER) for each in ("open", "due soon", "late"))
        rows: list[Row] = [[Piece([("items".ljust(_LABEL), "heading"), (heads, "muted")])]]
        for each in items:
            resource = Resource(each["resource"])
            row = [Piece([(NOUNS[resource][1].ljust(_LABEL), "")])]
            for name, filter_, style in (
                ("open", open_filter(resource), ""),
                ("due_soon", "due:soon", "warning"),
                ("breached", "due:breached", "error"),
            ):
                number = each[name]
                said = "…" if number is None else count(number)
                door = Door(f"{resource} {name}", f"{resource} {filter_}", "items")
                row += [
                    Piece([(" " * (_NUMBER - len(said)), "")]),
                    Piece([(said, style if number else "faint")], door),
                ]
            rows.append(row)
        return rows

    def _figures(self) -> list[Row]:
        makers: tuple[tuple[str, str, str, Callable[[Part], Line]], ...] = (
            ("promises kept", "promises", "sla", self._promises),
            ("dead letters", "dead_letters", "dlq status:pending", self._dead_letters),
            ("operations", "bulk", "operations", self._operations),
            ("workers", "workers", "workers", self._workers),
            ("queues", "queues", "queues", self._queues),
            ("alerts", "alerts", "alerts", self._alerts),
        )
        rows: list[Row] = []
        for label, member, to, make in makers:
            part = self._overview[member]
            if part is None:
                rows.append(self._failed(label, member))
            else:
                spans = [(label.ljust(_LABEL), "heading"), *make(part)]
                rows.append([Piece(spans, Door(label, to, label))])
        return rows

    def _failed(self, label: str, member: str) -> Row:
        return [Piece([(label.ljust(_LABEL), "heading"), (safe(self._why.get(member, "")), "warning")])]

    def _with(
        self, parts: list[Row], alerts: list[Row], queues: list[Row], workers: list[Row], operations: list[Row]
    ) -> list[Row]:
        """The lists behind the lines of their parts."""
        *rest, operation_row, worker_row, queue_row, alert_row = parts
        return [*rest, operation_row, *operations, worker_row, *workers, queue_row, *queues, alert_row, *alerts]

    def _promises(self, part: Part) -> Line:
        if part["week"] is None:
            return [("still being counted", "muted")]
        line: Line = []
        for said, each in (("in 24 h", part["day"]), ("in 7 d", part["week"])):
            if each["percent"] is None:
                line.append((f"none ended {said}  ", "faint"))
                continue
            broken = f" ({count(each['breached'])} broken)" if each["breached"] else ""
            line += [(per_cent(each["percent"]), ""), (f" {said}{broken}  ", "muted")]
        return line

    def _dead_letters(self, part: Part) -> Line:
        pending = part["pending"]
        line: Line = [(f"{count(pending)} pending", "" if pending else "faint")]
        for said, number in (("in an hour", part["hour"]), ("in 24 h", part["day"])):
            if number:
                line.append((f"   {number:+,} {said}", "warning" if number > 0 else "muted"))
        bars = [max(each, 0) for each in part["hours"]]
        room = self._cells - _LABEL - width(line) - 3
        size = next((each for each in _SPARKS if each <= room), 0)
        if any(bars) and size:
            line.append(("   " + spark(bars, size, ascii=self._glyphs.ascii), "badge-failed"))
        return line

    def _workers(self, part: Part) -> Line:
        return self._conditions(part, "none is known")

    def _queues(self, part: Part) -> Line:
        return self._conditions(part, "there are none")

    def _conditions(self, part: Part, none: str) -> Line:
        found: Line = []
        for name in ("unhealthy", "degraded", "healthy"):
            if part[name]:
                text, style = words.badge(name, self._glyphs)
                sign, _, word = text.partition(" ")
                found.append((f"{sign} {count(part[name])} {word}   ", "muted" if name == "healthy" else style))
        return found or [(none, "faint")]

    def _operations(self, part: Part) -> Line:
        running = part["operations"]
        if not running:
            return [("none runs", "faint")]
        many: Line = [(f"{count(len(running), more=part['more'])} run: ", "")] if len(running) > 1 else []
        return self._fitted([*many, *progress(running[0], self._glyphs)])

    def _fitted(self, line: Line) -> Line:
        """What is said last gives way, whole."""
        while width(line) > self._cells - _LABEL:
            line = line[:-1]
        return line

    def _operation_row(self, operation: Part) -> Row:
        number = operation["id"]
        door = Door(f"operation {number}", f"operation {number}", "operations")
        return [Piece([(" " * _LABEL, ""), *self._fitted(progress(operation, self._glyphs))], door)]

    def _alerts(self, part: Part) -> Line:
        if not part["firing"]:
            return [("none fires", "faint")] if part["rules"] else [("no rule watches, :rules makes one", "muted")]
        unseen = {each["name"]: each["count"] for each in part["unseen"]}
        line: Line = []
        for each in part["by_severity"]:
            if each["count"]:
                text, style = words.severity(each["name"], self._glyphs)
                sign, _, word = text.partition(" ")
                line.append((f"{sign} {count(each['count'])} {word}  ", style if unseen[each["name"]] else "muted"))
        if part["acknowledged"]:
            line.append((f"{count(part['acknowledged'])} ack", "muted"))
        return line

    def _alert_row(self, alert: Part) -> Row:
        text, style = words.severity(alert["severity"], self._glyphs)
        seen = "ack" if alert["acknowledged"] else "quiet" if alert["silenced"] else ""
        quiet = "" if is_unseen(alert) else "muted"
        beside: Line = [
            (f" {fit(said, cells, more=self._glyphs.ellipsis)}", "muted")
            for said, cells in ((safe(alert["tenant_id"] or ""), self._tenant), (seen, self._seen))
            if cells
        ]
        beside.append((words.age(alert["since"], self._now).rjust(5), "muted"))
        name = fit(safe(alert_name(alert)), max(self._cells - 13 - width(beside), 10), more=self._glyphs.ellipsis)
        spans: Line = [("  " + fit(text, 11), quiet or style), (name, quiet), *beside]
        return [Piece(spans, Door(f"alert {alert['id']}", f"alerts {alert['id']}", "alerts"))]

    def _unwell(self, part: str) -> Callable[[Part], Row]:
        def row(each: Part) -> Row:
            text, style = words.badge(each["condition"], self._glyphs)
            why = f"  {safe(each['why'])}" if each["why"] else ""
            said = fit(f"  {text:<12}{safe(each['name'])}{why}", self._cells, more=self._glyphs.ellipsis).rstrip()
            to = f"queues {each['name']}" if part == "queues" else "workers"
            return [Piece([(said[:14], style), (said[14:], "")], Door(f"{part} {each['name']}", to, part))]

        return row
