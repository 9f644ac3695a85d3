"""Files written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from quarterdeck.cli.exits import CommandError
from quarterdeck.cli.runtime import Cli


async def write_stream(cli: Cli, chunks: AsyncIterator[bytes], output: Path | None) -> None:
    """To standard output as it comes; to a file through one beside it, put in place when it is whole.

    Raises CommandError where the folder cannot be written.
    """
    if output is None:
        async for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
    size = 0
    try:
        with os.fdopen(handle, "wb") as file:
            async for chunk in chunks:
                file.write(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, output)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CommandError(f"{output} was not written: {error.strerror or error}.") from error
        raise
    cli.out.note(f"Wrote {size:,} bytes to {output}.")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
