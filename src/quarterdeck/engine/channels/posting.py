"""One POST, over the connections and by the address rules of deliveries."""

from __future__ import annotations

import httpx

from quarterdeck import __version__
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.channels.messages import Gone
from quarterdeck.engine.core import Engine
from quarterdeck.engine.deliveries import answers
from quarterdeck.engine.deliveries.addresses import read_url
from quarterdeck.engine.deliveries.executor import UNREACHED, sender_of, unreached
from quarterdeck.engine.deliveries.sender import Answer, Headers
from quarterdeck.engine.runs.executors import Failure

_AGENT = f"Quarterdeck/{__version__}".encode()


def address(text: str, *, secret: bool = False) -> httpx.URL:
    """Raises Failure, which does not repeat an address that is a secret."""
    try:
        return read_url(text)
    except Problem as problem:
        said = "The secret of the channel is no address; it must be https://host/path." if secret else problem.detail
        raise Failure(ErrorClass.VALIDATION, "bad_url", said, retryable=True) from None


async def post(engine: Engine, url: httpx.URL, headers: Headers, body: bytes, seconds: float) -> Answer:
    """Whatever was answered within `seconds`. Raises Failure where nothing was."""
    sent = [
        (b"host", url.netloc),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"accept-encoding", b"identity"),
        (b"user-agent", _AGENT),
        *headers,
    ]
    try:
        return await sender_of(engine).send(b"POST", url, sent, body, seconds)
    except TimeoutError:
        said = f"{url.host} did not answer within {seconds:g} s."
        raise Failure(ErrorClass.NETWORK, "timed_out", said) from None
    except UNREACHED as error:
        raise unreached(error, url.host) from error


def refusal(answer: Answer, host: str, *, hopeless: tuple[int, ...] = ()) -> Failure | None:
    """None where it was taken (2xx). Everything else is tried again, but `hopeless` statuses and 410: what is wrong
    may be put right, at the other side or in the channel, before the attempts are used up."""
    found = answers.failure(answer, host)
    if found is None:
        return None
    said = found.message
    if 300 <= answer.status < 400:
        said = f"{host} answered {answer.status}; redirects are not followed, so the channel needs the final address."
    kind = Gone if answer.status == 410 else Failure
    return kind(
        found.error_class,
        found.code,
        said,
        detail=found.detail,
        retryable=answer.status != 410 and answer.status not in hopeless,
        retry_after=found.retry_after,
    )


def body_of(answer: Answer) -> str | None:
    return answers.text(answer.body) or None
