"""How an attempt ended, as whoever held it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quarterdeck.contract.enums import ErrorClass

# Not frozen, here and below: there are many of them, and freezing makes each four times as slow to make.

LONGEST_RESULT = 16 * 1024  # characters
LONGEST_DETAIL = 16 * 1024
LONGEST_MESSAGE = 10_000
LONGEST_CODE = 200


@dataclass(slots=True)
class Held:
    """(`id`, `attempt`, `token`) is the proof that a run is still ours."""

    id: int
    attempt: int
    token: str


@dataclass(slots=True)
class Completed(Held):
    """`result` is JSON text, see `as_result`."""

    result: str | None = None


@dataclass(slots=True)
class Failed(Held):
    """`retryable` and `retry_after` (seconds) override what the class says."""

    error_class: ErrorClass
    code: str
    message: str
    detail: str | None = None
    retryable: bool | None = None
    retry_after: float | None = None


@dataclass(slots=True)
class GivenBack(Held):
    """The attempt does not count. It may start again at once, or at `until` (ms)."""

    until: int | None = None


@dataclass(slots=True)
class Cancelled(Held):
    """The holder has stopped, because it was told to."""


@dataclass(slots=True)
class Lost(Held):
    """Who had it died or fell silent. `suspect`: the run itself may be why."""

    suspect: bool = True


Outcome = Completed | Failed | GivenBack | Cancelled | Lost


@dataclass
class Claimed:
    """A run that is ours until `lease_until` (ms). `body` is its payload as JSON text, None for null."""

    id: int
    queue: str
    kind: str
    tenant_id: str
    body: str | None
    attempt: int
    max_attempts: int
    lease_token: str
    lease_until: int
    timeout_ms: int
    lost: int
    operation_id: int | None
    dead_letter_id: int | None

    @cached_property
    def payload(self) -> Any:
        return None if self.body is None else json.loads(self.body)

    @property
    def held(self) -> tuple[int, int, str]:
        return self.id, self.attempt, self.lease_token


def as_result(value: Any) -> str | None:
    """JSON text of at most 16 KiB; what is longer is kept as the beginning of that text.

    Raises TypeError or ValueError for what JSON cannot hold.
    """
    if value is None:
        return None
    said = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return said if len(said) <= LONGEST_RESULT else json.dumps(said[: LONGEST_RESULT - 200] + " …")


def clean(text: str | None, longest: int) -> str | None:
    """What a store takes: no U+0000, no half characters, not too long."""
    if text is None:
        return None
    text = text.replace("\0", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= longest else text[: longest - 2] + " …"
