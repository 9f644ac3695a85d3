"""qd alerts …: rules, and what they would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.alert_words import labels_of
from quarterdeck.cli.definitions import read_change, read_definition
from quarterdeck.cli.exits import usage
from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.operations import alerts as ops
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.text import safe

_NEW = ModelRef("alert_rules:NewRule")
RuleArgument = Annotated[int, typer.Argument(metavar="RULE", min=1, help="Number of the rule.", show_default=False)]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="TOML (.toml) or JSON; - for standard input.")]
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
        body = read_definition(file, _NEW.load())
        found = await cli.call(ops.CREATE, body={**body, "name": name} if name else body)
        cli.out.result(found, [f"Made rule {found['id']}; try it with: qd alerts test {found['id']}."])
        await cli.remark_on(found["tenant_id"])

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
            written = read_change(file, _NEW.load())
            body |= {name: written[name] for name in ("settings", "version") if name in written}
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


def _rule_rows(rules: Lines, width: int | None) -> list[str]:
    right = ("id", "threshold", "firing", "pending")
    names = ("id", "name", "type", "tenant", "threshold", "severity", "firing", "pending", "channels", "state")
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


def _described(rule: Mapping[str, Any]) -> list[str]:
    settings = {name: value for name, value in rule["settings"].items() if value not in (None, [], {})}
    return pairs([*((k, v) for k, v in rule.items() if k != "settings"), *settings.items()])


def _tried(found: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'fires' if each['fires'] else 'quiet'}  {each['value']:g}  {safe(labels_of(each['labels']))}".rstrip()
        for each in found["now"]
    ] or ["It reads nothing now."]
    if found["known_since"]:
        number = plural(len(found["episodes"]), "time")
        lines.append(f"Since {found['known_since']} it would have fired {number}.")
        lines += [
            f"{each['since']} to {each['until'] or 'now'}  worst {each['worst']:g}"
            f"{'  (in quiet hours)' if each['quiet'] else ''}  {safe(labels_of(each['labels']))}".rstrip()
            for each in found["episodes"]
        ]
    return [*lines, safe(found["why"])] if found["why"] else lines
