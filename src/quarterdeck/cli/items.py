"""qd items: look at queues, take work from them, act on single items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.choices import CursorOption, FilterOption, LimitOption, ResourceArgument
from quarterdeck.cli.exits import CommandError, Exit, usage
from quarterdeck.cli.item_lines import described, item_line, item_rows, timeline
from quarterdeck.cli.runtime import Cli, command, group
from quarterdeck.contract.enums import Priority
from quarterdeck.contract.operations import items as ops
from quarterdeck.tui.format import count as with_commas

items = group("items", "Items: work that waits for a person.")

_PAGE = 500


def add_to(app: typer.Typer) -> None:
    from quarterdeck.cli.item_actions import declare_actions

    declare_actions(items)
    app.add_typer(items)


@command(items, "items", "list")
async def list_(
    cli: Cli,
    resource: ResourceArgument,
    query: FilterOption = "",
    sort: Annotated[
        str, typer.Option("--sort", help="priority, due, created or updated; -created turns it round.")
    ] = "priority",
    limit: LimitOption = 50,
    cursor: CursorOption = None,
) -> None:
    """List the items that match a filter."""
    left = limit
    shown: list[dict[str, Any]] = []
    while True:
        size = min(_PAGE, left) if limit else _PAGE
        page = await cli.call(
            ops.LIST, query={"filter": query, "sort": sort, "limit": size, "cursor": cursor}, resource=resource
        )
        shown += page["items"]
        left -= len(page["items"])
        cursor = page["next"]
        if cursor is None or (limit and left <= 0):
            break
    if cli.json:
        cli.out.result({"items": shown, "next": cursor}, [])
        return
    cli.out.result(None, item_rows(shown, cli.out.width))
    if not shown:
        cli.out.note(f"No {resource} match this filter." if query else f"There are no {resource}.")
    elif cursor is not None:
        cli.out.note(f"There are more; --limit 0 lists all of them, qd items count {resource} counts them.")


@command(items, "items", "count")
async def count(cli: Cli, resource: ResourceArgument, query: FilterOption = "") -> None:
    """Count the items that match a filter, exactly."""
    found = await cli.call(ops.COUNT, query={"filter": query}, resource=resource)
    cli.out.result(found, [str(found["count"])])


@command(items, "items", "values")
async def values(cli: Cli, resource: ResourceArgument) -> None:
    """Show the values a filter can name: tenants, kinds, categories, assignees."""
    found = await cli.call(ops.FACETS, resource=resource)
    cli.out.result(found, [f"{key}: {', '.join(words)}" for key, words in _safe_values(found).items()])


def _safe_values(found: dict[str, Any]) -> dict[str, list[str]]:
    from quarterdeck.tui.text import safe

    return {key: [safe(word) for word in words] for key, words in found["values"].items()}


@command(items, "items", "show")
async def show(
    cli: Cli,
    resource: ResourceArgument,
    item: Annotated[int, typer.Argument(metavar="ID", min=1)],
    events: Annotated[int, typer.Option("--events", "-n", min=0, help="How many timeline lines, newest first.")] = 20,
) -> None:
    """Show one item whole, with its timeline."""
    found = await cli.call(ops.SHOW, resource=resource, id=item)
    lines: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(lines) < events:
        page = await cli.call(
            ops.EVENTS, query={"limit": min(_PAGE, events - len(lines)), "cursor": cursor}, resource=resource, id=item
        )
        lines += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    cli.out.result({"item": found, "events": lines}, [*described(found), "", *timeline(lines)])


@command(items, "items", "add")
async def add(
    cli: Cli,
    resource: ResourceArgument,
    title: Annotated[str | None, typer.Option("--title", help="What the item is called.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose item it is.")] = None,
    kind: Annotated[str, typer.Option("--kind", help="What kind of item.")] = "item",
    body: Annotated[str | None, typer.Option("--body", help="The text of it.")] = None,
    priority: Annotated[Priority, typer.Option("--priority")] = Priority.NORMAL,
    category: Annotated[str | None, typer.Option("--category")] = None,
    due: Annotated[str | None, typer.Option("--due", metavar="TIME", help="ISO 8601; when its SLA is due.")] = None,
    external_id: Annotated[str | None, typer.Option("--external-id", help="Its id in another system.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A JSON file with a list of items instead; at most 1,000.")
    ] = None,
) -> None:
    """Put a new item into a queue, or those of a JSON file."""
    if file is not None:
        new = _from_file(file)
    elif title is None or tenant is None:
        raise usage("A new item needs --title and --tenant, or a --file of items.")
    else:
        given = {
            "title": title,
            "tenant_id": tenant,
            "kind": kind,
            "body": body,
            "priority": str(priority),
            "category": category,
            "sla_due_at": due,
            "external_id": external_id,
        }
        new = [{name: value for name, value in given.items() if value is not None}]
    made = await cli.call(ops.CREATE, body={"items": new}, resource=resource)
    cli.out.result(made, [f"Added {', '.join(map(str, made['ids']))} to {resource}."])


def _from_file(path: Path) -> list[Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CommandError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(found, list):
        raise CommandError(f"{path} holds no list of items.")
    return found


@command(items, "items", "claim-next")
async def claim_next(cli: Cli, resource: ResourceArgument, query: FilterOption = "") -> None:
    """Take the best unassigned item: priority, then due, then age; exit code 4 when there is none."""
    taken = await cli.call(ops.CLAIM_NEXT, body={"filter": query}, resource=resource)
    cli.out.result(taken, described(taken["item"]))
    cli.out.note(
        f"Yours until {taken['item']['claimed_until']}; qd items renew {resource} {taken['item']['id']} keeps it."
    )


@command(items, "items", "skip")
async def skip(
    cli: Cli,
    resource: ResourceArgument,
    item: Annotated[int, typer.Argument(metavar="ID", min=1)],
    reason: Annotated[str, typer.Option("--reason", help="Why you do not take it.")],
) -> None:
    """Put a claimed item back and do not get it offered again for a while."""
    done = await cli.call(ops.SKIP, body={"reason": reason}, resource=resource, id=item)
    cli.out.result(done, [f"Skipped {item_line(done['item'])}."])


@command(items, "items", "renew")
async def renew(
    cli: Cli, resource: ResourceArgument, item: Annotated[int, typer.Argument(metavar="ID", min=1)]
) -> None:
    """Keep a claim from lapsing."""
    found = await cli.call(ops.RENEW, resource=resource, id=item)
    cli.out.result(found, [f"{item_line(found)}: yours until {found['claimed_until']}."])


@command(items, "items", "undo")
async def undo(
    cli: Cli,
    resource: ResourceArgument,
    item: Annotated[int, typer.Argument(metavar="ID", min=1)],
    event: Annotated[
        int | None, typer.Argument(metavar="[EVENT]", min=1, help="A line of its timeline; else the newest.")
    ] = None,
) -> None:
    """Restore what an event changed, if the item has not changed since."""
    if event is None:
        page = await cli.call(ops.EVENTS, query={"limit": 1}, resource=resource, id=item)
        if not page["items"]:
            raise CommandError(f"Item {item} has no timeline; there is nothing to undo.", Exit.NOTHING)
        event = page["items"][0]["id"]
    done = await cli.call(ops.UNDO, resource=resource, id=item, event_id=event)
    cli.out.result(done, [f"Restored {item_line(done['item'])}."])


@command(items, "items", "select")
async def select(
    cli: Cli,
    resource: ResourceArgument,
    query: FilterOption = "",
    without: Annotated[
        list[int] | None, typer.Option("--except", metavar="ID", help="Leave this one out; can be repeated.")
    ] = None,
) -> None:
    """Name all that match a filter, as of now, for programs that call the API."""
    made = await cli.call(ops.SELECT, body={"filter": query, "except_ids": without or []}, resource=resource)
    cli.out.result(
        made, [f"{with_commas(made['count'])} {resource}: {made['token']}", f"Usable until {made['expires_at']}."]
    )
