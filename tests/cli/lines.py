"""Running one command line as a person does, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from quarterdeck.cli import main
from quarterdeck.config.home import Home


@dataclass
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """`shell("items", "list", "returns")` on one home."""

    def __init__(self, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.capsys = capsys

    def __call__(self, *words: str, code: int | None = 0) -> Said:
        """Run it; `code` is the exit code it must end with, None for any."""
        self.capsys.readouterr()
        ended = main.run(["--home", str(self.home.path), *words])
        captured = self.capsys.readouterr()
        said = Said(ended, captured.out, captured.err)
        assert "Traceback" not in said.err
        if code is not None:
            assert ended == code, f"{words} ended with {ended}: {said.err}{said.out}"
        return said

    def json(self, *words: str, code: int | None = 0) -> Any:
        return self(*words, "--json", code=code).json
