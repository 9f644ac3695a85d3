"""Which addresses a delivery may go to.

A URL is chosen by whoever may change a queue, but the engine calls it from inside the network: without this an
admin of the API could reach what only the engine's machine can (its own services, a cloud's metadata).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING

from quarterdeck.contract.problems import Code, Problem

if TYPE_CHECKING:
    import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's registry of special-purpose IPv4 addresses, less what may be reached from everywhere.
_INSIDE_4 = {
    "0.0.0.0/8": "not an address of any host",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "private to a carrier",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "for documentation",
    "192.88.99.0/24": "reserved",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
# Words for what people meet; whatever else is outside 2000::/3 is reserved.
_INSIDE_6 = {
    "::/128": "not an address of any host",
    "::1/128": "loopback",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "ff00::/8": "multicast",
    "2001::/23": "reserved",
    "2001:db8::/32": "for documentation",
    "2002::/16": "reserved",
    "3fff::/20": "for documentation",
}
_REFUSED: list[tuple[Network, str]] = [
    (ip_network(text), why) for text, why in (*_INSIDE_4.items(), *_INSIDE_6.items())
]
_PUBLIC_6 = IPv6Network("2000::/3")
# A NAT64 gateway turns these into the IPv4 address in their last four bytes.
_NAT64 = IPv6Network("64:ff9b::/96")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError for a text that is no CIDR."""
    return tuple(ip_network(text, strict=False) for text in texts)


def meant(address: Address) -> Address:
    """The address that is reached in the end: an IPv4 one may come wrapped in an IPv6 one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def why_refused(address: Address, allowed: Sequence[Network]) -> str | None:
    """What is wrong with the address in a few words; None where it may be called."""
    reached = meant(address)
    if any(each in network for each in (address, reached) for network in allowed):
        return None
    for network, why in _REFUSED:
        if reached in network:
            return why
    if isinstance(reached, IPv6Address) and reached not in _PUBLIC_6:
        return "reserved"
    return None


def read_url(text: str) -> httpx.URL:
    """A URL that can be called. Raises Problem(INVALID_INPUT)."""
    import httpx  # with the first URL: an engine starts without it

    try:
        url = httpx.URL(text)
        port_is_one = url.port is None or 0 < url.port < 65_536
    except (httpx.InvalidURL, ValueError, TypeError):
        raise _invalid(f"{text!r} is no URL; write https://host/path.") from None
    if url.scheme not in ("http", "https") or not url.host or not port_is_one:
        raise _invalid(f"{text!r} is no URL to call; write https://host/path or http://host/path.")
    if url.userinfo:
        raise _invalid("The URL holds a password that everybody who sees the queue could read; leave it out.")
    if any(ord(each) <= 32 or ord(each) == 127 for each in text):
        raise _invalid(f"{text!r} holds a blank or a control character; encode it, or leave it out.")
    return url


def check_url(text: str, allowed: Sequence[Network]) -> None:
    """What can be said before the name is looked up. Raises Problem: INVALID_INPUT, ADDRESS_REFUSED.

    The name may lead anywhere by the time of a delivery, and is checked again then.
    """
    host = read_url(text).host
    address = literal(host)
    if address is None and (host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")):
        address = IPv4Address("127.0.0.1")
    why = None if address is None else why_refused(address, allowed)
    if why is not None:
        sentence = refusal(host, why)
        raise Problem(Code.ADDRESS_REFUSED, sentence, errors=(("/target", sentence),))


def literal(host: str) -> Address | None:
    """The address that a host is, where it is no name: `127.1` and `0x7f000001` are addresses as well."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def refusal(host: str, why: str) -> str:
    """For people."""
    return (
        f"{host} is {why}: the engine calls no address inside its own network, unless engine.allowed_addresses"
        " in config.toml names it."
    )


def _invalid(sentence: str) -> Problem:
    return Problem(Code.INVALID_INPUT, sentence, errors=(("/target", sentence),))
