"""What is printed can be read by people, programs and terminals alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quarterdeck.cli.exits import CommandError
from quarterdeck.cli.files import write_stream
from quarterdeck.cli.output import Heading, as_json, table
from quarterdeck.cli.runtime import Cli
from quarterdeck.client.errors import Unreachable
from quarterdeck.config.home import Home
from tests.cli.lines import Shell
from tests.support.hostile import TEXTS

COLUMNS = (Heading("id", right=True), Heading("title"))


def test_json_survives_and_holds_nothing_a_terminal_obeys() -> None:
    for text in TEXTS:
        told = as_json({"title": text})
        assert json.loads(told) == {"title": text}
        assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in told)


def test_a_table_gives_way_where_it_is_widest() -> None:
    lines = table(COLUMNS, [[1, "a title that is far too long for this"], [12345, None]], width=20)
    assert lines[0] == "   id  title"
    assert lines[1] == "    1  a title that…"
    assert all(len(line) <= 20 for line in lines)


def test_hostile_titles_reach_the_output_harmless(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "items.json"
    titles = [text for text in TEXTS if text.strip() and "\x00" not in text]
    file.write_text(json.dumps([{"title": text, "tenant_id": "acme"} for text in titles]))
    shell("items", "add", "returns", "--file", str(file))
    shown = shell("items", "list", "returns", "--limit", "0").out
    assert not any((ord(letter) < 0x20 and letter != "\n") or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    back = shell.json("items", "list", "returns", "--limit", "0")["items"]
    assert sorted(item["title"] for item in back) == sorted(titles)


def test_a_reader_that_leaves_early_is_no_mistake(shell: Shell) -> None:
    shell("items", "add", "returns", "--title", "x", "--tenant", "acme")
    command = f"{sys.executable} -m quarterdeck.cli export returns | head -c 1"
    environment = {**os.environ, "QUARTERDECK_HOME": str(shell.home.path)}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


async def chunks(fail: Exception | None = None) -> AsyncIterator[bytes]:
    yield b"one "
    if fail is not None:
        raise fail
    yield b"two"


async def test_a_file_is_whole_or_not_there(engine_home: Home, tmp_path: Path) -> None:
    cli, target = Cli(engine_home, False), tmp_path / "out.csv"
    with pytest.raises(Unreachable):
        await write_stream(cli, chunks(Unreachable("gone")), target)
    assert list(tmp_path.glob("*out*")) == []
    await write_stream(cli, chunks(), target)
    assert target.read_bytes() == b"one two"
    with pytest.raises(Unreachable):
        await write_stream(cli, chunks(Unreachable("gone")), target)
    assert target.read_bytes() == b"one two"


async def test_a_folder_that_is_not_there(engine_home: Home, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"out\.csv cannot be written: No such file"):
        await write_stream(Cli(engine_home, False), chunks(), tmp_path / "none" / "out.csv")
