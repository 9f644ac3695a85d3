"""The console beside a bare Textual app with a DataTable of 200 rows, both through a pseudo-terminal.

    python -m benchmarks.console [--items 1000000] [--size 80x24] [--starts 5] [--table-only] [--no-cold] [--no-busy]

`table` is the WindowTable alone on a list that is made as it is read; `console` is `qd` on a store of that
many items with its engine running. Needs pyte.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.pty import Timed

APPS = Path(__file__).parent / "apps"
# 256 colours, as over most SSH connections. Compiled modules are used, as in every installation.
SURROUNDINGS = {
    **{k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "COLORTERM", "COLUMNS", "LINES")},
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
}


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    ready: str
    first: str = ""  # the painted screen before that
    word: str = ""  # what is said on the bare terminal before there is a screen
    all_key: str = "A"


@dataclass
class Measured:
    first: float
    ready: float
    key_ms: float
    key_bytes: float
    held_bytes: float
    end_ms: float | None
    all_ms: float | None
    idle_bytes: int
    mib: float


def run(program: Program, size: tuple[int, int], environment: dict[str, str]) -> Timed:
    return Timed(program.command, size, environment)


def starts(
    programs: Sequence[Program], size: tuple[int, int], times: int, environment: dict[str, str]
) -> dict[str, tuple[float, float]]:
    """name -> median seconds to the first useful screen and to live rows; in turns, so that noise hits all."""
    seen: dict[str, list[tuple[float, float]]] = {program.name: [] for program in programs}
    for turn in range(times + 1):
        for program in programs:
            with run(program, size, environment) as terminal:
                first = terminal.seconds_until(program.first or program.ready)
                ready = terminal.seconds_until(program.ready)
            if turn:  # the first one compiles and warms the caches
                seen[program.name].append((first, ready))
    return {name: (median(f for f, _ in found), median(r for _, r in found)) for name, found in seen.items()}


def measure(
    program: Program, size: tuple[int, int], start: tuple[float, float], environment: dict[str, str]
) -> Measured:
    with run(program, size, environment) as terminal:
        terminal.seconds_until(program.ready)
        terminal.settle(0.7)
        idle = terminal.bytes_in(3)
        keys = [terminal.press(key, 10) for key in ("down", "up") * 3]  # within the screen
        held = terminal.press("down", 200)
        end = all_ = None
        if program.all_key:
            end = answered(terminal, "end", undo="home")
            all_ = answered(terminal, program.all_key, undo="esc")
        return Measured(
            *start,
            median(ms for answers in keys for ms in answers.last_ms),
            median(size for answers in keys for size in answers.sizes),
            held.mean_bytes,
            end,
            all_,
            idle,
            terminal.peak_mib(),
        )


def answered(terminal: Timed, key: str, undo: str, times: int = 5) -> float:
    """Median milliseconds until the first byte of the answer; `undo` puts things back in between."""
    found = []
    for _ in range(times):
        terminal.press(undo)
        terminal.settle(0.3)  # a terminal's Esc and a key soon after it would be one key
        found += terminal.press(key).first_ms
        terminal.settle(0.3)
    return median(found)


ROWS: tuple[tuple[str, str, Callable[[Measured], float | None], float | None, float | None], ...] = (
    # words, format, value, most as a ratio to the baseline, most in itself
    ("first useful screen, s", ".3f", lambda m: m.first, 1.3, None),
    ("live rows, s", ".3f", lambda m: m.ready, 1.3, None),
    ("cursor key, ms", ".2f", lambda m: m.key_ms, 1.0, None),
    ("cursor key, bytes", ".0f", lambda m: m.key_bytes, None, 400),
    ("held down, bytes a key", ".0f", lambda m: m.held_bytes, None, 900),
    ("End, ms to the answer", ".1f", lambda m: m.end_ms, None, 50),
    ("A, ms to the answer", ".1f", lambda m: m.all_ms, None, 50),
    ("memory, MiB", ".1f", lambda m: m.mib, 1.5, None),
    ("idle for 3 s, bytes", ".0f", lambda m: m.idle_bytes, None, None),
)


def report(size: tuple[int, int], results: dict[str, Measured]) -> bool:
    """Print ours beside the baseline; returns whether every figure holds (bytes are judged at 80x24)."""
    print(f"\n{size[0]}x{size[1]:<24}" + "".join(f"{name:>14}" for name in results) + "   limit")
    good = True
    for words, form, value, ratio, most in ROWS:
        cells, broken = [], False
        base = value(results["baseline"])
        for name, measured in results.items():
            found = value(measured)
            cells.append("-" if found is None else format(found, form))
            if name != "baseline" and found is not None:
                limit = ratio * base if ratio and base else most
                judged = "bytes" not in words or size == (80, 24)
                broken |= bool(limit and found > limit and judged)
        limit_text = f"{ratio}x" if ratio else str(most or "")
        print(
            f"{words:<30}" + "".join(f"{cell:>14}" for cell in cells) + f"   {limit_text}{'  OVER' if broken else ''}"
        )
        good &= not broken
    return good


def programs(options: Any, home: Path | None) -> list[Program]:
    python = sys.executable
    found = [
        Program("baseline", [python, str(APPS / "datatable.py")], "Ticket 5", all_key=""),
        Program("table", [python, str(APPS / "window_table.py"), str(options.items)], "Ticket 5"),
    ]
    if home is not None:
        begin = "from quarterdeck.cli.main import main; main()"
        command = [python, "-c", begin, "--home", str(home)]
        found.append(Program("console", command, "about order", "› support_tasks", "Starting the engine"))
    return found


def cold(program: Program, baseline: tuple[float, float], home: Path, times: int, environment: dict[str, str]) -> bool:
    """The engine does not run yet: something useful soon, rows a little later."""
    from quarterdeck.client.local import stop_engine
    from quarterdeck.config.home import Home

    words, firsts, readies = [], [], []
    for _ in range(times):
        asyncio.run(stop_engine(Home(home)))
        with run(program, (80, 24), environment) as terminal:
            words.append(terminal.seconds_until(program.word))
            firsts.append(terminal.seconds_until(program.first or program.ready))
            readies.append(terminal.seconds_until(program.ready))
    first, ready = median(firsts), median(readies)
    print(f"\nengine cold: a word on the terminal {median(words):.3f} s")
    print(f"             first useful screen {first:.3f} s = {first / baseline[1]:.2f}x the baseline (1.3)")
    print(f"             live rows           {ready:.3f} s = {ready / baseline[1]:.2f}x the baseline (4)")
    return first <= 1.3 * baseline[1] and ready <= 4 * baseline[1]


def busy(program: Program, home: Path, environment: dict[str, str]) -> bool:
    """A cursor key while the engine acts on everything, beside the same key while it rests."""
    begin = "from quarterdeck.cli.main import main; main()"
    act = ["--home", str(home), "bulk", "run", "support_tasks", "set-category", "-q", "", "--set"]

    def pressed(terminal: Timed, going_on: Callable[[], bool]) -> list[float]:
        found: list[float] = []
        while going_on():
            found.append(terminal.milliseconds_until_moved("down" if len(found) % 20 < 10 else "up"))
            time.sleep(0.03)
        return found

    with run(program, (80, 24), environment) as terminal:
        terminal.seconds_until(program.ready)
        terminal.settle(0.7)
        left = iter(range(100))
        idle = pressed(terminal, lambda: next(left, None) is not None)
        command = [sys.executable, "-c", begin, *act, f"category=bench-{int(time.time())}", "--yes", "--wait"]
        bulk = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        terminal.seconds_until(r"\d+%|of 1,000,000|bulk|set-category", timeout=120)
        meanwhile = pressed(terminal, lambda: bulk.poll() is None and len(idle) < 10_000)
        if bulk.wait() != 0:
            raise RuntimeError(f"the bulk operation ended with {bulk.returncode}")
    ratio = median(meanwhile) / median(idle)
    print(f"\ncursor key during a bulk over everything: {median(meanwhile):.2f} ms ({len(meanwhile)} keys),")
    print(f"  idle {median(idle):.2f} ms: {ratio:.2f}x (2)")
    return ratio <= 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--size", action="append", help="columns x lines; may be given again")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--table-only", action="store_true", help="without the real console and its engine")
    parser.add_argument("--no-cold", action="store_true", help="without starts of the engine")
    parser.add_argument("--no-busy", action="store_true", help="without the keys during a bulk operation")
    parser.add_argument("--folder", type=Path, help="where the store is kept for the next run")
    options = parser.parse_args()
    sizes = [tuple(map(int, text.split("x"))) for text in options.size or ("80x24", "120x40")]
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as temporary:
        environment = {**SURROUNDINGS, "PYTHONPYCACHEPREFIX": f"{temporary}/compiled"}
        home = None
        if not options.table_only:
            from benchmarks.world import make

            home = make(options.folder or Path(temporary) / "home", options.items).path
        candidates = programs(options, home)
        good = True
        try:
            for columns, lines in sizes:
                size = (columns, lines)
                begun = starts(candidates, size, options.starts, environment)
                results = {p.name: measure(p, size, begun[p.name], environment) for p in candidates}
                good &= report(size, results)
            if home is not None and not options.no_cold:
                good &= cold(candidates[-1], begun["baseline"], home, options.starts, environment)
            if home is not None and not options.no_busy:
                good &= busy(candidates[-1], home, environment)
        finally:
            if home is not None:
                from quarterdeck.client.local import stop_engine
                from quarterdeck.config.home import Home

                asyncio.run(stop_engine(Home(home)))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
