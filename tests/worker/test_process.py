"""A worker as a program of its own, told to stop as an operating system does it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from quarterdeck.contract.enums import RunStatus
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.tables import runs

PROGRAM = """
import asyncio
from quarterdeck.worker import Worker, run

worker = Worker("refunds", grace_seconds=0.2)

@worker.handles("refund.send")
async def send(job):
    print("began", flush=True)
    await asyncio.sleep(60)

run(worker)
"""


async def started(engine: Engine, folder: Path, program: str) -> asyncio.subprocess.Process:
    (folder / "refunds.py").write_text(program)
    environment = {**os.environ, "QUARTERDECK_HOME": str(engine.home.path)}
    return await asyncio.create_subprocess_exec(
        sys.executable, folder / "refunds.py", env=environment, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_gives_back_what_is_at_work(engine: Engine, tmp_path: Path, how: signal.Signals) -> None:
    process = await started(engine, tmp_path, PROGRAM)
    async with engine.store.write() as transaction:
        await service.enqueue(engine, transaction, [service.New("refunds", "refund.send", "acme")])
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 20) == b"began\n"
    process.send_signal(how)
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    async with engine.store.read() as connection:
        row = (await connection.execute(select(runs))).one()
    assert (row.status, row.lease_token, row.lost) == (RunStatus.WAITING, None, 0)


async def test_a_worker_that_is_refused_says_why_in_a_sentence(engine: Engine, tmp_path: Path) -> None:
    process = await started(engine, tmp_path, PROGRAM.replace('"refunds"', '"bulk"'))
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"only a queue with the handler worker can be leased." in said
    assert b"Traceback" not in said
