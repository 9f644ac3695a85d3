"""Workers of the demo world, a process each: python -m quarterdeck.demo.workers --home DIR --name refunds-1"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from quarterdeck.demo.faults import mishap, worded
from quarterdeck.worker import Failed, Job, Worker, run

LEASE_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Post:
    """Where a worker process stands. `flaps`: now and then it does not listen for a while."""

    queue: str
    type: str
    concurrency: int
    flaps: bool = False
    crashes: bool = False


POSTS: dict[str, Post] = {
    "refunds-1": Post("refunds-api", "refunds", 4),
    "refunds-2": Post("refunds-api", "refunds", 4),
    "mailer-1": Post("emails", "mailer", 6),
    "mailer-2": Post("emails", "mailer", 6, crashes=True),
    "indexer-1": Post("search-index", "indexer", 1, flaps=True),
}


def worker_of(home: str, name: str, random: Random) -> Worker:
    post = POSTS[name]
    worker = Worker(
        post.queue,
        name=name,
        type=post.type,
        home=home,
        concurrency=post.concurrency,
        lease_seconds=LEASE_SECONDS,
        health_port=0,
        grace_seconds=1.5,
    )
    work = {"refunds-api": _refund, "emails": _mail, "search-index": _index}[post.queue]

    @worker.handles()
    async def carry_out(job: Job) -> dict[str, Any]:
        if post.crashes and random.random() < 0.004:
            os._exit(139)
        return await work(job, post, random)

    return worker


def _fail(job: Job, random: Random) -> None:
    """Now and then, and never twice in the same words. A retry has it easier."""
    if job.attempt > 1 and random.random() < 0.5:
        return
    found = mishap(random, job.queue)
    if found is not None:
        job.log(f"{found.code}: giving up this attempt", "warning")
        raise Failed(
            worded(random, found, job.payload.get("order", "a document")),
            code=found.code,
            error_class=found.error_class,
            retry_after=found.retry_after,
            detail=found.detail or None,
        )


async def _refund(job: Job, post: Post, random: Random) -> dict[str, Any]:
    job.log(f"{job.kind} {job.payload['amount']} {job.payload['currency']} for {job.payload['order']}")
    await asyncio.sleep(random.lognormvariate(-1.2, 0.7))
    _fail(job, random)
    reference = f"pay_{random.randrange(16**10):010x}"
    job.log(f"accepted as {reference}")
    return {"reference": reference}


async def _mail(job: Job, post: Post, random: Random) -> dict[str, Any]:
    await asyncio.sleep(random.lognormvariate(-1.8, 0.6))
    _fail(job, random)
    job.log(f"{job.payload['template']} to {job.payload['to']}: 250 2.0.0 Ok")
    return {"message_id": f"<{random.randrange(16**12):012x}@mail.example.com>"}


async def _index(job: Job, post: Post, random: Random) -> dict[str, Any]:
    if "document" in job.payload:
        job.log(f"reading {job.payload['document']}, {job.payload['pages']} pages")
        await asyncio.sleep(1.0)
        os._exit(139)  # the reader of documents takes its process along, every time
    number = job.payload["products"]
    done = 0
    while done < number:
        await asyncio.sleep(random.uniform(0.1, 0.5))
        done = min(number, done + 50)
        job.progress(done / number)
        job.log(f"{done} of {number} products")
    if post.flaps and random.random() < 0.12:
        job.log("merging segments; nothing else gets a turn meanwhile", "warning")
        time.sleep(random.uniform(5, 8))  # noqa: ASYNC251 - its health is not answered, which is the point
    _fail(job, random)
    return {"indexed": number}


def _end_with_parent() -> None:
    """Nobody is left to look after this process when its standard input ends."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(prog="quarterdeck.demo.workers", description="A worker of the demo world.")
    parser.add_argument("--home", required=True, help="The demo's home.")
    parser.add_argument("--name", required=True, choices=sorted(POSTS), help="Which one.")
    given = parser.parse_args()
    _end_with_parent()
    run(worker_of(given.home, given.name, Random()))


if __name__ == "__main__":
    main()
