"""Deliveries to receivers that take them, refuse them, and misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpcore
import pytest
from standardwebhooks import Webhook

from quarterdeck.config.settings import EngineSettings, Settings
from quarterdeck.contract.enums import ErrorClass, HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.core import Engine
from quarterdeck.engine.deliveries import answers, executor
from quarterdeck.engine.deliveries.addresses import Address, networks, read_url
from quarterdeck.engine.deliveries.sender import KEPT_BYTES, Answer, Sender
from quarterdeck.engine.runs.executors import Failure
from tests.support.hostile import HOSTILE
from tests.support.sinks import Received, always, reset, sink

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = networks(["127.0.0.0/8"])


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """One that may call receivers on this machine."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    settings = Settings(engine=EngineSettings(allowed_addresses=["127.0.0.1/32"]))
    store = SimpleNamespace(dialect=SimpleNamespace())  # a delivery asks no store
    made = Engine(settings, cast(Any, None), cast(Any, store), *cast(Any, [None] * 3))
    yield made
    for finish in made.finishers:
        await finish()


def names(table: dict[str, Sequence[str]]) -> Any:
    """A resolver for tests; each look-up of a name takes the next of its answers, the last one again and again."""
    left = {name: list(found) for name, found in table.items()}

    async def resolve(host: str, port: int) -> list[Address]:
        found = left[host]
        return [ip_address(each) for each in (found.pop(0) if len(found) > 1 else found[0]).split()]

    return resolve


def use(engine: Engine, sender: Sender) -> None:
    engine.kept[Sender] = sender
    engine.finishers.append(sender.close)


async def deliver(engine: Engine, url: str, payload: Any = None, *, number: int = 7, **settings: Any) -> Any:
    body = None if payload is None else json.dumps(payload)
    chosen = QueueSettings(handler=HandlerKind.HTTP, target=url, **settings)
    run = SimpleNamespace(id=number, kind="refund.send", tenant_id="acme", body=body, attempt=2, dead_letter_id=None)
    run.timeout_ms = round(chosen.timeout_seconds * 1_000)
    return await executor.execute(engine, cast(Any, run), chosen, cast(Any, None))


