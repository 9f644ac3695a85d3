"""What an answer means: done, or which kind of failure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from quarterdeck.contract.enums import ErrorClass
from quarterdeck.engine.deliveries.sender import KEPT_BYTES, Answer
from quarterdeck.engine.runs.executors import Failure

LONGEST_WAIT = 604_800.0  # seconds: what a receiver may ask for

_CLASSES = {
    401: ErrorClass.PERMISSION,
    403: ErrorClass.PERMISSION,
    407: ErrorClass.PERMISSION,
    408: ErrorClass.NETWORK,
    425: ErrorClass.NETWORK,
    429: ErrorClass.RATE_LIMIT,
    502: ErrorClass.NETWORK,
    503: ErrorClass.NETWORK,
    504: ErrorClass.NETWORK,
}
# They mean what they say: the same request will be sent there for ever.
_MOVED_FOR_GOOD = (301, 308)


def result(answer: Answer) -> dict[str, Any]:
    """What a run keeps of its delivery, as JSON at most KEPT_BYTES long."""
    found: dict[str, Any] = {"status": answer.status}
    if answer.body:
        said = text(answer.body)
        body = _shortened(said)
        found["body"] = body
        if answer.cut or len(body) < len(said):
            found["cut"] = True
    return found


def failure(answer: Answer, host: str, now: datetime | None = None) -> Failure | None:
    """None where the delivery was taken (2xx)."""
    status = answer.status
    if 200 <= status < 300:
        return None
    said = f"{host} answered {status}{_phrase(status)}"
    retryable: bool | None = None
    if 300 <= status < 400:
        kind = ErrorClass.VALIDATION
        retryable = status not in _MOVED_FOR_GOOD
        said += "; redirects are not followed, so the queue needs the final address"
    elif status in _CLASSES:
        kind = _CLASSES[status]
    else:
        kind = ErrorClass.VALIDATION if 400 <= status < 500 else ErrorClass.UNKNOWN
    return Failure(
        kind,
        f"http_{status}",
        said + ".",
        detail=_detail(answer),
        retryable=retryable,
        retry_after=retry_after(answer.headers.get("retry-after"), now or datetime.now(UTC)),
    )


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds, from seconds or an HTTP date (RFC 9110, 10.2.3); None for anything else."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


def text(body: bytes) -> str:
    """Whatever came, as text that a store can keep."""
    return body.decode("utf-8", "replace").replace("\0", "\ufffd")


def _detail(answer: Answer) -> str | None:
    location = answer.headers.get("location")
    parts = [f"Location: {location[:2_000]}"] if location and 300 <= answer.status < 400 else []
    if answer.body:
        parts.append(text(answer.body))
    return "\n\n".join(parts).replace("\0", "\ufffd") or None


def _shortened(said: str) -> str:
    """So that it fits once it is written as JSON, where one character can take twelve."""
    room = KEPT_BYTES - 100
    while (size := len(json.dumps(said))) > room:
        said = said[: min(len(said) - 1, len(said) * room // size)]
    return said


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
