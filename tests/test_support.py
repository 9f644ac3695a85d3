"""The tools that other tests lean on do what they say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support import processes
from tests.support.postgres import PostgresServer
from tests.support.screen import Screen
from tests.support.terminal import NotSeen, Terminal

ECHO = """
import sys, tty
tty.setraw(0)
print("ready", flush=True)
while True:
    got = sys.stdin.buffer.raw.read(16)
    if got == b"q":
        raise SystemExit(3)
    print(repr(got), end="\\r\\n", flush=True)
"""


def test_a_terminal_shows_what_a_program_prints_and_takes_keys() -> None:
    with Terminal([sys.executable, "-c", ECHO]) as terminal:
        terminal.wait_for("ready")
        terminal.press("down", "ctrl+a", "é")
        terminal.wait_for(r"\\x1b\[B")
        terminal.wait_for(r"\\x01")
        terminal.wait_for(r"\\xc3\\xa9")
        assert b"ready" in terminal.raw
        terminal.press("q")
        assert terminal.wait_for_exit() == 3


def test_a_program_that_ends_too_early_is_not_waited_for() -> None:
    with Terminal([sys.executable, "-c", "print('goodbye')"]) as terminal, pytest.raises(NotSeen, match="goodbye"):
        terminal.wait_for("hello")


def test_a_terminal_can_be_resized() -> None:
    watch = (
        "import os, signal\n"
        "signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size(), flush=True))\n"
        "print(os.get_terminal_size(), flush=True)\n"
        "while True: signal.pause()\n"
    )
    with Terminal([sys.executable, "-c", watch], columns=100, lines=30) as terminal:
        terminal.wait_for("columns=100, lines=30")
        terminal.resize(120, 40)
        terminal.wait_for("columns=120, lines=40")


def test_hanging_up_sends_sighup() -> None:
    with Terminal([sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]) as terminal:
        terminal.wait_for("here")
        terminal.hang_up()
        assert terminal.process.wait(10) == -1


def test_a_screen_keeps_every_byte_and_shows_none_of_the_private_sequences() -> None:
    screen = Screen()
    for part in (b"\x1b[?20", b"26h\x1b[>1", b"uhello \x1b", b"[1mworld\x1b[0", b"m\x1b[c"):
        answer = screen.feed(part)
    assert screen.lines[0] == "hello world"
    assert answer == b"\x1b[?62;22c"
    assert bytes(screen.raw) == b"\x1b[?2026h\x1b[>1uhello \x1b[1mworld\x1b[0m\x1b[c"


def test_detached_processes_are_found() -> None:
    inner = "import time; time.sleep(60)"
    outer = (
        "import subprocess, sys; "
        f"print(subprocess.Popen([sys.executable, '-c', {inner!r}], start_new_session=True, "
        "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    started = subprocess.run([sys.executable, "-c", outer], capture_output=True, text=True, check=True)
    pid = int(started.stdout)
    assert pid in [process.pid for process in processes.left_behind()]
    processes.end([process for process in processes.left_behind() if process.pid == pid])
    assert pid not in [process.pid for process in processes.left_behind()]


async def test_every_database_is_empty(postgres: PostgresServer) -> None:
    import asyncpg

    for _ in range(2):
        connection = await asyncpg.connect(postgres.database())
        try:
            await connection.execute("CREATE TABLE first_here (id int)")
        finally:
            await connection.close()


def test_the_home_of_whoever_runs_this_is_out_of_reach() -> None:
    from quarterdeck.config.home import Home, runtime_folder

    assert str(runtime_folder()).startswith(os.environ["XDG_RUNTIME_DIR"])
    assert str(Home.find().path).startswith(os.environ["XDG_RUNTIME_DIR"])
