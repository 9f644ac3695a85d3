"""One command for each action, made from its declaration."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.cli import forms
from quarterdeck.cli.choices import ResourceArgument, YesOption
from quarterdeck.cli.exits import usage
from quarterdeck.cli.item_lines import item_line
from quarterdeck.cli.on_each import on_each
from quarterdeck.cli.runtime import Cli, command, parameter
from quarterdeck.contract.actions import Action, item_actions
from quarterdeck.contract.enums import AnyResource, Resource
from quarterdeck.contract.operations import items as ops

_OWN = {"resource", "ids", "version", "yes"}


def declare_actions(app: typer.Typer) -> None:
    """Add a command for every verb; resources that do not have the verb are refused by name."""
    verbs: dict[str, dict[AnyResource, Action]] = {}
    for action in item_actions():
        verbs.setdefault(action.verb, {})[action.resource] = action
    for verb, actions in verbs.items():
        _declare(app, verb, actions)


def _declare(app: typer.Typer, verb: str, actions: dict[AnyResource, Action]) -> None:
    any_action = next(iter(actions.values()))
    options = list(forms.options(any_action))
    clash = _OWN & {option.name for option in options}
    if clash:
        raise ValueError(f"a parameter of {verb} is called {sorted(clash)[0]}, as an option of every action is")

    async def act(cli: Cli, **given: Any) -> int | None:
        values = {option.name: given[option.name] for option in options}
        return await _act(cli, verb, actions, given["resource"], given["ids"], given["version"], given["yes"], values)

    ids = typer.Argument(metavar="ID...", min=1, help="Numbers of the items.", show_default=False)
    version = typer.Option("--version", min=1, help="Refuse if the item is no longer at this version (one id only).")
    takes = [
        parameter("resource", ResourceArgument),
        parameter("ids", Annotated[list[int], ids]),
        *options,
        parameter("version", Annotated[int | None, version], None),
        parameter("yes", YesOption, False),
    ]
    where = "" if len(actions) == len(Resource) else f" For {', '.join(actions)}."
    command(app, "items", verb, help=f"{any_action.summary}{where}", takes=takes)(act)


async def _act(
    cli: Cli,
    verb: str,
    actions: dict[AnyResource, Action],
    resource: Resource,
    ids: list[int],
    version: int | None,
    yes: bool,
    given: dict[str, Any],
) -> int | None:
    if resource not in actions:
        raise usage(f"{resource} have no action '{verb}'; it is for {', '.join(actions)}.")
    action = actions[resource]
    if version is not None and len(ids) > 1:
        raise usage("--version goes with one id only.")
    params = forms.params(action, given)
    body = {"params": params, **({"version": version} if version is not None else {})}

    async def act(item: int) -> dict[str, Any]:
        return await cli.call(ops.ACT, body=body, resource=resource, id=item, action=verb)

    def undo(done: dict[str, Any]) -> str:
        if not done["undoable"]:
            return ""
        return f"Undo with: qd items undo {action.resource} {done['item']['id']} {done['event_id']}"

    return await on_each(cli, action, ids, act, lambda done: item_line(done["item"]), yes=yes, hint=undo)
