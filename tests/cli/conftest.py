"""A shell on a home of its own."""

from __future__ import annotations

import pytest

from quarterdeck.config.home import Home
from tests.cli.lines import Shell


@pytest.fixture
def shell(engine_home: Home, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(engine_home, capsys)
