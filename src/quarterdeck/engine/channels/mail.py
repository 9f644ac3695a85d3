"""Mail over SMTP, to an address that was looked up once and checked."""

from __future__ import annotations

import asyncio
import contextlib
import html
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import format_datetime
from typing import Any

import aiosmtplib

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import ErrorClass, MailSecurity
from quarterdeck.engine.channels.messages import MOST_SHOWN, Message, Told, lines_of
from quarterdeck.engine.channels.words import one_line, plain
from quarterdeck.engine.core import Engine
from quarterdeck.engine.deliveries.addresses import literal, networks, refusal, why_refused
from quarterdeck.engine.deliveries.network import Unresolved, resolve
from quarterdeck.engine.runs.executors import Failure


async def send(engine: Engine, settings: dict[str, Any], secret: str | None, message: Message, seconds: float) -> Told:
    """Raises Failure."""
    host, port = settings["host"], int(settings["port"])
    try:
        async with asyncio.timeout(seconds):
            return await _send(engine, settings, secret, message, seconds)
    except TimeoutError:
        raise Failure(ErrorClass.NETWORK, "timed_out", f"{host} was not done within {seconds:g} s.") from None
    except aiosmtplib.SMTPException as error:
        raise _failure(error, host) from error
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        raise Failure(ErrorClass.NETWORK, "tls_failed", f"No safe connection to {host}: {why}.") from error
    except OSError as error:
        why = error.strerror or "no reason given"
        raise Failure(ErrorClass.NETWORK, "not_connected", f"{host} takes no connection at {port}: {why}.") from error


async def _send(engine: Engine, settings: dict[str, Any], secret: str | None, message: Message, seconds: float) -> Told:
    host, security = settings["host"], MailSecurity(settings["security"])
    context = None if security is MailSecurity.NONE else await asyncio.to_thread(ssl.create_default_context)
    made = message_for(settings, message)
    connection = await _connect(engine, host, int(settings["port"]))
    client = aiosmtplib.SMTP(
        hostname=host,
        sock=connection,
        local_hostname=_own_name(),
        timeout=seconds,
        use_tls=security is MailSecurity.TLS,
        start_tls=False,
        tls_context=context,
    )
    connected = False
    try:
        await client.connect()
        connected = True
        if security is MailSecurity.STARTTLS:
            await client.ehlo()
            if not client.supports_extension("starttls"):
                said = f"{host} offers no STARTTLS; nothing was said to it."
                raise Failure(ErrorClass.PERMISSION, "not_safe", said, retryable=True)
            await client.starttls()
        if settings.get("username") is not None:
            await client.login(settings["username"], secret or "")
        refused, said = await client.send_message(made, sender=settings["sender"], recipients=settings["to"])
        with contextlib.suppress(aiosmtplib.SMTPException):
            await client.quit()
    finally:
        client.close()
        if not connected:  # else it is the client's, which may still say goodbye
            connection.close()
    told = f"{host} took the mail."
    if refused:
        told = f"{host} took the mail, but not for {', '.join(sorted(refused))}."
    return Told(told, plain(said))


async def _connect(engine: Engine, host: str, port: int) -> socket.socket:
    """A connection to an address that may be called: the one that was checked, whatever the name says later."""
    found = literal(host)
    try:
        addresses = [found] if found is not None else await resolve(host, port)
    except Unresolved as error:
        raise Failure(ErrorClass.NETWORK, "no_address", str(error)) from error
    allowed = networks(engine.settings.engine.allowed_addresses)
    reasons = {address: why_refused(address, allowed) for address in addresses}
    usable = [address for address, why in reasons.items() if why is None]
    if not usable:
        why = next((each for each in reasons.values() if each), "without an address")
        raise Failure(ErrorClass.PERMISSION, "address_refused", refusal(host, why))
    last: OSError | None = None
    for address in usable:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, (str(address), port))
        except OSError as error:
            connection.close()
            last = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    assert last is not None
    raise last


def message_for(settings: dict[str, Any], message: Message) -> EmailMessage:
    """Text and HTML of the same words. Whatever would begin a header of its own is a visible sign."""
    made = EmailMessage(policy=LINES)
    made["From"] = settings["sender"]
    made["To"] = ", ".join(settings["to"])
    made["Subject"] = message.heading
    made["Date"] = format_datetime(to_datetime(message.at))
    # The same for every attempt: mail programs show it once.
    made["Message-ID"] = f"<{message.id}.{message.at}@{settings['sender'].rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n".join(_text(message)))
    made.add_alternative(_html(message), subtype="html")
    return made


def _text(message: Message) -> list[str]:
    lines = [plain(message.title), ""]
    for alert in message.alerts[:MOST_SHOWN]:
        lines += [*(f"{one_line(name)}: {plain(said)}" for name, said in lines_of(alert)), ""]
    if message.more:
        lines += [f"and {message.more:,} more", ""]
    return [*lines, one_line(message.url, 2_000)] if message.url else lines


def _html(message: Message) -> str:
    parts = [f"<h2>{_escaped(message.heading)}</h2>", f"<p>{_escaped(plain(message.title))}</p>"]
    for alert in message.alerts[:MOST_SHOWN]:
        rows = "".join(
            f"<tr><th align='left'>{_escaped(one_line(name))}</th><td>{_escaped(plain(said))}</td></tr>"
            for name, said in lines_of(alert)
        )
        parts.append(f"<table>{rows}</table><hr>")
    if message.more:
        parts.append(f"<p>and {message.more:,} more</p>")
    if message.url:
        # Written, not linked: whoever wrote the alert does not choose where a click leads.
        parts.append(f"<p>{_escaped(one_line(message.url, 2_000))}</p>")
    return f"<!doctype html><html><body>{''.join(parts)}</body></html>"


def _escaped(text: str) -> str:
    return html.escape(text, quote=True).replace("\n", "<br>")


def _own_name() -> str:
    """As this machine calls itself, where that can be said to a mail server."""
    name = socket.gethostname()
    return name if name.isascii() and all(each.isalnum() or each in ".-" for each in name) and name else "localhost"


def _failure(error: aiosmtplib.SMTPException, host: str) -> Failure:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        refused = error.recipients
        forever = all(500 <= each.code < 600 for each in refused)
        said = "; ".join(f"{each.recipient}: {each.code} {one_line(each.message)}" for each in refused)
        kind = ErrorClass.VALIDATION if forever else ErrorClass.NETWORK
        return Failure(kind, "recipients_refused", f"{host} takes the mail for nobody: {said}.", retryable=not forever)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        said = f"{host} does not take the user and the password: {error.code} {one_line(error.message)}."
        return Failure(ErrorClass.PERMISSION, f"smtp_{error.code}", said, retryable=True)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        kind = ErrorClass.VALIDATION if 500 <= error.code < 600 else ErrorClass.NETWORK
        said = f"{host} answered {error.code} {one_line(error.message)}."
        return Failure(kind, f"smtp_{error.code}", said, retryable=kind is ErrorClass.NETWORK)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        said = f"{host} does not do what the channel asks for: {one_line(error)}."
        return Failure(ErrorClass.VALIDATION, "not_supported", said, retryable=True)
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return Failure(ErrorClass.NETWORK, "timed_out", f"{host} did not answer in time.")
    return Failure(ErrorClass.NETWORK, "not_connected", f"The connection to {host} broke: {one_line(error)}.")
