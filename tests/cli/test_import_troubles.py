"""An import that is disturbed loses nothing and imports nothing twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.cli.runtime import Cli
from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.operations import Operation, items
from tests.cli.lines import Shell
from tests.support.engines import kill_engine

MAPPING = '[item]\nexternal_id = "id"\ntitle = "subject"\n'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("map.toml").write_text(MAPPING)
    return tmp_path


def tickets(number: int) -> None:
    Path("t.csv").write_text("id,subject\n" + "".join(f"{n},ticket {n}\n" for n in range(number)))


def words(*more: str) -> tuple[str, ...]:
    return ("import", "support_tasks", "t.csv", "--mapping", "map.toml", "--tenant", "acme", *more)


def test_an_engine_killed_on_the_way_is_started_again(
    shell: Shell, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets(4_000)
    calls = 0
    call = Cli.call

    async def killing(self: Cli, operation: Operation, **given: Any) -> Any:
        nonlocal calls
        calls += operation is items.IMPORT
        if calls == 3 and operation is items.IMPORT:
            kill_engine(shell.home)
        return await call(self, operation, **given)

    monkeypatch.setattr(Cli, "call", killing)
    summary = shell.json(*words())
    assert summary["created"] == 4_000
    assert calls > 4
    assert shell("items", "count", "support_tasks").out == "4000\n"


def test_ctrl_c_says_how_far_it_came_and_the_next_run_goes_on(shell: Shell, files: Path) -> None:
    tickets(15_000)
    shell("engine", "start")
    command = [sys.executable, "-m", "quarterdeck.cli", *words()]
    environment = {**os.environ, "QUARTERDECK_HOME": str(shell.home.path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    async def begun(client: Client) -> bool:
        return bool((await client.call(items.COUNT, resource=Resource.SUPPORT_TASKS))["count"])

    async def wait() -> None:
        async with await connect(shell.home) as client:
            deadline = time.monotonic() + 60
            while not await begun(client):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)

    asyncio.run(wait())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "had been imported before; import again to go on" in err
    there = int(shell("items", "count", "support_tasks").out)
    assert 0 < there < 15_000
    summary = shell.json(*words())
    assert (summary["unchanged"], summary["created"]) == (there, 15_000 - there)


def test_names_that_no_json_record_has_are_told(shell: Shell, files: Path) -> None:
    Path("map.toml").write_text(MAPPING + 'body = "txet"\ncategory = ["a", "b"]\n')
    Path("t.json").write_text('[{"id": 1, "subject": "x", "b": "y"}]')
    said = shell("import", "returns", "t.json", "--mapping", "map.toml", "--tenant", "acme")
    assert said.err == "The mapping's item.body names 'txet', which no record has.\n"


def test_everything_rejected_is_a_failure(shell: Shell, files: Path) -> None:
    Path("t.csv").write_text("id,subject\n,no id\n")
    said = shell(*words(), code=1)
    assert "line 2: id '' is empty, and is needed" in said.err
    assert "Rejected rows are in t.csv.rejects.csv." in said.err
    assert Path("t.csv.rejects.csv").exists()


def test_rows_rejected_earlier_are_not_written_over(shell: Shell, files: Path) -> None:
    Path("t.csv").write_text("id,subject\n,no id\n")
    shell(*words(), code=1)
    first = Path("t.csv.rejects.csv")
    first.write_text("corrected by hand")
    assert "Rejected rows are in t.csv.rejects.2.csv." in shell(*words(), code=1).err
    assert first.read_text() == "corrected by hand"


def test_a_mapping_that_fits_nothing_is_told_in_one_sentence(shell: Shell, files: Path) -> None:
    Path("map.toml").write_text(MAPPING + "".join(f'{name} = "no-{name}"\n' for name in ("body", "kind", "category")))
    Path("t.json").write_text('[{"number": 1}]')
    said = shell("import", "returns", "t.json", "--mapping", "map.toml", "--tenant", "acme", code=1)
    assert said.err.splitlines()[0] == (
        "The mapping's item.external_id names 'id', item.title names 'subject', item.kind names 'no-kind', "
        "which no record has, and 2 more do so too."
    )
    assert "item.body" not in said.err


def test_a_mapping_for_another_resource_is_refused_before_anything_is_sent(shell: Shell, files: Path) -> None:
    Path("map.toml").write_text(f'[source]\nresource = "support_tasks"\n{MAPPING}')
    Path("t.csv").write_text("id,subject\n1,x\n")
    said = shell("import", "returns", "t.csv", "--mapping", "map.toml", "--tenant", "acme", code=1)
    assert said.err == "map.toml is for support_tasks (source.resource), not for returns.\n"
    assert not shell.home.lock.exists()
    assert shell.json(*words())["created"] == 1


def test_a_disk_that_cannot_take_the_rejects(shell: Shell, files: Path) -> None:
    Path("t.csv").write_text("id,subject\n,no id\n")
    said = shell(*words("--rejects", "/none/r.csv"), code=1)
    assert said.err == "/none/r.csv: No such file or directory.\n"
