"""Connections to addresses that were looked up once and checked: a name that changes in between changes nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address

import httpcore

from quarterdeck.engine.deliveries.addresses import Address, Network, refusal, why_refused

Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]


class AddressRefused(Exception):
    """One sentence: which host, and why."""


class Unresolved(Exception):
    """One sentence: which host has no address."""


async def resolve(host: str, port: int) -> list[Address]:
    """Every address of the name, in the system's order. Raises Unresolved."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(f"{host} has no address ({getattr(error, 'strerror', None) or error}).") from error
    return list(dict.fromkeys(ip_address(each[4][0]) for each in found))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Looks a name up, leaves out the addresses that are refused, and connects to the first that answers.

    TLS and the Host header still go by the name.
    """

    def __init__(self, allowed: Sequence[Network], resolver: Resolver = resolve) -> None:
        self._allowed = allowed
        self._resolve = resolver
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises AddressRefused, Unresolved, httpcore.ConnectError, httpcore.ConnectTimeout."""
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error

    async def _connect(
        self, host: str, port: int, socket_options: Iterable[httpcore.SOCKET_OPTION] | None
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        reasons = {address: why_refused(address, self._allowed) for address in addresses}
        usable = [address for address, why in reasons.items() if why is None]
        if not usable:
            why = next(iter(reasons.values()), None)
            if why is None:
                raise Unresolved(f"{host} has no address.")
            raise AddressRefused(refusal(host, why))
        failure: httpcore.ConnectError | None = None
        for address in usable:
            try:
                return await self._network.connect_tcp(str(address), port, socket_options=socket_options)
            except httpcore.ConnectError as error:
                failure = error
        assert failure is not None
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
