"""Files of JSON lines, read in batches that one call takes."""

from __future__ import annotations

import gzip
import io
import json
import sys
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

from quarterdeck.cli.exits import CommandError, Exit
from quarterdeck.config.wording import plain
from quarterdeck.contract.problems import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

MOST_ROWS = 1_000
MOST_BYTES = 8 * 1024 * 1024
# Nothing an engine takes is longer; a file without line ends must not be read whole.
LONGEST_LINE = 32 * 1024 * 1024


@dataclass(slots=True)
class Batch:
    """`rows` stand in the lines up to `last_line`, and begin after `lines_before`."""

    lines_before: int
    last_line: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0


class LineError(CommandError):
    """What is wrong with a line; the rows before `line` are good."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(f"{_name(path)}, line {line}: {what}.")
        self.line = line


def read_batches(
    path: Path, model: type[BaseModel], *, defaults: dict[str, Any] | None = None, skip: int = 0
) -> Iterator[Batch]:
    """Objects that `model` accepts, with `defaults` where a line says nothing; empty lines do not count.

    `path` may be `-` and gzipped. `skip` is a number of lines. What stands before a line that is not valid is
    still a batch; then LineError is raised. Raises CommandError for a file that cannot be read.
    """
    batch = Batch(skip)
    with _open(path) as file:
        number = 0
        try:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if number <= skip or not line.strip():
                    continue
                row = _row(path, number, line, model, defaults or {})
                if batch.rows and (len(batch.rows) >= MOST_ROWS or batch.size + len(line) > MOST_BYTES):
                    yield batch
                    batch = Batch(batch.last_line)
                batch.rows.append(row)
                batch.size += len(line)
                batch.last_line = number
        except LineError:
            if batch.rows:
                yield batch
            raise
        except (OSError, EOFError) as error:
            raise CommandError(f"{_name(path)} cannot be read after line {number}: {error}.") from error
    if batch.rows:
        yield batch


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Standard input stays open."""
    try:
        raw = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        zipped = isinstance(raw, io.BufferedReader) and raw.peek(2)[:2] == b"\x1f\x8b"
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if zipped else raw
    finally:
        if raw is not sys.stdin.buffer:
            raw.close()


def _row(path: Path, number: int, line: bytes, model: type[BaseModel], defaults: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        found = json.loads(line)
    except UnicodeDecodeError:
        raise LineError(path, number, "it is not UTF-8") from None
    except RecursionError:
        raise LineError(path, number, "it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise LineError(path, number, f"it is not JSON ({error.msg}, character {error.colno})") from None
    if not isinstance(found, dict):
        raise LineError(path, number, "it is no JSON object")
    found = {**defaults, **found}
    try:
        model.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LineError(path, number, f"{where}: {plain(first['msg'])}" if where else plain(first["msg"])) from None
    return found


def break_off(error: BaseException, done: str, lines: int) -> NoReturn:
    """End a command that was in the middle of a file: with the error itself where nothing was done, else with how
    far it came, `done` being what came of the first `lines` lines."""
    if not lines:
        raise error
    interrupted = isinstance(error, CancelledError)
    said = "Interrupted." if interrupted else error.detail if isinstance(error, Problem) else str(error)
    raise CommandError(
        f"{said} Up to line {lines} all is done: {done}. Go on with --skip {lines}.",
        Exit.INTERRUPTED if interrupted else Exit.PARTIAL,
    ) from error


def json_value(text: str, what: str) -> Any:
    """The value of an option. Raises CommandError where it is no JSON."""
    try:
        return json.loads(text)
    except RecursionError:
        raise CommandError(f"{what} is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise CommandError(
            f"{what} is not JSON ({error.msg}, line {error.lineno}, character {error.colno}); "
            "a text needs double quotes of its own."
        ) from None


def json_file(path: Path) -> Any:
    """The value in a file, `-` for standard input. Raises CommandError."""
    try:
        text = (sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{_name(path)} is not UTF-8 (byte {error.start}).") from error
    return json_value(text, _name(path))


def _name(path: Path) -> str:
    return "Standard input" if str(path) == "-" else str(path)
