"""qd sla: what is promised, the clocks that follow from it, and how the promises are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.agreeing import agree_to_delete
from quarterdeck.cli.bulk_flow import start_time
from quarterdeck.cli.choices import CursorOption, FilterOption, LimitOption, ResourceArgument, TenantOption, YesOption
from quarterdeck.cli.definitions import checked, read_change, read_definition
from quarterdeck.cli.exits import Exit, usage
from quarterdeck.cli.runtime import Cli, command, group, parameter
from quarterdeck.cli.searching import all_pages
from quarterdeck.cli.sla_lines import (
    clock_lines,
    clock_rows,
    compliance_lines,
    described,
    difference_line,
    policy_rows,
    resolution_lines,
)
from quarterdeck.contract.enums import Period, Priority, Resource, SlaTarget
from quarterdeck.contract.operations import Operation, items
from quarterdeck.contract.operations import sla as ops
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.format import count, plural

sla = group("sla", "Service levels: policies, clocks, how promises are kept, and proof that the clocks are right.")

_NEW, _CHANGE = ModelRef("sla:NewPolicy"), ModelRef("sla:PolicyChange")
_A_PART = 1_000  # items, replayed in one call
_MOST_TOLD = 20

PolicyArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the policy.", show_default=False)]
ItemArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the item.", show_default=False)]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="Its new settings: TOML, JSON, or what show --json printed."),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--effective-from", metavar="TIME", help="For items that entered from then on; else from now. 2026-01-31T08:00."
    ),
]
QueueOption = Annotated[Resource | None, typer.Option("--resource", "-r", help="Only this kind of queue.")]
PriorityOption = Annotated[Priority | None, typer.Option("--priority", help="Only this priority.")]
TargetOption = Annotated[SlaTarget, typer.Option("--target", help="Which promise.")]
AnyTargetOption = Annotated[SlaTarget | None, typer.Option("--target", help="Only this promise.")]
PeriodOption = Annotated[Period, typer.Option("--period", help="How the time is cut, in UTC.")]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=3_660, help="How far back.")]
EndOption = Annotated[str | None, typer.Option("--end", metavar="TIME", help="Back from then; else from now.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(sla)


# Policies


@command(sla, "sla", "policies")
async def policies(cli: Cli) -> None:
    """List the policies: what is promised for which items."""
    found = await cli.call(ops.POLICIES)
    cli.out.result(found, policy_rows(found["items"], cli.out.width))
    if not found["items"] and not cli.json:
        cli.out.note("Nothing is promised yet; make a policy with: qd sla create FILE.")


@command(sla, "sla", "show")
async def show(cli: Cli, policy: PolicyArgument) -> None:
    """Show one policy whole."""
    found = await cli.call(ops.POLICY, id=policy)
    cli.out.result(found, described(found))


@command(sla, "sla", "create")
async def create(
    cli: Cli,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML (.toml) or JSON; - for JSON on standard input.")],
    name: Annotated[str | None, typer.Option("--name", help="Instead of the one in the file.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="For this tenant only.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="For this kind of item only.")] = None,
    effective_from: FromOption = None,
) -> None:
    """Make a policy from a file; it holds for items that enter their queue from then on."""
    body = read_definition(file, _NEW.load())
    given = {"name": name, "tenant_id": tenant, "kind": kind, "effective_from": _time(effective_from, "effective-from")}
    body = checked({**body, **{key: value for key, value in given.items() if value is not None}}, _NEW.load())
    found = await cli.call(ops.CREATE, body=body)
    cli.out.result(found, [f"Made policy {found['id']}.", "", *described(found)])
    await cli.remark_on(found["tenant_id"])


@command(sla, "sla", "change")
async def change(
    cli: Cli,
    policy: PolicyArgument,
    file: FileOption = None,
    name: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether it holds for what enters.")] = None,
    effective_from: FromOption = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit log.")] = None,
) -> None:
    """Change a policy; new settings are a new version, and clocks that have started keep what held then."""
    body: dict[str, Any] = {}
    if file is not None:
        body = read_change(file, _NEW.load())
    given = {"name": name, "enabled": enabled, "effective_from": _time(effective_from, "effective-from")}
    body |= {key: value for key, value in given.items() if value is not None}
    if not body.keys() - {"effective_from"}:
        raise usage("Say what to change: --file FILE, --name, --on or --off.")
    if effective_from is not None and file is None:
        raise usage("--effective-from goes with --file.")
    found = await cli.call(ops.CHANGE, body=checked({**body, "reason": reason}, _CHANGE.load()), id=policy)
    cli.out.result(found, [f"Changed policy {policy}; its version is {found['version']}.", "", *described(found)])


@command(sla, "sla", "delete")
async def delete(cli: Cli, policy: PolicyArgument, yes: YesOption = False) -> None:
    """Forget a policy; clocks that have started go on to their end."""
    agree_to_delete(cli, f"policy {policy}", yes, also="Its clocks go on to their end.")
    found = await cli.call(ops.DELETE, id=policy)
    cli.out.result(found, [f"Deleted policy {policy} ({found['name']})."])


def _time(text: str | None, option: str) -> str | None:
    return None if text is None else start_time(text, option)


# Clocks


@command(sla, "sla", "clocks")
async def clocks(cli: Cli, resource: ResourceArgument, item: ItemArgument) -> None:
    """Show the clocks of one item, and what its policy suggests."""
    found = await cli.call(ops.CLOCKS, resource=resource, id=item)
    cli.out.result(found, clock_lines(found, cli.out.width))
    if not found["clocks"] and not cli.json:
        cli.out.note(f"No policy promises anything for {resource} {item}.")


def _narrowed() -> Iterator[Parameter]:
    """Of which items, by the names of the query."""
    yield parameter("resource", QueueOption, None)
    yield parameter("tenant", TenantOption, None)
    yield parameter("priority", PriorityOption, None)


_SOME_DAYS = Annotated[int | None, typer.Option("--days", min=1, max=3_660, help="Only of so many days.")]
_ANY_TARGET = parameter("target", AnyTargetOption, None)
_PAGE = [parameter("limit", LimitOption, 50), parameter("cursor", CursorOption, None)]
_END = parameter("end", EndOption, None)


@command(sla, "sla", "at-risk", takes=[*_narrowed(), _ANY_TARGET, *_PAGE])
async def at_risk(cli: Cli, **asked: Any) -> None:
    """List what falls due soon, the nearest first."""
    await _list(cli, ops.AT_RISK, "Nothing falls due soon.", **asked)


@command(sla, "sla", "breaches", takes=[*_narrowed(), _ANY_TARGET, parameter("days", _SOME_DAYS, None), _END, *_PAGE])
async def breaches(cli: Cli, **asked: Any) -> None:
    """List the promises that were broken, the latest first."""
    await _list(cli, ops.BREACHES, "No promise was broken.", **asked)


async def _list(cli: Cli, operation: Operation, nothing: str, *, limit: int, cursor: str | None, **asked: Any) -> None:
    """Clocks beside their items."""
    found = await all_pages(cli, operation, _query(asked), limit, cursor)
    del found["searched"]
    cli.out.result(found, clock_rows(found["items"], cli.out.width))
    if found["next"] is not None and not cli.json:
        cli.out.note("There are more; --limit 0 lists all of them.")
    if not found["items"] and not cli.json:
        cli.out.note(nothing)


def _query(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Unset narrows nothing."""
    end = _time(asked.get("end"), "end")
    return {name: value for name, value in {**asked, "end": end}.items() if value is not None}


