"""From marks to a running bulk operation: draft, dialog, confirm. Also retry failed and undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.clock import iso
from quarterdeck.contract.enums import AnyResource, BulkStatus, MachineResource
from quarterdeck.contract.operations import bulk, items
from quarterdeck.tui.format import count, moment, plural
from quarterdeck.tui.forms import fields_of
from quarterdeck.tui.screens.bulk.dialog import BulkDialog
from quarterdeck.tui.session import Act
from quarterdeck.tui.starting import START, StartError, start_of, when

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

Preview = Mapping[str, Any]
_NOUNS: Mapping[str, str] = {MachineResource.RUNS: "run", MachineResource.DEAD_LETTERS: "dead letter"}


@dataclass(frozen=True, slots=True)
class BulkTarget:
    """What is marked. `ids` None: `selection`, all that matched `filter` when they were marked, minus `except_ids`.

    `hidden`: marks the filter hides.
    """

    resource: AnyResource
    filter: str
    ids: Sequence[int] | None
    except_ids: Sequence[int]
    count: int
    hidden: int
    selection: Callable[[], Awaitable[Mapping[str, Any]]]


async def run_bulk(
    console: Console,
    action: Action,
    target: BulkTarget,
    known: Mapping[str, Sequence[str]],
    opened_with: str,
    given: Mapping[str, Any] | None = None,
) -> Mapping[str, Any] | None:
    """The operation that was started, or None if it was not. `given`: what the form holds at first.

    Raises Problem and Unreachable.
    """
    now = console.session.now
    client = console.session.client
    token: str | None = None

    async def draft(params: Mapping[str, Any]) -> Preview:
        nonlocal token
        values = dict(params)
        start = start_of(values.pop(START.name, None) or "", now())
        body: dict[str, Any] = {"params": values}
        if start is not None:
            body["run_at"] = iso(start)
        if target.ids is None:
            token = token or await _token(client, target)
            body["selection"] = token
        else:
            body["ids"] = list(target.ids)
        found: Preview = await client.call(bulk.DRAFT, body=body, resource=target.resource, action=action.verb)
        return found

    async def save(params: Mapping[str, Any], name: str) -> None:
        values = {key: value for key, value in params.items() if key != START.name}
        body = {"name": name, "resource": target.resource, "action": action.verb, "params": values}
        await client.call(bulk.SAVE_TEMPLATE, body={**body, "filter": target.filter})

    fields = await fields_of(action)
    dialog = BulkDialog(
        verb=action.label,
        count=target.count,
        context=_context(console, target),
        fields=(*fields, START) if fields else (),
        given=given,
        wrong=lambda values: _wrong_start(values, now()),
        save=save if target.ids is None else None,  # single rows are not to be had again
        known={**known, "assignee": [console.session.actor, *known.get("assignee", ())]},
        draft=draft,
        confirm=lambda preview: _confirm(console, preview),
        discard=lambda preview: _discard(console, preview),
        opened_with=opened_with,
        noun=noun_of(target.resource),
    )
    return await console.push_screen_wait(dialog)


def _wrong_start(values: Mapping[str, Any], now: int) -> tuple[str, str] | None:
    try:
        start_of(values.get(START.name) or "", now)
    except StartError as error:
        return START.name, str(error)
    return None


def noun_of(resource: str) -> str:
    """What one of them is called."""
    return _NOUNS.get(resource, "item")


async def _token(client: Any, target: BulkTarget) -> str:
    """Of all that matched when they were marked; exceptions came later, the moment stays."""
    found = await target.selection()
    if target.except_ids:
        wanted = {"filter": found["filter"], "except_ids": list(target.except_ids), "boundary": found["boundary"]}
        found = await client.call(items.SELECT, body=wanted, resource=target.resource)
    return str(found["token"])


async def take_back(console: Console, operation_id: int, opened_with: str) -> bool:
    """Undo an operation, after showing what that would do. True if it was started."""
    preview = await console.session.client.call(bulk.UNDO, id=operation_id)
    return await _from_draft(console, preview, f"Undo #{operation_id}", opened_with)


async def retry_failed(console: Console, operation_id: int, opened_with: str) -> bool:
    """Act again on what failed, after showing what that would do. True if it was started."""
    preview = await console.session.client.call(bulk.RETRY_FAILED, id=operation_id)
    return await _from_draft(console, preview, f"Retry the failed items of #{operation_id}", opened_with)


async def _from_draft(console: Console, preview: Preview, verb: str, opened_with: str) -> bool:
    operation = preview["operation"]

    async def draft(_params: Mapping[str, Any]) -> Preview:
        return preview

    dialog = BulkDialog(
        verb=verb,
        count=operation["total"],
        context=[("queue", f"{operation['resource']} in {console.context}"), ("action", operation["label"])],
        fields=(),
        known={},
        draft=draft,
        confirm=lambda found: _confirm(console, found),
        discard=lambda found: _discard(console, found),
        opened_with=opened_with,
        noun=noun_of(operation["resource"]),
    )
    return await console.push_screen_wait(dialog) is not None


async def _confirm(console: Console, preview: Preview) -> Mapping[str, Any]:
    draft = preview["operation"]
    operation: Mapping[str, Any] = await console.session.client.call(
        bulk.CONFIRM, body={"count": draft["eligible"]}, id=draft["id"]
    )
    session = console.session
    session.did(
        Act(
            f"{operation['label']} of {plural(operation['eligible'], noun_of(operation['resource']))}",
            operation["resource"],
            operation_id=operation["id"],
            why_not="" if operation["undoable"] else "no operation of this kind can be undone",
        )
    )
    session.mine.add(operation["id"])
    if BulkStatus(operation["status"]).is_running:
        session.seen(dict(operation))
    at = moment(operation["run_at"])
    if operation["status"] == BulkStatus.SCHEDULED and at is not None:
        key = session.keymap.key("operations")
        console.notice(f"{operation['label']} #{operation['id']} starts {when(at)}; {key} can cancel it.", "success")
    console.follow(int(operation["id"]))
    return operation


async def _discard(console: Console, preview: Preview) -> None:
    await console.session.client.call(bulk.CANCEL, id=preview["operation"]["id"])


def _context(console: Console, target: BulkTarget) -> list[tuple[str, str]]:
    machines = target.resource in tuple(MachineResource)
    name = ("list", f"{noun_of(target.resource)}s") if machines else ("queue", str(target.resource))
    lines = [(name[0], f"{name[1]} in {console.context}")]
    if target.ids is None:
        lines.append(("filter", target.filter or "none: the whole queue"))
        if target.except_ids:
            lines.append(("except", f"{count(len(target.except_ids))} that you unmarked"))
    else:
        lines.append(("marks", f"{count(len(target.ids))} chosen one by one"))
    if target.hidden:
        lines.append(("hidden", f"{count(target.hidden)} of them are hidden by the filter now: {target.filter}"))
    return lines
