"""Work with an effect outside the store: a line in a file. As a python handler, and as a worker outside.

python -m benchmarks.appender HOME NAME
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any


async def append(job: Any) -> None:
    """One line, in one write; then a moment in which the process can die inside the handler."""
    line = f"{job.id} {job.attempt}\n".encode()
    file = os.open(job.payload["file"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
    await asyncio.sleep(job.payload["seconds"])


def main() -> None:
    from quarterdeck.worker import Worker, run

    worker = Worker("outside", name=sys.argv[2], home=sys.argv[1], concurrency=20, lease_seconds=5)
    worker.handles()(append)
    run(worker)


if __name__ == "__main__":
    main()