# Figures


_FIGURES = [
    *_narrowed(),
    parameter("target", TargetOption, SlaTarget.RESOLUTION),
    parameter("days", DaysOption, 30),
    _END,
]


@command(sla, "sla", "compliance", takes=[*_FIGURES, parameter("period", PeriodOption, Period.DAY)])
async def compliance(cli: Cli, **asked: Any) -> None:
    """Show the share of promises that were kept, over time."""
    found = await cli.call(ops.COMPLIANCE, query=_query(asked))
    cli.out.result(found, compliance_lines(found, cli.out.width))


@command(sla, "sla", "resolution-time", takes=_FIGURES)
async def resolution_time(cli: Cli, **asked: Any) -> None:
    """Show how long it took, by priority."""
    found = await cli.call(ops.RESOLUTION_TIME, query=_query(asked))
    cli.out.result(found, resolution_lines(found, cli.out.width))


# Proof


@command(sla, "sla", "replay")
async def replay(
    cli: Cli,
    resource: Annotated[Resource | None, typer.Argument(help="Which queue; else all of them.")] = None,
    query: FilterOption = "",
    write: Annotated[
        bool, typer.Option("--write", help="Put right what differs, and give clocks where some miss.")
    ] = False,
) -> int:
    """Work every clock out again from its item's timeline; ends with 1 where some differ and are not put right."""
    told: list[dict[str, Any]] = []
    sums = {"items": 0, "clocks": 0, "differing": 0, "written": 0}
    with cli.out.counting() as say:
        for each in [resource] if resource else list(Resource):
            whole = (await cli.call(items.COUNT, query={"filter": query}, resource=each))["count"]
            before, after = sums["items"], 0
            while True:
                body = {"resource": each, "filter": query, "after": after, "limit": _A_PART, "write": write}
                found = await cli.call(ops.REPLAY, body=body)
                for name in sums:
                    sums[name] += found[name]
                told += [{"resource": each, **one} for one in found["differences"]][: _MOST_TOLD - len(told)]
                say(f"{each}: {count(sums['items'] - before)} of {count(whole)} items, {_differ(sums)} …")
                after = found["after"]
                if after is None:
                    break
    lines = [difference_line(one["resource"], one) for one in told]
    done = f"{plural(sums['clocks'], 'clock')} of {plural(sums['items'], 'item')} worked out again: {_differ(sums)}"
    if write and sums["written"]:
        done += f"; {'it is' if sums['written'] == 1 else 'they are'} put right"
    cli.out.result({**sums, "differences": told}, [*lines, f"{done}."])
    return Exit.FAILED if sums["differing"] > sums["written"] else Exit.OK


def _differ(sums: dict[str, int]) -> str:
    return f"those of {plural(sums['differing'], 'item')} differ" if sums["differing"] else "none differs"
