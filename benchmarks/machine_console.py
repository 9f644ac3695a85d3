"""A cursor key in the list of dead letters while all of them are retried, beside the same key while the engine rests.

    python -m benchmarks.machine_console [--letters 100000]

From the key press on a pseudo-terminal of 80x24 to the first byte that it caused. The ratio is to stay below 2.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from benchmarks.dead_letters import AT_ONCE, CHOSEN, QUEUE, post
from benchmarks.pty import Timed
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import queues
from quarterdeck.tui.state import ConsoleState, save

BEGIN = "from quarterdeck.cli.main import main; main()"
MOST = 2.0


async def fill(home: Home, count: int) -> None:
    client = await connect(home)
    await client.call(queues.PUT, body={"handler": "worker", "exceptions": False}, queue=QUEUE)
    for first in range(0, count, AT_ONCE):
        await post(client, first, min(AT_ONCE, count - first))
    await client.close()


def keys(terminal: Timed, going_on: Callable[[], bool]) -> list[float]:
    found: list[float] = []
    while going_on():
        found.append(terminal.milliseconds_until_moved("down" if len(found) % 20 < 10 else "up"))
        time.sleep(0.03)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=100_000)
    count = parser.parse_args().letters
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as name:
        home = Home(Path(name) / "home")
        home.create()
        asyncio.run(fill(home, count))
        save(home.console_state, ConsoleState(screen="dead_letters"))
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        with Timed([sys.executable, "-c", BEGIN, "--home", str(home.path)], (80, 24), environment) as terminal:
            terminal.seconds_until(rf"dead letters[^\n]*{count:,} matching")
            terminal.settle(0.7)
            left = iter(range(100))
            idle = keys(terminal, lambda: next(left, None) is not None)
            began = time.perf_counter()
            act = ["--home", str(home.path), "dlq", "retry", "-q", CHOSEN, "--yes", "--wait"]
            bulk = subprocess.Popen(
                [sys.executable, "-c", BEGIN, *act],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            terminal.seconds_until(r"Retry #\d+", timeout=120)
            busy = keys(terminal, lambda: bulk.poll() is None)
            taken = time.perf_counter() - began
            if bulk.wait() != 0:
                raise RuntimeError(f"the retry ended with {bulk.returncode}")
        asyncio.run(stop_engine(home))
    ratio = median(busy) / median(idle)
    print(f"{count:,} dead letters retried in {taken:.1f} s, looked at meanwhile")
    print(f"  cursor key, idle       {median(idle):6.2f} ms")
    print(f"  cursor key, meanwhile  {median(busy):6.2f} ms ({len(busy)} keys, p95 {quantiles(busy, n=20)[-1]:.1f} ms)")
    print(f"  ratio                  {ratio:6.2f} (at most {MOST})")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
