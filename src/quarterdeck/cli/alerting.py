"""qd alerts: rules, what fires, and what people do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.exits import CommandError, usage
from quarterdeck.cli.json_lines import json_file
from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.cli.sla_files import checked, read_policy
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import AlertState, Severity
from quarterdeck.contract.operations import alerts as ops
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.format import age, count, plural
from quarterdeck.tui.text import safe

_NEW = ModelRef("alert_rules:NewRule")
_MATCHER = re.compile(r"([a-zA-Z_]\w*)(=~|!~|!=|=)(.*)", re.DOTALL)
_SPAN = re.compile(r"(\d+)([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1_440}

RuleArgument = Annotated[int, typer.Argument(metavar="RULE", min=1, help="Number of the rule.", show_default=False)]
IdArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number.", show_default=False)]
IdsArgument = Annotated[list[int], typer.Argument(metavar="ID…", min=1, help="Numbers of alerts.", show_default=False)]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="TOML (.toml) or JSON; - for standard input.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="Only this tenant.")]
Lines = Sequence[Mapping[str, Any]]


def declare(app: typer.Typer) -> None:
    """Add the commands to the group."""

    @command(app, "alerts", "rules")
    async def rules(cli: Cli) -> None:
        """List the rules, and how many alerts each has."""
        found = await cli.call(ops.RULES)
        cli.out.result(found, _rule_rows(found["items"], cli.out.width))
        if not found["items"] and not cli.json:
            cli.out.note("There are no rules yet; make one with: qd alerts create-rule FILE.")

    @command(app, "alerts", "rule")
    async def rule(cli: Cli, rule: RuleArgument) -> None:
        """Show one rule whole."""
        found = await cli.call(ops.RULE, id=rule)
        cli.out.result(found, _described(found))

    @command(app, "alerts", "create-rule")
    async def create_rule(
        cli: Cli,
        file: FileArgument,
        name: Annotated[str | None, typer.Option("--name", help="Instead of the one in the file.")] = None,
    ) -> None:
        """Make a rule from a file; it is looked at from the next evaluation on."""
        body = read_policy(file, _NEW.load())
        found = await cli.call(ops.CREATE, body={**body, "name": name} if name else body)
        cli.out.result(found, [f"Made rule {found['id']}; try it with: qd alerts test {found['id']}."])

    @command(app, "alerts", "change-rule")
    async def change_rule(
        cli: Cli,
        rule: RuleArgument,
        file: Annotated[Path | None, typer.Option("--file", "-f", help="Its new settings: TOML or JSON.")] = None,
        enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is looked at.")] = None,
        reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit log.")] = None,
    ) -> None:
        """Switch a rule on or off, or give it new settings; off ends its alerts."""
        body: dict[str, Any] = {} if enabled is None else {"enabled": enabled}
        if file is not None:
            body["settings"] = checked(read_policy(file, _NEW.load()), _NEW.load())["settings"]
        if not body:
            raise usage("Say what to change: --on, --off or --file FILE.")
        found = await cli.call(ops.CHANGE, body={**body, "reason": reason}, id=rule)
        cli.out.result(found, [f"Changed rule {rule}."])

    @command(app, "alerts", "delete-rule")
    async def delete_rule(cli: Cli, rule: RuleArgument) -> None:
        """Forget a rule; what fires by it is resolved."""
        found = await cli.call(ops.DELETE, id=rule)
        cli.out.result(found, [f"Deleted rule {rule}, {safe(found['name'])}."])

    @command(app, "alerts", "test")
    async def test(cli: Cli, rule: RuleArgument) -> None:
        """Say what a rule would do now, and what it would have done in the last 24 hours."""
        found = await cli.call(ops.TEST, id=rule)
        cli.out.result(found, _tried(found))

    @command(app, "alerts", "list")
    async def list_(
        cli: Cli,
        state: Annotated[AlertState | None, typer.Option("--state", help="Only these.")] = None,
        severity: Annotated[Severity | None, typer.Option("--severity", help="Only these.")] = None,
        tenant: TenantOption = None,
        label: Annotated[str | None, typer.Option("--label", help="Only with this label: name=value.")] = None,
        limit: LimitOption = 100,
        cursor: Annotated[str | None, typer.Option("--cursor", help="Go on from `next` of --json.")] = None,
    ) -> None:
        """List alerts, the newest first: what waits, fires and is over."""
        asked = {"state": state, "severity": severity, "tenant": tenant, "label": label, "cursor": cursor}
        found = await cli.call(ops.HISTORY, query={**{k: v for k, v in asked.items() if v is not None}, "limit": limit})
        cli.out.result(found, _alert_rows(found["items"], cli.out.width))
        if not found["items"] and not cli.json:
            cli.out.note("There are no such alerts.")

    @command(app, "alerts", "show")
    async def show(cli: Cli, alert: IdArgument) -> None:
        """Show one alert: what became of it, and what was sent."""
        found = await cli.call(ops.SHOW, id=alert)
        cli.out.result(found, _detail(found))

    @command(app, "alerts", "ack")
    async def ack(
        cli: Cli,
        alerts: IdsArgument,
        time: Annotated[str | None, typer.Option("--for", metavar="TIME", help="30m, 4h, 2d.")] = None,
        note: Annotated[str | None, typer.Option("--note", help="What is being done.")] = None,
    ) -> None:
        """Say that you look after alerts: they stop repeating, for a time or until they get worse."""
        minutes = None if time is None else _span(time)
        found = await cli.call(ops.ACKNOWLEDGE, body={"ids": alerts, "minutes": minutes, "note": note})
        _acted(cli, found, "Acknowledged")

    @command(app, "alerts", "resolve")
    async def resolve(
        cli: Cli, alerts: IdsArgument, note: Annotated[str, typer.Option("--note", help="Why it is over.")]
    ) -> None:
        """Say that alerts are over, and why."""
        _acted(cli, await cli.call(ops.RESOLVE, body={"ids": alerts, "note": note}), "Resolved")

    @command(app, "alerts", "stats")
    async def stats(
        cli: Cli,
        tenant: TenantOption = None,
        days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far back.")] = 7,
    ) -> None:
        """Say how many alerts there are, and how long they took."""
        found = await cli.call(ops.STATS, query={"days": days, **({} if tenant is None else {"tenant": tenant})})
        most = ", ".join(f"{each['name']} ({each['count']:,})" for each in found["most"])
        cli.out.result(found, pairs([*((k, v) for k, v in found.items() if not isinstance(v, list)), ("most", most)]))

    @command(app, "alerts", "silence")
    async def silence(
        cli: Cli,
        matchers: Annotated[list[str], typer.Argument(metavar="MATCHER…", help="name=value, !=, =~ or !~.")],
        comment: Annotated[str, typer.Option("--comment", help="Why.")],
        time: Annotated[str, typer.Option("--for", metavar="TIME", help="30m, 4h, 2d.")] = "2h",
        tenant: Annotated[str | None, typer.Option("--tenant", help="Of this tenant only.")] = None,
    ) -> None:
        """Keep alerts that match all of these from being sent, for a time."""
        body: dict[str, Any] = {
            "matchers": [_matcher(each) for each in matchers],
            "comment": comment,
            "tenant_id": tenant,
            "ends_at": (datetime.now(UTC) + timedelta(minutes=_span(time))).isoformat(),
        }
        found = await cli.call(ops.SILENCE, body=body)
        said = f"Silence {found['id']} keeps {plural(found['alerts'], 'alert')} quiet until {found['ends_at']}."
        cli.out.result(found, [said])

    @command(app, "alerts", "silences")
    async def silences(cli: Cli) -> None:
        """List the silences, the newest first."""
        found = await cli.call(ops.SILENCES)
        headings = (Heading("ID", right=True), Heading("STATE"), Heading("MATCHES"), Heading("ENDS"), Heading("WHY"))
        rows = [
            (each["id"], each["state"], _matched(each["matchers"]), each["ends_at"], each["comment"])
            for each in found["items"]
        ]
        cli.out.result(found, table(headings, rows, width=cli.out.width) if rows else [])
        if not rows and not cli.json:
            cli.out.note("Nothing is silenced.")

    @command(app, "alerts", "unsilence")
    async def unsilence(cli: Cli, silence: IdArgument) -> None:
        """End a silence now."""
        cli.out.result(await cli.call(ops.END_SILENCE, id=silence), [f"Silence {silence} is over."])

    @command(app, "alerts", "post")
    async def post(cli: Cli, file: FileArgument) -> None:
        """Post alerts from a JSON file as Prometheus does: a list of labels, annotations, startsAt, endsAt."""
        body = json_file(file)
        if not isinstance(body, list):
            raise CommandError(f"{file} holds no list of alerts.")
        posted: Any = body
        found = await cli.call(ops.POST, body=posted)
        cli.out.result(found, [f"Posted {plural(found['received'], 'alert')}; {count(found['changed'])} changed."])


def _acted(cli: Cli, found: Mapping[str, Any], verb: str) -> None:
    lines = [f"{verb} {plural(len(found['done']), 'alert')}."]
    if found["skipped"]:
        lines.append(f"Not firing, or not there: {', '.join(map(str, found['skipped']))}.")
    cli.out.result(found, lines)


def _span(text: str) -> int:
    """Minutes. Raises a usage error."""
    match = _SPAN.fullmatch(text)
    if match is None or not int(match.group(1)):
        raise usage(f"--for takes a time like 30m, 4h or 2d, not '{text}'.")
    return int(match.group(1)) * _MINUTES[match.group(2)]


def _matcher(text: str) -> dict[str, Any]:
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise usage(f"'{text}' is no matcher such as queue=mail or team=~a|b.")
    name, sign, value = match.groups()
    return {"name": name, "value": value, "is_regex": "~" in sign, "is_equal": not sign.startswith("!")}


def _matched(matchers: Lines) -> str:
    signs = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
    return " ".join(f"{each['name']}{signs[each['is_regex'], each['is_equal']]}{each['value']}" for each in matchers)


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items() if name not in ("alertname", "severity"))


def _rule_rows(rules: Lines, width: int | None) -> list[str]:
    right = ("ID", "THRESHOLD", "FIRING", "PENDING")
    names = ("ID", "NAME", "TYPE", "TENANT", "THRESHOLD", "SEVERITY", "FIRING", "PENDING", "CHANNELS", "STATE")
    rows = [
        (
            each["id"],
            each["name"],
            each["type"],
            each["tenant_id"],
            each["settings"]["threshold"],
            each["settings"]["severity"],
            count(each["firing"]),
            count(each["pending"]),
            ", ".join(each["settings"]["channels"]),
            "broken" if each["error"] else "on" if each["enabled"] else "off",
        )
        for each in rules
    ]
    return table([Heading(name, right=name in right) for name in names], rows, width=width) if rows else []


def _alert_rows(alerts: Lines, width: int | None) -> list[str]:
    now = now_ms()
    names = ("ID", "SEVERITY", "STATE", "NAME", "LABELS", "VALUE", "AGE", "TENANT", "BY")
    rows = [
        (
            each["id"],
            each["severity"],
            "silenced" if each["silenced_by"] or each["inhibited_by"] else each["state"],
            each["name"],
            _labels(each["labels"]),
            None if each["value"] is None else f"{each['value']:g}",
            age(each["starts_at"] or each["pending_at"], now),
            each["tenant_id"],
            each["acknowledged_by"],
        )
        for each in alerts
    ]
    return table([Heading(name, right=name in ("ID", "VALUE")) for name in names], rows, width=width) if rows else []


def _described(rule: Mapping[str, Any]) -> list[str]:
    settings = {name: value for name, value in rule["settings"].items() if value not in (None, [], {})}
    return pairs([*((k, v) for k, v in rule.items() if k != "settings"), *settings.items()])


def _detail(found: Mapping[str, Any]) -> list[str]:
    lines = pairs([(name, value) for name, value in found["alert"].items() if not isinstance(value, dict)])
    lines += ["", *pairs([*found["alert"]["labels"].items(), *found["alert"]["annotations"].items()]), ""]
    lines += [
        f"{each['at']}  {each['type']} by {safe(each['actor'])}{': ' + safe(each['body']) if each['body'] else ''}"
        for each in found["events"]
    ]
    lines += [
        f"{each['at']}  {each['kind']} to {safe(each['channel'])}: "
        + ("held back for a summary" if each["held"] else safe(each["error"] or each["status"] or "handed over"))
        for each in found["notices"]
    ]
    return lines


def _tried(found: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'fires' if each['fires'] else 'quiet'}  {each['value']:g}  {safe(_labels(each['labels']))}".rstrip()
        for each in found["now"]
    ] or ["It reads nothing now."]
    if found["known_since"]:
        number = plural(len(found["episodes"]), "time")
        lines.append(f"Since {found['known_since']} it would have fired {number}.")
        lines += [
            f"{each['since']} to {each['until'] or 'now'}  worst {each['worst']:g}"
            f"{'  (in quiet hours)' if each['quiet'] else ''}  {safe(_labels(each['labels']))}".rstrip()
            for each in found["episodes"]
        ]
    return [*lines, safe(found["why"])] if found["why"] else lines
