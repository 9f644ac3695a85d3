"""A person with a home: runs commands, opens consoles."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations.base import Operation
from tests.support.terminal import Terminal

QD = Path(sys.executable).parent / "qd"


class Person:
    """Works on one home. A command with another exit code than `code` raises AssertionError with what it said."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def qd(self, *arguments: str | Path, code: int = 0, typed: str | None = None) -> str:
        """What the command printed."""
        done = subprocess.run(
            [QD, *arguments],
            input=typed or "",
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "QUARTERDECK_HOME": str(self.home.path)},
            timeout=100,
            cwd=self.home.path,
        )
        said = f"qd {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == code, said
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        """What the command printed with --json."""
        return json.loads(self.qd(*arguments, "--json", code=code))

    def call(self, operation: Operation, **arguments: Any) -> Any:
        """What the engine answers: to look at the world often, which a command would do at the cost of a process."""

        async def once() -> Any:
            async with await connect(self.home, start=False) as client:
                return await client.call(operation, **arguments)

        return asyncio.run(once())

    def console(self, *arguments: str, columns: int = 80, lines: int = 24, **environment: str) -> Terminal:
        """An open console."""
        surroundings = {"QUARTERDECK_HOME": str(self.home.path), **environment}
        return Terminal([str(QD), *arguments], columns=columns, lines=lines, environment=surroundings)
