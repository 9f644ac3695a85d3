"""What is in a message cannot forge a line of the log or reach a terminal as a command."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.engine import logs


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    path = tmp_path / "engine.log"
    logs.set_up(path, "info")
    yield path
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def test_a_message_is_one_line_in_utc(log: Path) -> None:
    logging.getLogger("test").info("title %s", "a\nforged ERROR line\x1b]52;;aGk=\x07\x9b")
    (line,) = log.read_text().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO test: title a\\nforged", line)
    assert "\x1b" not in line
    assert "\\x1b]52;;aGk=\\x07\\x9b" in line


def test_a_traceback_keeps_its_lines_but_no_control_characters(log: Path) -> None:
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        logging.getLogger("test").exception("failed")
    text = log.read_text()
    assert "Traceback" in text
    assert text.count("\n") > 3
    assert "\x1b" not in text


def test_a_stream_that_broke_off_is_logged_once(log: Path) -> None:
    from quarterdeck.engine.http.failures import BrokenOff

    try:
        raise BrokenOff
    except BrokenOff:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert log.read_text() == ""
