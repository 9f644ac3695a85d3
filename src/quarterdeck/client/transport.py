"""HTTP connections to an engine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from quarterdeck.client.finding import socket_of

# httpx imports its own command line, with click and rich, wherever those are installed: 20 ms and more.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

if TYPE_CHECKING:
    from quarterdeck.config.home import Home

__all__ = ["Address", "LocalAddress", "UrlAddress", "httpx", "open_http"]

# Drafting a million items takes seconds; nothing that answers takes minutes.
TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# Shorter than the engine keeps them, so that a request never meets a closing connection.
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=60.0)


class Address(Protocol):
    """Where an engine is; asked again after each lost connection."""

    @property
    def base_url(self) -> str: ...

    def transport(self) -> httpx.AsyncBaseTransport: ...

    @property
    def name(self) -> str:
        """For sentences: `the engine of /home/ana/…`."""

    @property
    def remedy(self) -> str:
        """What to do where it does not answer: `start it with: qd engine start`."""


@dataclass(frozen=True)
class LocalAddress:
    """The engine of a home, over its socket."""

    home: Home
    base_url: str = "http://engine"

    def transport(self) -> httpx.AsyncBaseTransport:
        # No TLS on a socket of one's own, so no certificates to read either.
        return httpx.AsyncHTTPTransport(uds=str(socket_of(self.home)), verify=False, limits=LIMITS)

    @property
    def name(self) -> str:
        return f"the engine of {self.home.path}"

    @property
    def remedy(self) -> str:
        return f"start it with: {self.home.typed('engine start')}"


@dataclass(frozen=True)
class UrlAddress:
    """An engine behind a URL, such as `https://quarterdeck.example.org`."""

    base_url: str

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(limits=LIMITS)

    @property
    def name(self) -> str:
        return f"the engine at {self.base_url}"

    @property
    def remedy(self) -> str:
        return "look whether it runs"


def open_http(address: Address) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=address.transport(), base_url=address.base_url, timeout=TIMEOUT, trust_env=False)
