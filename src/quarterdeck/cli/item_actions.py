"""One command for each action, made from its declaration."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from quarterdeck.cli import forms
from quarterdeck.cli.choices import ResourceArgument, YesOption
from quarterdeck.cli.exits import CommandError, Exit, exit_for, sentence_for, usage
from quarterdeck.cli.item_lines import item_line
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.actions import Action, item_actions
from quarterdeck.contract.enums import AnyResource, Resource, Risk
from quarterdeck.contract.operations import items as ops
from quarterdeck.contract.problems import Problem

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

    def parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    ids = typer.Argument(metavar="ID...", min=1, help="Numbers of the items.", show_default=False)
    version = typer.Option("--version", min=1, help="Refuse if the item is no longer at this version (one id only).")
    act.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("cli", inspect.Parameter.POSITIONAL_ONLY),
            parameter("resource", ResourceArgument),
            parameter("ids", Annotated[list[int], ids]),
            *options,
            parameter("version", Annotated[int | None, version], None),
            parameter("yes", YesOption, False),
        ]
    )
    where = "" if len(actions) == len(Resource) else f" For {', '.join(actions)}."
    command(app, "items", verb, help=f"{any_action.summary}{where}")(act)


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
    _agree(cli, action, ids, yes)
    body = {"params": params, **({"version": version} if version is not None else {})}
    done: list[dict[str, Any]] = []
    problems: list[tuple[int, Problem]] = []
    for item in ids:
        try:
            done.append(await cli.call(ops.ACT, body=body, resource=resource, id=item, action=verb))
        except Problem as problem:
            if len(ids) == 1:
                raise
            problems.append((item, problem))
    _report(cli, action, done, problems)
    if not problems:
        return None
    return Exit.PARTIAL if done else exit_for(problems[0][1])


def _agree(cli: Cli, action: Action, ids: list[int], yes: bool) -> None:
    """High risk is asked about first."""
    if action.risk is not Risk.HIGH or yes:
        return
    what = f"{action.label} {', '.join(map(str, ids))}"
    if not cli.interactive:
        raise CommandError(f"{what} is a high-risk action; give --yes to carry it out.")
    if cli.ask(f"{what}? This is a high-risk action. Type yes to go on: ").lower() != "yes":
        raise CommandError("Nothing was done.")


def _report(cli: Cli, action: Action, done: list[dict[str, Any]], problems: list[tuple[int, Problem]]) -> None:
    failed = [{"id": item, "code": problem.code, "detail": sentence_for(problem)} for item, problem in problems]
    lines = []
    for result in done:
        item = result["item"]
        lines.append(f"{action.label}: {item_line(item)}")
        if result["undoable"]:
            cli.out.note(f"Undo with: qd items undo {action.resource} {item['id']} {result['event_id']}")
    cli.out.result({"done": done, "failed": failed} if len(done) + len(failed) > 1 else done[0], lines)
    for item, problem in problems:
        cli.out.note(f"{item}: {sentence_for(problem)}")
