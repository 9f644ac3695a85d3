"""How a command is declared and run: home, JSON, client, errors as one sentence."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarterdeck.cli.exits import EPILOG, CommandError, Exit, exit_for, sentence_for
from quarterdeck.cli.output import Output
from quarterdeck.config.home import Home, HomeError
from quarterdeck.config.load import ConfigError
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import Operation
from quarterdeck.contract.problems import Problem

if TYPE_CHECKING:
    from quarterdeck.client.client import Client

HomeOption = Annotated[
    str | None,
    typer.Option("--home", metavar="DIR", help="The instance: its store, log and config. Else QUARTERDECK_HOME."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Cli:
    """What a command is handed."""

    def __init__(self, home: Home, as_json: bool) -> None:
        self.home = home
        self.out = Output(as_json)
        self._client: Client | None = None

    @property
    def json(self) -> bool:
        return self.out.json_wanted

    @property
    def interactive(self) -> bool:
        """Somebody can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    def ask(self, question: str) -> str:
        """What the person types, without spaces around it; nothing at the end of input."""
        print(question, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    async def client(self, *, start: bool = True, new_home: bool = False) -> Client:
        """The client of the home's engine, started where none answers. Raises Unreachable.

        A mistyped home is not made by looking into it: only with `new_home`, and it says so.
        """
        if self._client is None:
            from quarterdeck.client.local import connect

            if new_home:
                if self.home.create():
                    self.out.note(f"Made a new home at {self.home.path}.")
            elif not self.home.path.exists():
                raise CommandError(
                    f"There is no home at {self.home.path}; correct it, or make one with: qd engine start.",
                    Exit.UNREACHABLE,
                )
            self._client = await connect(self.home, start=start)
        return self._client

    async def call(
        self,
        operation: Operation,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        **path: Any,
    ) -> dict[str, Any]:
        changes = operation.method != "GET" and operation.role is not Role.VIEWER
        client = await self.client(new_home=changes)
        return await client.call(operation, query=query, body=body, **path)

    async def remark_on(self, tenant: str | None) -> None:
        """Says so where it may be mistyped; `None` is every tenant."""
        from quarterdeck.tui.tenants import unheard_of

        said = "" if tenant is None else unheard_of(tenant, (await self.client()).info["tenants"])
        if said and not self.json:
            self.out.note(said)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None


Body = Callable[..., Awaitable[int | None]]

# Every command of the program, by its words: ("items", "list").
COMMANDS: dict[tuple[str, ...], Body] = {}


def group(name: str, summary: str, parent: typer.Typer | None = None) -> typer.Typer:
    made = typer.Typer(name=name, help=summary, no_args_is_help=True, rich_markup_mode=None, epilog=EPILOG)
    if parent is not None:
        parent.add_typer(made)
    return made


def parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """Of a command that is told what it `takes`."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def command(
    app: typer.Typer,
    *words: str,
    help: str | None = None,
    home: Callable[[str | None], Home] = Home.find,
    takes: Iterable[inspect.Parameter] | None = None,
) -> Callable[[Body], Body]:
    """Declare a command. `words` are all its words; the function's first parameter is its `Cli`, the others (or what
    it `takes`, by name) are the command's; it returns an exit code or None. `home` finds the home from what was
    given."""
    find_home, taken = home, takes

    def declare(body: Body) -> Body:
        if taken is None:
            _, *own = inspect.signature(body, eval_str=True).parameters.values()
        else:
            own = list(taken)
        added = [
            parameter("home", HomeOption, None),
            parameter("json_wanted", JsonOption, False),
            parameter("context", typer.Context),
        ]

        def run(*, home: str | None, json_wanted: bool, context: typer.Context, **values: Any) -> int:
            above = {**(context.find_root().obj or {}), **(context.obj or {})}
            chosen = find_home(home or above.get("home"))
            return run_body(body, Cli(chosen, json_wanted or bool(above.get("json"))), values)

        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own] + added
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__doc__ = help or body.__doc__
        app.command(words[-1], epilog=EPILOG)(run)
        COMMANDS[words] = body
        return body

    return declare


def run_body(body: Body, cli: Cli, values: dict[str, Any]) -> int:
    """Run to an exit code. What goes wrong is one sentence on standard error."""

    async def whole() -> int | None:
        try:
            return await body(cli, **values)
        finally:
            await cli.close()

    return guarded(lambda: asyncio.run(whole()), cli.home)


def guarded(act: Callable[[], int | None], home: Home) -> int:
    """Every way a command can end, as an exit code."""
    from quarterdeck.client.errors import Unreachable

    try:
        return int(act() or Exit.OK)
    except CommandError as error:
        return fail(str(error), error.exit_code)
    except Problem as problem:
        return fail(sentence_for(problem), exit_for(problem))
    except Unreachable as error:
        return fail(str(error), Exit.UNREACHABLE)
    except (HomeError, ConfigError) as error:
        return fail(str(error), Exit.USAGE)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return fail("Interrupted.", Exit.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output (head, less) has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return fail(f"{place}{error.strerror or error}.", Exit.FAILED)
    except Exception as error:  # noqa: BLE001 - the last resort: say it, keep the details
        return fail(_unexpected(error, home), Exit.FAILED)


def fail(sentence: str, exit_code: Exit) -> int:
    Output(False).note(sentence)
    return exit_code


def _unexpected(error: Exception, home: Home) -> str:
    if os.environ.get("QUARTERDECK_DEBUG"):
        traceback.print_exc()
    what = f"This is a mistake in qd ({type(error).__name__}: {error})"
    try:
        path = home.path / "qd-errors.log"
        with path.open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
    except (OSError, HomeError):
        return f"{what}; set QUARTERDECK_DEBUG=1 to see the details."
    return f"{what}; the details are in {path}."
