"""Signed checkpoints beside the store: they remember where the chain's end was, so a cut tail shows."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from quarterdeck.config.home import Home

_LONGEST_LINE = 4_096


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain ended with entry `id` and `hash` at `at` (ms). `genuine`: the signature is ours."""

    id: int
    hash: str
    at: int
    genuine: bool


def write(home: Home, last_id: int, last_hash: str, at: int) -> None:
    """Append one checkpoint and put it on the disk."""
    line = json.dumps(
        {"id": last_id, "hash": last_hash, "at": at, "signature": _sign(_key(home), last_id, last_hash, at)}
    )
    descriptor = os.open(home.checkpoints, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = _end_of_whole_lines(descriptor)
        try:
            os.ftruncate(descriptor, end)
            _write_all(descriptor, f"{line}\n".encode("ascii"), end)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def _end_of_whole_lines(descriptor: int) -> int:
    """Where to go on. A power cut can leave a piece of a line behind the last whole one."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _LONGEST_LINE, max(0, size - _LONGEST_LINE))
    return size - (len(tail) - (tail.rfind(b"\n") + 1))


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, at)
        data, at = data[written:], at + written


def read(home: Home) -> Iterator[Checkpoint]:
    """Every checkpoint, oldest first. A whole line that cannot be read counts as not genuine."""
    try:
        text = home.checkpoints.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return
    key = _key(home)
    for line in text.split("\n")[:-1]:
        try:
            value = json.loads(line)
            last_id, digest, at = int(value["id"]), str(value["hash"]), int(value["at"])
            genuine = hmac.compare_digest(str(value["signature"]), _sign(key, last_id, digest, at))
            yield Checkpoint(last_id, digest, at, genuine)
        except (ValueError, KeyError, TypeError):
            yield Checkpoint(0, "", 0, False)


def _sign(key: bytes, last_id: int, last_hash: str, at: int) -> str:
    return hmac.new(key, f"{last_id}\n{last_hash}\n{at}".encode(), hashlib.sha256).hexdigest()


def _key(home: Home) -> bytes:
    """Made at the first use, readable by the owner only."""
    try:
        return home.key.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        new = home.key.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        new.rename(home.key)
        return key
