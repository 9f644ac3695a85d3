"""One command for each action on runs and dead letters: on ids at once, on a filter as a bulk operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any

import typer

from quarterdeck.cli import bulk_flow as flow
from quarterdeck.cli import forms
from quarterdeck.cli.choices import ExceptOption, YesOption
from quarterdeck.cli.exits import usage
from quarterdeck.cli.on_each import on_each
from quarterdeck.cli.runtime import Cli, command, parameter
from quarterdeck.contract.actions import Action

IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="ID...", min=1, help="Numbers.", show_default=False)]
QueryOption = Annotated[
    str | None, typer.Option("--query", "-q", metavar="FILTER", help="All that match this now, as a bulk operation.")
]
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

    takes = [*selecting(), *options, *agreeing()]
    command(app, word, way.action.verb, help=way.action.summary, takes=takes)(act)


def selecting() -> Iterator[Parameter]:
    yield parameter("ids", IdsArgument, None)
    yield parameter("query", QueryOption, None)
    yield parameter("without", ExceptOption, None)


def agreeing() -> Iterator[Parameter]:
    yield parameter("yes", YesOption, False)
    yield parameter("confirm_count", CountOption, None)
    yield parameter("wait", WaitOption, False)


async def carry_out(cli: Cli, way: Way, chosen: Chosen, params: dict[str, Any]) -> int | None:
    if chosen.query is not None:
        if chosen.ids:
            raise usage("Give ids or a filter, not both.")
        made = await way.draft(cli, chosen.query, chosen.without, params)
        return await flow.carry_out(cli, made, yes=chosen.yes, confirm_count=chosen.confirm_count, wait=chosen.wait)
    if not chosen.ids:
        raise usage('Say what to act on: ids, or -q FILTER. -q "" means every one.')

    async def act(number: int) -> dict[str, Any]:
        return await way.one(cli, number, params)

    return await on_each(cli, way.action, chosen.ids, act, way.line, yes=chosen.yes)


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
