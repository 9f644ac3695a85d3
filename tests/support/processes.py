"""Finds what a test run started, however far it has detached itself."""

from __future__ import annotations

import os
import uuid

import psutil

MARK = "QUARTERDECK_TEST_RUN"


def mark() -> None:
    """Every process started from now on carries this run's mark in its environment."""
    os.environ[MARK] = uuid.uuid4().hex


def left_behind(patience: float = 2.0) -> list[psutil.Process]:
    """Living processes that carry the mark; one that is ending gets a moment to do so. PostgreSQL is stopped by its
    fixture before this looks."""
    wanted = os.environ[MARK]
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == wanted and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):  # ended meanwhile, or not ours to look at
            continue
    return psutil.wait_procs(found, timeout=patience)[1] if found else []


def end(processes: list[psutil.Process], *, patience: float = 5.0) -> None:
    for process in processes:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=patience)
