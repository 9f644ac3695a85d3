"""What the engine does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT = """
import sys
import quarterdeck.engine.app, quarterdeck.engine.process, uvicorn.server, uvicorn.config
print(*sys.modules)
"""


@pytest.mark.parametrize("unused", ["sqlalchemy.orm", "click", "alembic"])
def test_an_engine_starts_without(unused: str) -> None:
    found = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    assert unused not in found.stdout.split()
