"""Mail that arrives at a real server, safely, with nothing in it that obeys whoever wrote the alert."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from quarterdeck.contract.enums import NotificationState
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from tests.engine.channels import world
from tests.support.desk import refused

PASSWORD = "correct horse battery"


@dataclass
class Office:
    """A mail server on loopback."""

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    answer: str = "250 OK"
    safe: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        self.safe.append(session.ssl is not None)
        if self.answer.startswith("250"):
            self.taken.append(envelope)
        return self.answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def message(self) -> Any:
        content = self.taken[-1].content
        assert isinstance(content, bytes)
        return email.message_from_bytes(content, policy=email.policy.default)


@asynccontextmanager
async def office(
    context: ssl.SSLContext | None = None, *, from_the_start: bool = False, **options: Any
) -> AsyncIterator[Office]:
    """`from_the_start`: TLS is spoken before the first word, not after STARTTLS."""
    made = Office()
    loop = asyncio.get_running_loop()

    sessions: list[Any] = []

    def session() -> SMTP:
        sessions.append(
            SMTP(
                made,
                tls_context=None if from_the_start else context,
                authenticator=made.authenticate,
                loop=loop,
                hostname="office.test",
                **options,
            )
        )
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if from_the_start else None)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for each in sessions:
            for transport in (each.transport, each._original_transport):
                if transport is not None:
                    transport.abort()
        await server.wait_closed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both


@pytest.fixture
def safe(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side, whose certificate this machine trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return context


@pytest.fixture
def home(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv(world.ENV, PASSWORD)
    return world.at_home(engine)


def settings(port: int, **values: Any) -> dict[str, Any]:
    usual = {"kind": "email", "host": "127.0.0.1", "port": port, "sender": "qd@example.org", "to": ["ops@example.org"]}
    return {**usual, **values}


async def test_a_mail_arrives_over_starttls_with_a_login(home: Engine, safe: ssl.SSLContext) -> None:
    async with office(safe, require_starttls=True, auth_required=True) as made:
        await world.make(home, settings=settings(made.port, username="qd"), secret_env=world.ENV)
        (number,) = await world.send(home)
        assert await world.work_off(home) == 1
        assert (await world.status(home, number)).state is NotificationState.DELIVERED
    assert made.safe == [True]
    assert made.logins == [(b"qd", PASSWORD.encode())]
    assert made.taken[0].rcpt_tos == ["ops@example.org"]
    message = made.message()
    assert message["subject"] == "[critical] Dead letters"
    assert message["message-id"].startswith(f"<notification_{number}.")
    assert message["auto-submitted"] == "auto-generated"
    assert "queue: mail" in message.get_body(("plain",)).get_content()


async def test_a_mail_arrives_over_tls_from_the_start(home: Engine, safe: ssl.SSLContext) -> None:
    async with office(safe, from_the_start=True, auth_require_tls=False) as made:
        await world.make(home, settings=settings(made.port, security="tls", username="qd"), secret_env=world.ENV)
        (number,) = await world.send(home)
        await world.work_off(home)
        assert (await world.status(home, number)).state is NotificationState.DELIVERED
    assert made.logins == [(b"qd", PASSWORD.encode())]
    assert made.message()["subject"] == "[critical] Dead letters"


async def test_nothing_is_said_to_a_server_that_is_not_safe(home: Engine) -> None:
    async with office() as made:
        await world.make(home, settings=settings(made.port, username="qd"), secret_env=world.ENV)
        (number,) = await world.send(home)
        await world.work_off(home)
        found = await world.status(home, number)
    assert (found.state, found.error_code) == (NotificationState.PENDING, "not_safe")
    assert (made.taken, made.logins) == ([], [])


async def test_a_certificate_that_nobody_trusts_ends_it(home: Engine, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with office(context) as made:
        await world.make(home, settings=settings(made.port, username="qd"), secret_env=world.ENV)
        (number,) = await world.send(home)
        await world.work_off(home)
        found = await world.status(home, number)
    assert found.error_code in ("tls_failed", "not_connected")
    assert (made.taken, made.logins) == ([], [])


async def test_hostile_texts_begin_no_header_and_are_no_mark_up(home: Engine) -> None:
    evil = "<script>alert(1)</script>\r\nBcc: thief@example.org\r\n\r\n\x1b]52;c;x\x07 \u202e & \"'"
    alert = {"labels": {"queue\r\nX-Evil": evil}, "annotations": {}, "value": evil, "starts_at": 10**30}
    async with office() as made:
        await world.make(home, settings=settings(made.port, security="none"))
        await world.send(
            home, title=evil, url="javascript:alert(1)\r\nBcc: x@y.z", alerts=(alert,), severity="bad\r\nX: y"
        )
        assert await world.work_off(home) == 1
    message = made.message()
    assert made.taken[0].rcpt_tos == ["ops@example.org"]
    assert set(message.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "X-Peer", "X-MailFrom", "X-RcptTo",
    } - ({"X-Peer", "X-MailFrom", "X-RcptTo"} - set(message.keys()))  # fmt: skip
    assert "thief" in message["subject"]
    page, text = message.get_body(("html",)).get_content(), message.get_body(("plain",)).get_content()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "href" not in page
    for part in (page, text, message["subject"]):
        assert not any(bad in part for bad in ("\x1b", "\x07", "\u202e"))


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [("451 later", NotificationState.PENDING, "smtp_451"), ("550 never", NotificationState.FAILED, "smtp_550")],
)
async def test_what_a_server_refuses_for_good_is_a_dead_letter(
    home: Engine, answer: str, state: NotificationState, code: str
) -> None:
    async with office() as made:
        made.answer = answer
        await world.make(home, settings=settings(made.port, security="none"))
        (number,) = await world.send(home)
        await world.work_off(home)
    found = await world.status(home, number)
    assert (found.state, found.error_code) == (state, code)


async def test_a_wrong_password_is_told_without_it(home: Engine, safe: ssl.SSLContext, monkeypatch: Any) -> None:
    monkeypatch.setenv(world.ENV, "a wrong password")
    async with office(safe) as made:
        channel = await world.make(home, settings=settings(made.port, username="qd"), secret_env=world.ENV)
        said = await world.verify(home, channel)
    assert (said.delivered, said.code) == (False, "smtp_535")
    assert "a wrong password" not in await world.everything(home) + str(said)


async def test_nobody_there(home: Engine) -> None:
    async with office() as made:
        pass
    channel = await world.make(home, settings=settings(made.port, security="none"))
    said = await world.verify(home, channel)
    assert said.code == "not_connected"


async def test_a_server_inside_is_not_called(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("127.0.0.1", "localhost", "10.0.0.1", "::1", "0x7f.1"):
        with refused(Code.ADDRESS_REFUSED):
            await world.make(engine, settings=settings(25, host=host, security="none"))
    # A name that leads inside is found out when it is used.
    monkeypatch.setattr("quarterdeck.engine.channels.mail.resolve", _inside)
    channel = await world.make(engine, settings=settings(25, host="mail.example.org", security="none"))
    assert (await world.verify(engine, channel)).code == "address_refused"


async def _inside(host: str, port: int) -> list[Any]:
    from ipaddress import ip_address

    return [ip_address("169.254.169.254")]