async def failed(engine: Engine, url: str, **settings: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await deliver(engine, url, **settings)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


async def test_a_delivery_is_posted_signed_and_its_answer_kept(engine: Engine) -> None:
    async with sink(always(201, b'{"ok": true}')) as made:
        found = await deliver(engine, made.url("/hook?x=1"), {"order": 4}, secret_env="HOOK_SECRET")
    assert found == {"status": 201, "body": '{"ok": true}'}
    (request,) = made.received
    assert (request.method, request.target) == ("POST", "/hook?x=1")
    assert json.loads(request.body) == {"order": 4}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{made.port}"
    assert request.headers["webhook-id"] == "run_7"
    assert request.headers["quarterdeck-kind"] == "refund.send"
    assert Webhook(SECRET).verify(request.body, request.headers) == {"order": 4}


async def test_the_id_stays_over_retries_and_a_queue_without_a_secret_does_not_sign(engine: Engine) -> None:
    async with sink() as made:
        await deliver(engine, made.url())
        await deliver(engine, made.url())
    assert [each.headers["webhook-id"] for each in made.received] == ["run_7", "run_7"]
    assert not any("webhook-signature" in each.headers for each in made.received)


async def test_a_connection_is_used_again(engine: Engine) -> None:
    async with sink(always(200, b"x" * 50_000)) as made:
        for _ in range(5):
            await deliver(engine, made.url())
    assert (len(made.received), made.connections) == (5, 1)


@pytest.mark.parametrize("text", [text for _, text in HOSTILE])
async def test_whatever_a_payload_holds_arrives_as_it_was(engine: Engine, text: str) -> None:
    async with sink() as made:
        await deliver(engine, made.url(), {text: [text, {"deep": [[[text]]]}]}, secret_env="HOOK_SECRET")
    assert Webhook(SECRET).verify(made.received[0].body, made.received[0].headers) == {
        text: [text, {"deep": [[[text]]]}]
    }


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, ErrorClass.VALIDATION, False), (401, ErrorClass.PERMISSION, False), (403, ErrorClass.PERMISSION, False),
        (404, ErrorClass.VALIDATION, False), (408, ErrorClass.NETWORK, True), (410, ErrorClass.VALIDATION, False),
        (422, ErrorClass.VALIDATION, False), (425, ErrorClass.NETWORK, True), (429, ErrorClass.RATE_LIMIT, True),
        (500, ErrorClass.UNKNOWN, True), (502, ErrorClass.NETWORK, True), (503, ErrorClass.NETWORK, True),
        (504, ErrorClass.NETWORK, True), (599, ErrorClass.UNKNOWN, True),
    ],
)  # fmt: skip
async def test_each_status_has_its_class(engine: Engine, status: int, kind: ErrorClass, retryable: bool) -> None:
    async with sink(always(status, b"because", retry_after="17")) as made:
        failure = await failed(engine, made.url())
    assert (failure.code, failure.error_class) == (f"http_{status}", kind)
    assert failure.detail == "because"
    assert failure.retry_after == 17
    assert (kind.retryable if failure.retryable is None else failure.retryable) is retryable


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("0", 0), ("120", 120), ("9" * 400, answers.LONGEST_WAIT), ("-1", None), ("soon", None),
     ("1.5", None), ("²", None), ("Fri, 31 Dec 1999 23:59:59 GMT", 0), ("Fri, 99 Dec", None), ("", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert answers.retry_after(value, datetime.now(UTC)) == seconds


def test_retry_after_as_a_date_to_come() -> None:
    now = datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert answers.retry_after(format_datetime(now + timedelta(seconds=90), usegmt=True), now) == 90


@pytest.mark.parametrize(("status", "again"), [(301, False), (302, True), (303, True), (307, True), (308, False)])
async def test_a_redirect_inside_is_a_failure_and_not_followed(engine: Engine, status: int, again: bool) -> None:
    async with sink() as inside:
        async with sink(always(status, location=inside.url("/latest/meta-data"))) as made:
            failure = await failed(engine, made.url())
        assert inside.received == []
    assert failure.retryable is again
    assert "redirects are not followed" in failure.message
    assert "/latest/meta-data" in (failure.detail or "")


# ----- addresses


async def test_an_inside_address_is_not_even_connected_to(engine: Engine) -> None:
    async with sink(host="127.0.0.2") as made:
        failure = await failed(engine, made.url(host="127.0.0.2"))
    assert (failure.code, failure.error_class) == ("address_refused", ErrorClass.PERMISSION)
    assert made.connections == 0


async def test_a_name_that_changes_between_look_up_and_connect_gains_nothing(engine: Engine) -> None:
    """First it leads where deliveries may go, from then on inside."""
    async with sink(host="127.0.0.1") as outside, sink(host="127.0.0.1") as inside:
        resolver = names({"hook.example": ["127.0.0.1", "127.0.0.9"]})
        use(engine, Sender(networks(["127.0.0.1/32"]), resolver))
        url = f"http://hook.example:{outside.port}/hook"
        await deliver(engine, url)
        await deliver(engine, url)  # on the connection that was checked
        (first, second) = outside.received
        assert first.headers["host"] == second.headers["host"] == f"hook.example:{outside.port}"
        failure = await failed(engine, f"http://hook.example:{inside.port}/hook")
        assert (failure.code, inside.connections) == ("address_refused", 0)
        assert "hook.example is loopback" in failure.message


async def test_only_the_addresses_that_are_allowed_are_tried(engine: Engine) -> None:
    resolver = names({"hook.example": ["10.0.0.1 127.0.0.2 127.0.0.1"], "none.example": [""]})
    async with sink() as made:
        use(engine, Sender(LOOPBACK, resolver))  # nobody listens at 127.0.0.2
        assert await deliver(engine, f"http://hook.example:{made.port}/") == {"status": 200}
    assert (await failed(engine, "http://none.example/")).code == "no_address"


async def test_a_name_that_nobody_knows_is_tried_again_later(engine: Engine) -> None:
    failure = await failed(engine, "http://nothing.invalid/")
    assert (failure.code, failure.error_class) == ("no_address", ErrorClass.NETWORK)


# ----- receivers that misbehave


async def test_a_port_where_nobody_listens(engine: Engine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        failure = await failed(engine, f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (failure.code, failure.error_class) == ("not_connected", ErrorClass.NETWORK)
    assert "refused" in failure.message.lower()


async def test_a_receiver_that_never_answers_costs_its_time_and_no_more(engine: Engine) -> None:
    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with sink(hang) as made:
        failure = await failed(engine, made.url(), timeout_seconds=0.2)
    assert (failure.code, failure.error_class) == ("timed_out", ErrorClass.NETWORK)
    assert "within 0.2 s" in failure.message


async def test_a_receiver_that_takes_no_connection(engine: Engine) -> None:
    async def hang(host: str, port: int) -> list[Address]:
        await asyncio.Event().wait()
        raise AssertionError

    use(engine, Sender(LOOPBACK, hang))
    failure = await failed(engine, "http://hook.example/", timeout_seconds=0.1)
    assert failure.error_class is ErrorClass.NETWORK


async def test_a_connection_that_is_reset(engine: Engine) -> None:
    async with sink(reset) as made:
        failure = await failed(engine, made.url())
    assert (failure.code, failure.error_class) == ("connection_lost", ErrorClass.NETWORK)


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 banana\r\n\r\n", b"\0" * 200, b"A" * 300_000])
async def test_a_receiver_that_does_not_speak_http(engine: Engine, said: bytes) -> None:
    async def odd(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with sink(odd) as made:
        failure = await failed(engine, made.url())
    assert failure.code in ("bad_answer", "connection_lost")
    assert failure.error_class is ErrorClass.NETWORK


async def test_of_a_huge_answer_only_the_beginning_is_read(engine: Engine) -> None:
    sent = 0

    async def flood(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            sent += 65_536

    async with sink(flood) as made:
        found = await deliver(engine, made.url())
    assert found["status"] == 200
    assert found["cut"] is True
    assert len(json.dumps(found)) <= KEPT_BYTES
    assert sent < 16_000_000  # what fits into the buffers of both sides


@pytest.mark.parametrize("body", [b"\0" * 16_384, "😀".encode() * 4_096, b"\xff" * 16_384, b'"' * 16_384])
def test_what_is_kept_of_an_answer_fits_whatever_it_is(body: bytes) -> None:
    found = answers.result(Answer(200, {}, body, False))
    assert len(json.dumps(found)) <= KEPT_BYTES
    assert "\0" not in found["body"]
    assert found["cut"] is True


async def test_a_delivery_was_taken_once_the_receiver_has_said_so(engine: Engine) -> None:
    """Whatever becomes of the rest of its answer."""

    async def break_off(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")

    async with sink(break_off) as made:
        assert await deliver(engine, made.url()) == {"status": 200, "body": "half", "cut": True}


async def test_a_slow_receiver_keeps_nobody_else_waiting(engine: Engine) -> None:
    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with sink(hang) as slow, sink() as quick:
        stuck = [asyncio.create_task(deliver(engine, slow.url())) for _ in range(50)]
        for _ in range(20):
            assert await asyncio.wait_for(deliver(engine, quick.url()), 5) == {"status": 200}
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


# ----- what somebody has to set right first


async def test_a_secret_that_is_not_there_or_is_none_waits_for_somebody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sink() as made:
        failure = await failed(engine, made.url(), secret_env="NOT_THERE")
        assert "NOT_THERE is not set" in failure.message
        monkeypatch.setenv("NOT_THERE", "whsec_hunter2")
        worse = await failed(engine, made.url(), secret_env="NOT_THERE")
        assert "hunter2" not in worse.message
    assert made.received == []
    for each in (failure, worse):
        assert (each.code, each.error_class, each.retryable) == ("no_secret", ErrorClass.PERMISSION, True)


async def test_a_target_that_is_no_url_fails_for_good(engine: Engine) -> None:
    failure = await failed(engine, "refunds-api")
    assert (failure.code, failure.error_class) == ("bad_url", ErrorClass.VALIDATION)


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=hook"
    command += " -addext subjectAltName=DNS:hook.example"
    subprocess.run(command.split(), check=True, capture_output=True)  # noqa: ASYNC221
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    resolver = names({"hook.example": ["127.0.0.1"]})
    async with sink(tls=context) as made:
        use(engine, Sender(LOOPBACK, resolver))
        url = made.url(host="hook.example", scheme="https")
        failure = await failed(engine, url)
        assert (failure.code, failure.error_class) == ("tls_failed", ErrorClass.NETWORK)
        assert "certificate" in failure.message
        # Once the machine trusts it, the name decides, not the address it leads to.
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = Sender(LOOPBACK, resolver)
        try:
            answer = await trusting.send(b"POST", read_url(url), [(b"host", b"hook.example")], b"", 5)
            assert answer.status == 200
        finally:
            await trusting.close()


async def test_connections_of_a_former_target_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    from quarterdeck.engine.deliveries import sender

    made = Sender(LOOPBACK)
    async with sink() as receiver:
        await made.send(b"POST", read_url(receiver.url()), [(b"host", b"x")], b"", 5)
        await made.tidy()
        (pool,) = (each.connections for each in made._pools.values())
        monkeypatch.setattr(sender, "_UNUSED_SECONDS", -1.0)
        await made.tidy()
    assert pool.connections == []
    assert isinstance(pool, httpcore.AsyncConnectionPool)
