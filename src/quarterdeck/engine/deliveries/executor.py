"""Carries out the runs of http queues: one signed POST an attempt."""

from __future__ import annotations

import os
import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpcore
import httpx
from sqlalchemy import Text, func, select, type_coerce

from quarterdeck import __version__
from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.deliveries import answers, signing
from quarterdeck.engine.deliveries.addresses import networks, read_url
from quarterdeck.engine.deliveries.network import AddressRefused, Unresolved
from quarterdeck.engine.deliveries.sender import CONNECT_SECONDS, Headers, Sender
from quarterdeck.engine.runs.executors import Context, Failure

if TYPE_CHECKING:
    from quarterdeck.engine.runs.outcomes import Claimed

UNREACHED = (AddressRefused, Unresolved, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
_KEPT = type_coerce(dead_letters.c.payload, Text)
_AGENT = f"Quarterdeck/{__version__}".encode()


async def execute(engine: Engine, run: Claimed, settings: QueueSettings, context: Context) -> Any:
    """Returns `{"status", "body"?, "cut"?}`. Raises Failure."""
    try:
        url = read_url(settings.target)
    except Problem as problem:
        raise Failure(ErrorClass.VALIDATION, "bad_url", problem.detail) from problem
    body = (run.body or "null").encode()
    headers = _headers(url, run, await _message_id(engine, run), settings, body)
    seconds = run.timeout_ms / SECOND
    try:
        # A little before the attempt's own time is up, so that it is told that the receiver was silent.
        answer = await sender_of(engine).send(b"POST", url, headers, body, seconds - min(1.0, seconds / 10))
    except TimeoutError as error:
        raise Failure(ErrorClass.NETWORK, "timed_out", f"{url.host} did not answer within {seconds:g} s.") from error
    except UNREACHED as error:
        raise unreached(error, url.host) from error
    failure = answers.failure(answer, url.host)
    if failure is not None:
        raise failure
    return answers.result(answer)


def sender_of(engine: Engine) -> Sender:
    """The engine's connections, opened with its first delivery and closed with it."""

    def make() -> Sender:
        made = Sender(networks(engine.settings.engine.allowed_addresses))
        engine.finishers.append(made.close)
        return made

    return engine.keep(Sender, make)


async def tidy(engine: Engine) -> None:
    if Sender in engine.kept:
        await sender_of(engine).tidy()


async def _message_id(engine: Engine, run: Claimed) -> str:
    """The same for every attempt, and for the run that replays a dead letter with the payload that it has: a
    receiver can tell what it has had already."""
    if run.dead_letter_id is not None:
        same = (dead_letters.c.id == run.dead_letter_id, func.coalesce(_KEPT, "null") == (run.body or "null"))
        async with engine.store.read() as connection:
            row = (await connection.execute(select(dead_letters.c.run_id).where(*same))).one_or_none()
        if row is not None:
            return f"dead_letter_{run.dead_letter_id}" if row.run_id is None else f"run_{row.run_id}"
    return f"run_{run.id}"


def _headers(url: httpx.URL, run: Claimed, message_id: str, settings: QueueSettings, body: bytes) -> Headers:
    signed = signing.headers(_keys(settings), message_id, int(time.time()), body)
    return [
        (b"host", url.netloc),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"accept-encoding", b"identity"),
        (b"user-agent", _AGENT),
        *signed,
        (b"quarterdeck-kind", quote(run.kind).encode()),
        (b"quarterdeck-tenant", quote(run.tenant_id).encode()),
        (b"quarterdeck-attempt", str(run.attempt).encode()),
    ]


def _keys(settings: QueueSettings) -> list[bytes]:
    name = settings.secret_env
    if not name:
        return []
    held = os.environ.get(name)
    try:
        if held is None:
            raise signing.SecretError(f"The environment variable {name} is not set; start the engine with it.")
        return signing.read_secrets(held, name)
    except signing.SecretError as error:
        # Somebody will set it: what waits meanwhile is not lost.
        raise Failure(ErrorClass.PERMISSION, "no_secret", str(error), retryable=True) from error


def unreached(error: Exception, host: str) -> Failure:
    """For people, without what differs from one run to the next."""
    if isinstance(error, AddressRefused):
        return Failure(ErrorClass.PERMISSION, "address_refused", str(error))
    if isinstance(error, Unresolved):
        return Failure(ErrorClass.NETWORK, "no_address", str(error))
    if isinstance(error, httpcore.ConnectTimeout):
        sentence = f"{host} took no connection within {CONNECT_SECONDS:g} s."
        return Failure(ErrorClass.NETWORK, "connect_timed_out", sentence)
    cause = _cause(error)
    if isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", "") or cause.reason or "TLS failed"
        return Failure(ErrorClass.NETWORK, "tls_failed", f"No safe connection to {host}: {why}.")
    if isinstance(error, httpcore.ConnectError):
        number = getattr(cause, "errno", None)
        why = os.strerror(number) if number else str(cause) or "no reason given"
        return Failure(ErrorClass.NETWORK, "not_connected", f"{host} takes no connection: {why}.")
    if isinstance(error, httpcore.LocalProtocolError):
        return Failure(ErrorClass.VALIDATION, "bad_request", f"The request for {host} cannot be sent: {error}.")
    if isinstance(error, httpcore.RemoteProtocolError) and "without sending" not in str(error):
        return Failure(ErrorClass.NETWORK, "bad_answer", f"What {host} answered is not HTTP.", detail=str(error))
    return Failure(ErrorClass.NETWORK, "connection_lost", f"{host} closed the connection before it answered.")


def _cause(error: BaseException) -> BaseException:
    """What the system said, under the wrappings of the libraries."""
    while not isinstance(error, ssl.SSLError):
        inner = error.__cause__ or error.__context__
        if isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        if inner is None or not isinstance(inner, Exception):
            break
        error = inner
    return error
