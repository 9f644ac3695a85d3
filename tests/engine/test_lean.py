"""What the engine does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT = """
import sys
import quarterdeck.engine.__main__
import quarterdeck.engine.app, uvicorn.server, uvicorn.config
print(*sys.modules)
"""


HANDLER = """
import quarterdeck.engine.runs.service
from sqlalchemy.ext.asyncio import AsyncSession
assert AsyncSession.__module__ == "sqlalchemy.ext.asyncio.session", AsyncSession
"""


def test_only_the_process_of_the_engine_does_without() -> None:
    """A handler in a process of its own may use the library whole."""
    subprocess.run([sys.executable, "-c", HANDLER], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("unused", ["sqlalchemy.orm", "click", "alembic"])
def test_an_engine_starts_without(unused: str) -> None:
    found = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    assert unused not in found.stdout.split()
