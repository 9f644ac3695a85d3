"""The detail pane of an alert: why it fires, what was done about it, who was told, how it came to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import AlertState, AlertType
from quarterdeck.contract.operations import alerts
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.detail import facts, when
from quarterdeck.tui.format import age, count, duration, moment, plural, severity
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.alerts.chart import value_lines
from quarterdeck.tui.screens.alerts.doors import link_of
from quarterdeck.tui.screens.alerts.source import gather, is_group, size, with_terms
from quarterdeck.tui.screens.alerts.words import SAID, labels_said, name_said, named, number, standing
from quarterdeck.tui.screens.row_detail import RowDetail
from quarterdeck.tui.screens.setup.rule_words import UNIT_SAID, condition, unit_of
from quarterdeck.tui.spans import Line, crop, width, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of

if TYPE_CHECKING:
    from quarterdeck.tui.screens.alerts.screen import AlertsScreen

Row = Mapping[str, Any]
_FIRST = 50  # alerts of a group
_ROOMY = 12  # lines of a pane in which parts stand apart
_OWN_TIMES = ("pending", "firing")


class AlertDetail(RowDetail):
    screen: AlertsScreen

    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Any]:
        if row_id < 0:
            row = self.screen.current_row() or {}
            filter_ = with_terms(self.screen.view.filter, f"group:{-row_id}", f"state:{AlertState.FIRING}")
            return row, {"alerts": await gather(client, filter_, _FIRST)}
        found = await client.call(alerts.SHOW, id=row_id)
        row = found["alert"]
        rule = await _rule(client, row["rule_id"])
        silence = None
        if row["silenced_by"] is not None:
            listed = (await client.call(alerts.SILENCES, query={"limit": 500}))["items"]
            silence = next((each for each in listed if each["id"] == row["silenced_by"]), None)
        return row, {**found, "rule": rule, "silence": silence}

    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        screen = self.screen
        glyphs, session = look_of(screen.app).glyphs, screen.console.session
        if is_group(row):
            return group_lines(row, rest, cells=cells, now=session.now(), glyphs=glyphs, open_key=screen.key("open"))
        return alert_lines(
            row,
            rest,
            cells=cells,
            high=self.pane.content_size.height,
            now=session.now(),
            glyphs=glyphs,
            mine=session.actor,
            keys={name: screen.key(name) for name in ("alert-about", "alert-link", "see-run")},
        )


async def _rule(client: Any, number_: int | None) -> Row | None:
    """None where it is none, or is no more."""
    if number_ is None:
        return None
    try:
        found: Row = await client.call(alerts.RULE, id=number_)
    except Problem as error:
        if error.code is Code.NOT_FOUND:
            return None
        raise
    return found


def cause(alert: Row, rule: Row | None) -> str:
    """What is wrong, in one sentence. As it came; not safe."""
    if alert["type"] == AlertType.EXTERNAL:
        texts = alert["annotations"]
        return texts.get("summary") or texts.get("description") or "Another system says so, without a summary."
    if alert["value"] is None:
        return f"The rule {alert['name']} says so."
    unit = "" if rule is None else UNIT_SAID[unit_of(str(rule["type"]), rule["settings"])]
    value = f"{number(alert['value'])}{unit if unit in ('', '%') else f' {unit}'}"
    if rule is None:
        return f"It reads {value}; its limit is {number(alert['threshold'] or 0)}."
    return f"It reads {value}; the rule fires when {condition(rule)}."


def alert_lines(
    alert: Row, rest: Row | None, *, cells: int, high: int, now: int, glyphs: Glyphs, mine: str, keys: Mapping[str, str]
) -> list[Line]:
    """`rest` is an AlertDetail with "rule" and "silence"; None: on its way. `high`: lines of the pane."""
    lines: list[Line] = wrap(safe(name_said(alert)), cells, "title", most=3)
    head = [severity(alert["severity"], glyphs), ("  ", ""), standing(alert, glyphs, mine)]
    lasting = [(_lasting(alert, now), "muted")]
    whole: Line = [*head, ("  ", ""), *lasting]
    lines += [whole] if width(whole) <= cells else [head, lasting]
    rule = rest["rule"] if rest is not None else None
    if rest is not None or alert["type"] == AlertType.EXTERNAL:
        lines += wrap(cause(alert, rule), cells, "", most=6)
    lines += _kept_quiet(alert, rest, cells, now, mine)
    if link := link_of(alert):
        copies: Line = [(keys["alert-link"], "key"), (" copies ", "faint"), (safe(link), "")]
        lines.append(crop(copies, cells, glyphs.ellipsis))
    if rest is None:
        return [*lines, [], [("loading the rest…", "muted")]]
    unit = unit_of(str(rule["type"]), rule["settings"]) if rule is not None else ""
    lines += value_lines(alert, rest["values"], unit, now, cells, high, glyphs)
    lines += _notices(rest["notices"], rule, cells, now, glyphs, keys["see-run"])
    lines += [[], [("timeline", "heading")]]
    for event in rest["events"]:
        lines += _event(event, cells, now)
    lines += [[], [("labels", "heading")]]
    lines += facts(((name, value) for name, value in alert["labels"].items() if name not in SAID), cells)
    texts = {name: text for name, text in alert["annotations"].items() if text and text != link_of(alert)}
    if texts:
        lines += [[], [("texts", "heading")], *facts(texts.items(), cells)]
    lines += [[], [("facts", "heading")]]
    lines += facts(
        (
            ("number", f"#{alert['id']}"),
            ("rule", f"#{rule['id']} {rule['name']}" if rule is not None else "none takes it"),
            ("channels", ", ".join(rule["settings"]["channels"]) or "none" if rule is not None else ""),
            ("group", alert["group"]),
            ("tenant", alert["tenant_id"]),
            ("came back", plural(alert["changes"], "time") if alert["changes"] else ""),
            ("ends", when(alert["ends_at"], now)),
            ("updated", when(alert["updated_at"], now)),
        ),
        cells,
    )
    return lines if high >= _ROOMY else [line for line in lines if line]


def _lasting(alert: Row, now: int) -> str:
    """Since when, or how long it was."""
    start, end = moment(alert["starts_at"] or alert["pending_at"]), moment(alert["resolved_at"])
    if start is None:
        return ""
    if alert["state"] == AlertState.RESOLVED and end is not None:
        return f"for {duration(end - start)}, until {when(end, now)}"
    return f"since {when(start, now)}"


def _kept_quiet(alert: Row, rest: Row | None, cells: int, now: int, mine: str) -> list[Line]:
    """Who looks after it, and what keeps it from being sent."""
    lines: list[Line] = []
    if alert["acknowledged_until"] is not None:
        who = "You" if alert["acknowledged_by"] == mine else safe(alert["acknowledged_by"] or "Somebody")
        looks = "look" if who == "You" else "looks"
        lines.append([(who, "title"), (f" {looks} after it until {when(alert['acknowledged_until'], now)}", "")])
    if alert["silenced_by"] is not None:
        silence = rest["silence"] if rest is not None else None
        said = f"Silence #{alert['silenced_by']} keeps it quiet"
        if silence is not None:
            said += f" until {when(silence['ends_at'], now)}, by {silence['created_by']}: {silence['comment']}"
        lines += wrap(said, cells, "warning", most=4)
    if alert["inhibited_by"] is not None:
        lines.append([(f"It is not sent while alert #{alert['inhibited_by']} fires", "warning")])
    return lines


def _notices(notices: Sequence[Row], rule: Row | None, cells: int, now: int, glyphs: Glyphs, key: str) -> list[Line]:
    head: Line = [("notifications", "heading")]
    if any(each["run_id"] for each in notices):
        head += [(f"  {key}", "key"), (" shows the run of the last one", "faint")]
    lines: list[Line] = [[], head]
    if not notices:
        if rule is None:
            return [*lines, *wrap("nobody is told: no rule takes it", cells, "warning", most=2)]
        if not rule["settings"]["channels"]:
            return [*lines, *wrap("nobody is told: its rule names no channel", cells, "warning", most=2)]
        return [*lines, [("none was sent", "muted")]]
    for each in notices:
        state = ("held back for a summary", "muted") if each["held"] else _delivery(each, glyphs)
        line: Line = [
            (f"{age(each['at'], now):>5} ", "muted"),
            (safe(each["channel"]), ""),
            (f" {each['kind']}  ", "muted"),
        ]
        lines.append([*line, state])
        if each["error"]:
            lines += [[("      ", ""), *one] for one in wrap(str(each["error"]), max(cells - 6, 10), "error", most=3)]
    return lines


_DELIVERED = {"delivered": "completed", "failed": "failed", "cancelled": "ended", "skipped": "attention"}


def _delivery(notice: Row, glyphs: Glyphs) -> tuple[str, str]:
    tries = f", {plural(notice['attempts'], 'try', 'tries')}" if notice["attempts"] > 1 else ""
    if notice["status"] is None:
        return ("not sent" if notice["error"] else "handed over") + tries, "muted"
    kind = _DELIVERED.get(str(notice["status"]), "waiting")
    return f"{getattr(glyphs, kind)} {notice['status']}{tries}", f"badge-{kind}"


def _event(event: Row, cells: int, now: int) -> list[Line]:
    own = event["type"] in _OWN_TIMES
    line: Line = [(f"{age(event['at'], now):>5} ", "muted")]
    line += [] if own else [(safe(event["actor"]), ""), (" ", "")]
    lines: list[Line] = [[*line, (safe(event["type"]).replace("_", " "), "" if own else "muted")]]
    if event["body"]:
        lines += [[("      ", ""), *one] for one in wrap(str(event["body"]), max(cells - 6, 10), "accent", most=20)]
    return lines


def group_lines(group: Row, rest: Row | None, *, cells: int, now: int, glyphs: Glyphs, open_key: str) -> list[Line]:
    """Alerts that are told together. `rest`: the newest of its alerts; None: on their way."""
    lines: list[Line] = wrap(safe(named(group)), cells, "title", most=3)
    split: Line = [(f"{count(size(group))} firing", "title")]
    for each, many in group["firing"].items():
        if many:
            split += [("  ", ""), (f"{severity(each, glyphs)[0]} {count(many)}", severity(each, glyphs)[1])]
    lines.append(split)
    looked = (
        f"{count(group['acknowledged'])} looked after" if group["acknowledged"] else "nobody looks after any of them"
    )
    quiet = f", {count(group['quiet'])} kept quiet" if group["quiet"] else ""
    lines.append([(f"{looked}{quiet}; the oldest began {when(group['since'], now)}", "muted")])
    lines.append([(open_key, "key"), (" lists them; what is done here is done to all of them", "faint")])
    if alike := safe(labels_said(group["labels"])):
        lines += [[], [("they have in common", "heading")], *wrap(alike, cells, "", most=4)]
    lines += [[], [("the newest", "heading")]]
    if rest is None:
        return [*lines, [("loading them…", "muted")]]
    for alert in rest["alerts"]:
        said = f"{age(alert['starts_at'], now):>5} {labels_said(alert['labels']) or alert['name']}"
        text, style = standing(alert, glyphs)
        lines.append(crop([(safe(said), ""), ("  ", ""), (text, style)], cells, glyphs.ellipsis))
    return lines
