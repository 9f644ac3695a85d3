"""dev.py says what it is doing, and passes on what it is given."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[1]


@pytest.fixture
def dev(tmp_path: Path) -> ModuleType:
    """dev.py in a clone of its own, where nothing is set up yet."""
    for name in ("dev.py", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((TOP / name).read_bytes())
    specification = importlib.util.spec_from_file_location("dev_of_a_clone", tmp_path / "dev.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_first_start_says_each_step(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "run_logged", lambda *_: dev.VENV.mkdir(exist_ok=True))
    dev.setup()
    said = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert said[0].startswith("Setting up .venv")
    assert said[1].startswith("making a virtual environment for Python 3.")
    assert said[2].startswith("installing ")
    assert int(said[2].split()[1]) > 20
    assert said[3:] == ["installing quarterdeck itself …", "Ready."]


def test_qd_is_passed_on_from_where_it_was_called(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: dict[str, Any] = {}

    def take(command: tuple[str, ...], **options: Any) -> SimpleNamespace:
        ran.update(options, command=command)
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(dev, "setup", lambda: None)
    monkeypatch.setattr(subprocess, "run", take)
    monkeypatch.setattr("sys.argv", ["dev.py"])
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert dev.main(["qd", "items", "list", "returns"]) == 7
    assert ran["command"] == (str(dev.VENV / "bin" / "qd"), "items", "list", "returns")
    assert ran["cwd"] == str(elsewhere)
    assert "PYTHONDONTWRITEBYTECODE" not in ran["env"]
    assert ran["env"]["QUARTERDECK_CALLED"] == "python3 dev.py qd"
