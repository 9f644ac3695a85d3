"""The page about workers is enough to write one: its programs are run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import AttemptOutcome, RunStatus
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from quarterdeck.engine.workers import overview

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "workers.md"

needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")


def program(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


@asynccontextmanager
async def started(
    engine: Engine, *command: str | Path, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """In a process group of its own, which is ended afterwards."""
    known = {**os.environ, "QD_SOCKET": str(engine.home.socket), "QUARTERDECK_HOME": str(engine.home.path)}
    process = await asyncio.create_subprocess_exec(
        *command, env={**known, **environment}, stderr=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        yield process
        process.terminate()
        _, said = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        await process.wait()


async def enqueue(engine: Engine, payload: Any, **values: Any) -> int:
    new = service.New("refunds", "refund.send", "acme", payload, **values)
    async with engine.store.write() as transaction:
        return (await service.enqueue(engine, transaction, [new])).ids[0]


async def row_of(engine: Engine, run_id: int) -> Any:
    async with engine.store.read() as connection:
        return (await connection.execute(select(runs).where(runs.c.id == run_id))).one()


async def once(engine: Engine, run_id: int, *statuses: RunStatus) -> Any:
    """The run, as soon as it is in one of these states."""

    async def there() -> Any:
        row = await row_of(engine, run_id)
        return row if row.status in statuses else None

    return await until(there)


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.02)


@pytest.fixture
async def shell(engine: Engine, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The worker of the page, at work."""
    (tmp_path / "worker.sh").write_text(program("sh"))
    async with started(
        engine, "sh", tmp_path / "worker.sh", BEAT="0.2", WORKER="sh-1", TMPDIR=str(tmp_path)
    ) as process:
        yield process


@needs_curl
async def test_the_shell_worker_completes_and_fails_and_writes_the_log(
    engine: Engine, shell: asyncio.subprocess.Process
) -> None:
    good = await enqueue(engine, {"order": 'R-7 \u001b]0;x\u0007 "quoted" 漢字'})
    bad = await enqueue(engine, {"amount": 3})
    row = await once(engine, good, RunStatus.COMPLETED, RunStatus.DEAD, RunStatus.FAILED)
    assert (row.status, row.result) == (RunStatus.COMPLETED, {"refunded": 'R-7 \u001b]0;x\u0007 "quoted" 漢字'})
    assert row.worker == "sh-1"
    row = await once(engine, bad, RunStatus.DEAD, RunStatus.FAILED)
    assert (row.status, row.error_class, row.error_code) == (RunStatus.DEAD, "validation", "exit_65")
    assert row.error_message == "the payload names no order"
    async with engine.store.read() as connection:
        lines = (await connection.execute(select(run_logs.c.run_id, run_logs.c.text).order_by(run_logs.c.id))).all()
    assert [line.run_id for line in lines] == [good, bad]
    assert lines[0].text.startswith("refunding order R-7")
    assert [each.name for each in (await overview.health(engine)).instances] == ["sh-1"]


@needs_curl
async def test_the_shell_worker_keeps_its_lease(engine: Engine, shell: asyncio.subprocess.Process) -> None:
    run_id = await enqueue(engine, {"order": "R-8", "seconds": 4})
    row = await once(engine, run_id, RunStatus.ACTIVE)
    async with engine.store.write() as transaction:  # soon over, were it not for the heartbeats
        await transaction.connection.execute(update(runs).values(lease_until=now_ms() + 3_000))
    row = await once(engine, run_id, RunStatus.COMPLETED, RunStatus.DEAD, RunStatus.FAILED)
    assert (row.status, row.attempt, row.lost) == (RunStatus.COMPLETED, 1, 0)


@needs_curl
async def test_the_shell_worker_stops_what_is_cancelled(engine: Engine, shell: asyncio.subprocess.Process) -> None:
    run_id = await enqueue(engine, {"order": "R-9", "seconds": 30})
    await once(engine, run_id, RunStatus.ACTIVE)
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(runs).values(cancel_requested=True))
    await once(engine, run_id, RunStatus.CANCELLED)
    following = await enqueue(engine, {"order": "R-10"})
    await once(engine, following, RunStatus.COMPLETED)


@needs_curl
async def test_the_shell_worker_leaves_alone_what_passed_to_another(
    engine: Engine, shell: asyncio.subprocess.Process
) -> None:
    run_id = await enqueue(engine, {"order": "R-9", "seconds": 30})
    await once(engine, run_id, RunStatus.ACTIVE)
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(runs).values(lease_token="another's", worker="w-2"))
    following = await enqueue(engine, {"order": "R-10"})
    await once(engine, following, RunStatus.COMPLETED)
    row = await row_of(engine, run_id)
    assert (row.status, row.worker) == (RunStatus.ACTIVE, "w-2")


@needs_curl
async def test_the_shell_worker_gives_back_when_it_is_told_to_stop(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "worker.sh").write_text(program("sh"))
    run_id = await enqueue(engine, {"order": "R-9", "seconds": 30})
    async with started(engine, "sh", tmp_path / "worker.sh"):
        await once(engine, run_id, RunStatus.ACTIVE)
    row = await row_of(engine, run_id)
    assert (row.status, row.lost) == (RunStatus.WAITING, 0)
    assert (await overview.health(engine)).instances == []


async def test_the_python_worker_of_the_page_works(engine: Engine, tmp_path: Path) -> None:
    text = program("python")
    assert "health_port=9100" in text
    (tmp_path / "worker.py").write_text(text.replace("health_port=9100", "health_port=0"))
    async with started(engine, sys.executable, tmp_path / "worker.py"):
        good = await enqueue(engine, {"order": 7, "amount": 3})
        bad = await enqueue(engine, {"order": 8, "amount": 0})
        assert (await once(engine, good, RunStatus.COMPLETED)).result == {"refunded": 3}
        row = await once(engine, bad, RunStatus.DEAD)
    assert (row.error_class, row.error_code) == ("validation", "nothing_to_refund")
    async with engine.store.read() as connection:
        outcomes = set((await connection.execute(select(run_attempts.c.outcome))).scalars())
    assert outcomes == {AttemptOutcome.COMPLETED, AttemptOutcome.FAILED}
