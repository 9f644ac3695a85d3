"""Starting the console: fast, and with one sentence where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from quarterdeck.client.finding import engine_running
from quarterdeck.config.home import Home
from tests.support.engines import end_engine
from tests.support.terminal import Terminal

RUN = "import sys; from quarterdeck.tui.launch import run; raise SystemExit(run(sys.argv[1]))"


def without_terminal(home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def on_terminal(home: Home) -> Terminal:
    return Terminal([sys.executable, "-c", RUN, str(home.path)])


def test_a_pipe_is_no_terminal(tmp_path: Path) -> None:
    done = without_terminal(tmp_path / "home")
    assert done.returncode == 1
    assert done.stderr == "The console needs a terminal; for scripts there is: qd items list --json.\n"


def test_two_commands_on_one_key_are_refused_at_start(engine_home: Home) -> None:
    engine_home.create()
    engine_home.config.write_text('[console.keys]\nassign = "n"\n')
    with on_terminal(engine_home) as terminal:
        assert terminal.wait_for_exit() == 2
        assert "The key 'n' is both 'claim-next' and 'assign'" in terminal.text


def test_a_theme_that_is_not_there_is_refused_at_start(engine_home: Home) -> None:
    engine_home.create()
    engine_home.config.write_text('[console]\ntheme = "sepia"\n')
    with on_terminal(engine_home) as terminal:
        assert terminal.wait_for_exit() == 2
        assert "There is no theme 'sepia'" in terminal.text
        assert "Traceback" not in terminal.text


def test_a_broken_config_is_one_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.config.write_text("[console]\nmouse = maybe\n")
    done = without_terminal(home.path)
    assert done.returncode == 2
    assert str(home.config) in done.stderr
    assert "Traceback" not in done.stderr


def test_the_engine_is_started_and_outlives_the_console(engine_home: Home) -> None:
    with on_terminal(engine_home) as terminal:
        terminal.wait_for("Starting the engine")
        terminal.wait_for("The queue support_tasks is empty")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
    assert engine_running(engine_home) is not None


def test_a_dropped_line_ends_the_console_and_not_the_engine(engine_home: Home) -> None:
    with on_terminal(engine_home) as terminal:
        terminal.wait_for("The queue support_tasks is empty")
        terminal.press("o")
        terminal.wait_for("most pressing first")
        terminal.hang_up()
        assert terminal.process.wait(timeout=20) == 0
    assert engine_running(engine_home) is not None
    assert engine_home.console_state.exists()


def test_an_idle_console_sends_nothing(engine_home: Home) -> None:
    with on_terminal(engine_home) as terminal:
        terminal.wait_for("The queue support_tasks is empty")
        terminal.settle(quiet=1.5)
        before = len(terminal.raw)
        terminal.settle(quiet=3.0)
        assert terminal.raw[before:] == b""


def test_a_damaged_memory_is_ignored_with_a_notice(engine_home: Home) -> None:
    engine_home.create()
    engine_home.console_state.write_text("{")
    with on_terminal(engine_home) as terminal:
        terminal.wait_for("is damaged and was ignored")
        terminal.wait_for("support_tasks")


def test_a_home_that_was_not_there_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "hoem")
    try:
        with on_terminal(home) as terminal:
            terminal.wait_for("Made a new home at")
    finally:
        end_engine(home)
