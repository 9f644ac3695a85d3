"""What the demo says to type next works as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.cli.demo import called


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "a b" / "qd"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.delenv("QUARTERDECK_CALLED", raising=False)
    monkeypatch.setattr("sys.argv", [str(path), "demo"])
    monkeypatch.setenv("PATH", "/usr/bin")
    return path


def test_off_the_path_it_is_the_whole_path(program: Path) -> None:
    assert called() == f"'{program}'"


def test_on_the_path_it_is_the_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert called() == "qd"


def test_what_started_it_knows_best(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_CALLED", "python3 dev.py qd")
    assert called() == "python3 dev.py qd"
