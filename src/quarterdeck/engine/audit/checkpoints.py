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
    descriptor = os.open(home.checkpoints, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="ascii") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(home: Home) -> Iterator[Checkpoint]:
    """Every checkpoint, oldest first. A line that cannot be read counts as not genuine."""
    try:
        lines = home.checkpoints.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return
    key = _key(home)
    for line in lines:
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
        descriptor = os.open(home.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        return key
