"""qd queues: named queues of machine work."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

import typer

from quarterdeck.cli import model_options
from quarterdeck.cli.agreeing import agree_to_delete
from quarterdeck.cli.choices import ReasonOption, YesOption
from quarterdeck.cli.exits import CommandError, usage
from quarterdeck.cli.queue_lines import described, queue_rows
from quarterdeck.cli.run_lines import leased_rows
from quarterdeck.cli.runtime import Cli, command, group, parameter
from quarterdeck.contract.models.queues import QUEUE_NAME
from quarterdeck.contract.operations import queues as ops
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.contract.reference import ModelRef

queues = group("queues", "Queues of machine work: how each does, and how it carries out its runs.")

QueueArgument = Annotated[str, typer.Argument(metavar="QUEUE", help="Name of the queue.", show_default=False)]

_SETTINGS = ModelRef("queues:QueueSettings")
_CHANGE = ModelRef("queues:QueueChange")
# What has no limit unless one is given.
_LIMITS = ("tenant_concurrency", "rate_per_second")


def add_to(app: typer.Typer) -> None:
    _declare_create()
    _declare_change()
    app.add_typer(queues)


@command(queues, "queues", "list")
async def list_(cli: Cli) -> None:
    """List the queues with their counts and what is wrong with them."""
    found = await cli.call(ops.LIST)
    cli.out.result(found, queue_rows(found["items"], cli.out.width))
    if not found["items"] and not cli.json:
        cli.out.note("There are no queues; make one with: qd queues create NAME.")


@command(queues, "queues", "show")
async def show(cli: Cli, queue: QueueArgument) -> None:
    """Show one queue: how it does, and its settings."""
    found = await cli.call(ops.SHOW, queue=queue)
    cli.out.result(found, described(found))


@command(queues, "queues", "pause")
async def pause(cli: Cli, queue: QueueArgument, reason: ReasonOption = None) -> None:
    """Start nothing new; what is active goes on to its end."""
    found = await cli.call(ops.PAUSE, body={"reason": reason}, queue=queue)
    cli.out.result(found, [f"{queue} is paused; {found['active']} of its runs are active."])


@command(queues, "queues", "resume")
async def resume(cli: Cli, queue: QueueArgument, reason: ReasonOption = None) -> None:
    """Go on after a pause."""
    found = await cli.call(ops.RESUME, body={"reason": reason}, queue=queue)
    cli.out.result(found, [f"{queue} goes on; {found['waiting']} of its runs wait."])


@command(queues, "queues", "delete")
async def delete(cli: Cli, queue: QueueArgument, yes: YesOption = False) -> None:
    """Forget a queue that holds no run which is still to be done."""
    agree_to_delete(cli, f"the queue {queue} and its settings", yes)
    found = await cli.call(ops.DELETE, queue=queue)
    cli.out.result(found, [f"Deleted the queue {queue}."])


@command(queues, "queues", "lease")
async def lease(
    cli: Cli,
    queue: QueueArgument,
    worker: Annotated[str, typer.Option("--worker", help="Who takes them, always by the same name.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1_000, help="How many at most.")] = 1,
    seconds: Annotated[int, typer.Option("--seconds", min=5, max=3_600, help="How long a lease lasts.")] = 30,
    wait: Annotated[int, typer.Option("--wait", min=0, max=60, help="Seconds to wait where there is nothing.")] = 0,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; can be repeated.")] = None,
) -> None:
    """Take runs to work on, as a worker does; each must be completed, failed or kept before its lease ends."""
    body = {"worker": worker, "count": count, "seconds": seconds, "wait_seconds": wait, "kinds": kinds or None}
    found = await cli.call(ops.LEASE, body=body, queue=queue)
    cli.out.result(found, leased_rows(found["items"], cli.out.width))
    if not found["items"]:
        raise Problem(Code.NOTHING_TO_CLAIM, f"{queue} has no run that may start now.")


def _declare(verb: str, help_text: str, body: Any, own: list[inspect.Parameter], settings: Any) -> None:
    """A command whose options are what a queue can be told."""
    takes = [parameter("queue", QueueArgument), *settings, *own]
    command(queues, "queues", verb, help=help_text, takes=takes)(body)


def _declare_create() -> None:
    model = _SETTINGS.load()

    async def create(cli: Cli, *, queue: str, replace: bool, **given: Any) -> None:
        if not re.fullmatch(QUEUE_NAME, queue):
            raise usage(f"A queue is called by letters, digits, _ and -, not '{queue}'.")
        settings = model_options.chosen(model, given)
        if not replace:
            await _refuse_existing(cli, queue)
        found = await cli.call(ops.PUT, body=settings, queue=queue)
        cli.out.result(found, [f"{'Set' if replace else 'Made'} the queue {queue}.", "", *described(found)])

    option = typer.Option("--replace", help="Give a queue that is there these settings, and defaults for the rest.")
    again = parameter("replace", Annotated[bool, option], False)
    _declare("create", "Make a queue.", create, [again], model_options.options(model))


async def _refuse_existing(cli: Cli, queue: str) -> None:
    client = await cli.client(new_home=True)
    try:
        await client.call(ops.SHOW, queue=queue)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
    else:
        raise CommandError(f"There is a queue {queue}; change it with: qd queues change {queue}.")


def _declare_change() -> None:
    model = _CHANGE.load()

    async def change(cli: Cli, *, queue: str, **given: Any) -> None:
        wanted = model_options.chosen(model, given, _LIMITS)
        if not set(wanted) - {"reason"}:
            raise usage(f"Say what to change, such as --concurrency 4; qd queues show {queue} shows all settings.")
        found = await cli.call(ops.CHANGE, body=wanted, queue=queue)
        cli.out.result(found, [f"Changed the queue {queue}.", "", *described(found)])

    settings = model_options.options(model, _LIMITS)
    _declare("change", "Change some settings; they apply at once.", change, [], settings)
