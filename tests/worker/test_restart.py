"""An engine that dies under its workers: what they did meanwhile counts once it is back."""

from __future__ import annotations

import asyncio

from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import queues, runs
from quarterdeck.worker import Job, Worker
from quarterdeck.worker.running import work
from tests.support.engines import kill_engine


async def test_work_that_was_done_while_no_engine_was_there_is_not_done_twice(engine_home: Home) -> None:
    worker = Worker("refunds", name="w-1", home=engine_home.path)
    began, release = asyncio.Event(), asyncio.Event()
    times = 0

    @worker.handles()
    async def send(job: Job) -> str:
        nonlocal times
        times += 1
        began.set()
        await release.wait()
        return "done"

    async with await connect(engine_home) as client:
        await client.call(queues.PUT, queue="refunds", body={"handler": "worker"})
        new = {"queue": "refunds", "kind": "refund.send", "payload": "x" * 1_000_000}
        (run_id,) = (await client.call(runs.ENQUEUE, body={"runs": [new]}))["ids"]
    working = asyncio.create_task(work(worker))
    await asyncio.wait_for(began.wait(), 20)
    kill_engine(engine_home)
    release.set()
    async with await connect(engine_home) as client:
        async with asyncio.timeout(30):
            while True:
                shown = await client.call(runs.SHOW, id=run_id)
                if shown["run"]["status"] != "active":
                    break
                await asyncio.sleep(0.05)
        assert (shown["run"]["status"], shown["run"]["attempt"], shown["run"]["result"]) == ("completed", 1, "done")
        worker.stopping.set()
        await asyncio.wait_for(working, 20)
    assert times == 1
