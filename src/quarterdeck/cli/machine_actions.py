"""One command for each action on runs and dead letters: on ids at once, on a filter as a bulk operation."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from quarterdeck.cli import bulk_flow as flow
from quarterdeck.cli import forms
from quarterdeck.cli.choices import YesOption
from quarterdeck.cli.exits import CommandError, Exit, exit_for, sentence_for, usage
from quarterdeck.cli.runtime import Cli, command
from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import Risk
from quarterdeck.contract.problems import Problem

IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="ID...", min=1, help="Numbers.", show_default=False)]
QueryOption = Annotated[
    str | None, typer.Option("--query", "-q", metavar="FILTER", help="All that match this now, as a bulk operation.")
]
ExceptOption = Annotated[list[int] | None, typer.Option("--except", metavar="ID", help="All that match, but not this.")]
CountOption = Annotated[
    int | None, typer.Option("--confirm-count", metavar="N", help="With -q: agree to exactly this many.")
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="With -q: wait until all are acted on; exit code 5 when some failed.")
]

ActOnOne = Callable[[Cli, int, dict[str, Any]], Awaitable[dict[str, Any]]]
Draft = Callable[[Cli, str, "list[int] | None", dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Way:
    """How an action is carried out: on one, as a draft over a filter, and what is said of the one."""

    action: Action
    one: ActOnOne
    draft: Draft
    line: Callable[[dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a command line asks for."""

    ids: list[int] | None
    query: str | None
    without: list[int] | None
    yes: bool
    confirm_count: int | None
    wait: bool


def declare(app: typer.Typer, word: str, way: Way) -> None:
    options = list(forms.options(way.action))

    async def act(cli: Cli, **given: Any) -> int | None:
        params = forms.params(way.action, {option.name: given.pop(option.name) for option in options})
        return await carry_out(cli, way, Chosen(**given), params)

    first = inspect.Parameter("cli", inspect.Parameter.POSITIONAL_ONLY)
    act.__signature__ = inspect.Signature([first, *selecting(), *options, *agreeing()])  # type: ignore[attr-defined]
    command(app, word, way.action.verb, help=way.action.summary)(act)


def selecting() -> Iterator[inspect.Parameter]:
    yield parameter("ids", IdsArgument, None)
    yield parameter("query", QueryOption, None)
    yield parameter("without", ExceptOption, None)


def agreeing() -> Iterator[inspect.Parameter]:
    yield parameter("yes", YesOption, False)
    yield parameter("confirm_count", CountOption, None)
    yield parameter("wait", WaitOption, False)


def parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


async def carry_out(cli: Cli, way: Way, chosen: Chosen, params: dict[str, Any]) -> int | None:
    if chosen.query is not None:
        if chosen.ids:
            raise usage("Give ids or a filter, not both.")
        made = await way.draft(cli, chosen.query, chosen.without, params)
        return await flow.carry_out(cli, made, yes=chosen.yes, confirm_count=chosen.confirm_count, wait=chosen.wait)
    if not chosen.ids:
        raise usage('Say what to act on: ids, or -q FILTER. -q "" means every one.')
    return await _each(cli, way, chosen.ids, chosen.yes, params)


async def _each(cli: Cli, way: Way, ids: list[int], yes: bool, params: dict[str, Any]) -> int | None:
    _agree(cli, way.action, ids, yes)
    done: list[dict[str, Any]] = []
    problems: list[tuple[int, Problem]] = []
    for number in ids:
        try:
            done.append(await way.one(cli, number, params))
        except Problem as problem:
            if len(ids) == 1:
                raise
            problems.append((number, problem))
    failed = [{"id": number, "code": why.code, "detail": sentence_for(why)} for number, why in problems]
    lines = [f"{way.action.label}: {way.line(each)}" for each in done]
    cli.out.result({"done": done, "failed": failed} if len(ids) > 1 else done[0], lines)
    for number, why in problems:
        cli.out.note(f"{number}: {sentence_for(why)}")
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


def by_bulk(action: Action) -> Draft:
    """The draft that any bulk operation begins with."""

    async def draft(cli: Cli, query: str, without: list[int] | None, params: dict[str, Any]) -> dict[str, Any]:
        return await flow.draft(
            cli,
            action,
            query=query,
            ids=None,
            given={name: value for name, value in params.items() if name != "reason" and value is not None},
            reason=params.get("reason"),
            run_at=None,
            batch_size=None,
            without=without,
        )

    return draft
