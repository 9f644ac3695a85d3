"""qd doctor says what is there, what is missing, and what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.cli import checks
from quarterdeck.cli.checks import Finding, Level
from quarterdeck.config.home import Home
from tests.cli.lines import Shell


def by_name(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {each["name"]: each for each in found["findings"]}


def test_a_new_home_and_a_running_engine(shell: Shell) -> None:
    before = by_name(shell.json("doctor"))
    assert before["engine"]["found"].startswith("not running")
    assert before["store"]["found"].startswith("none yet")
    assert not shell.home.lock.exists()
    shell("engine", "start")
    after = by_name(shell.json("doctor"))
    assert after["engine"]["level"] == "ok"
    assert "MiB" in after["store"]["found"]
    assert after["engine store"]["level"] == "ok"


def test_problems_are_exit_code_1_with_advice(shell: Shell) -> None:
    shell.home.config.write_text("[console]\nthem = 1\n")
    shell.home.store.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    found = by_name(shell.json("doctor", code=1))
    assert found["config"]["level"] == "problem"
    assert "console.them" in found["config"]["found"]
    shell.home.config.unlink()
    found = by_name(shell.json("doctor", code=1))
    assert found["store"]["level"] == "problem"
    assert str(shell.home.copies) in found["store"]["advice"]
    assert "→ Put a copy from" in shell("doctor", code=1).out


@pytest.mark.parametrize(
    ("environment", "name", "level"),
    [
        ({"TERM": "dumb"}, "terminal", Level.PROBLEM),
        ({"TERM": "xterm-256color"}, "colours", Level.OK),
        ({"TERM": "vt100", "COLORTERM": ""}, "colours", Level.WARNING),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "colours", Level.OK),
        ({"TERM": "xterm", "COLUMNS": "60", "LINES": "20"}, "size", Level.WARNING),
        ({"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}, "size", Level.OK),
    ],
)
def test_terminals(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str, level: Level) -> None:
    for variable in ("TERM", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    for variable, text in environment.items():
        monkeypatch.setenv(variable, text)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    found: dict[str, Finding] = {finding.name: finding for finding in checks.terminal()}
    assert found[name].level is level


@pytest.mark.parametrize(
    ("clip", "passes", "level"), [("on", "off", "ok"), ("external", "off", "warning"), ("off", "on", "warning")]
)
def test_tmux_decides_about_the_clipboard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clip: str, passes: str, level: str
) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\ncase "$3" in set-clipboard) echo {clip};; *) echo {passes};; esac\n')
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "/tmp/x,1,0")
    (finding,) = checks.clipboard()
    assert finding.level == level


def test_a_home_others_can_read(tmp_path: Path) -> None:
    home = Home(tmp_path / "open")
    home.path.mkdir(mode=0o755)
    home.path.chmod(0o755)
    found = {finding.name: finding for finding in checks.home_folder(home)}
    assert found["home"].level is Level.WARNING
    assert "chmod 700" in found["home"].advice


def test_the_size_of_a_store_counts_the_log_beside_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    sqlite3.connect(home.store).execute("CREATE TABLE t (x)").connection.close()
    home.store.with_name("quarterdeck.db-wal").write_bytes(bytes(3 * 1024 * 1024))
    (finding,) = checks.store(home)
    assert "3.0 MiB" in finding.found
