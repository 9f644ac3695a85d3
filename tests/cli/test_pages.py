"""The pages on machine work: every command is run as it stands there, in order, on a new home."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.lines import Shell

TOP = Path(__file__).resolve().parent.parent.parent


def commands(page: str) -> list[str]:
    """Indented lines that begin with qd, and programs for the shell, in the order of the page."""
    text = (TOP / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"^    (qd [^\n]*)$|^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line or program for line, program in found]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", ["queues.md", "runs.md", "dead-letters.md"])
def test_the_commands_of_a_page_do_what_it_says(
    shell: Shell, tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").symlink_to(TOP / "docs")
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        if "\n" in command:
            run_program(shell, command)
        else:
            shell(*shlex.split(command)[1:])


def run_program(shell: Shell, program: str) -> None:
    if not shutil.which("jq"):
        pytest.skip("needs jq")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": path, "QUARTERDECK_HOME": str(shell.home.path)}
    done = subprocess.run(["sh", "-e", "-c", program], env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
