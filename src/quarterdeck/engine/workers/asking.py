"""Asks workers for their health, all at once, each for a bounded time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import httpcore
import httpx

from quarterdeck import __version__
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.deliveries.addresses import Network, read_url
from quarterdeck.engine.deliveries.answers import text
from quarterdeck.engine.deliveries.network import AddressRefused, Unresolved
from quarterdeck.engine.deliveries.sender import Answer, Sender
from quarterdeck.engine.workers.judging import Check, Level

_AT_ONCE = 50
_LONGEST_WORD = 200
_AGENT = f"Quarterdeck/{__version__}".encode()


class Asker:
    """Connections are not kept: they would tell how a worker was, not how it is."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, address: str, seconds: float) -> Check:
        """`address` is without a path, such as `http://127.0.0.1:9100`. Never raises."""
        async with self._places:
            sender = Sender(self._allowed)
            try:
                return await self._ask(sender, address, seconds)
            finally:
                await sender.close()

    async def _ask(self, sender: Sender, address: str, seconds: float) -> Check:
        began = time.perf_counter()
        try:
            alive = await _get(sender, address, "/healthz", seconds)
            if not 200 <= alive.status < 300:
                return Check(Level.DEAD, f"/healthz answers {alive.status}.", _since(began))
            said = _members(alive)
            ready = await _get(sender, address, "/readyz", seconds)
            took = _since(began)
            if 200 <= ready.status < 300:
                return Check(Level.GOOD, None, took, **_about(said))
            why = _word(_members(ready).get("why")) or f"/readyz answers {ready.status}."
            return Check(Level.NOT_READY, why, took, **_about(said))
        except TimeoutError:
            return Check(Level.DEAD, f"No answer within {seconds:g} s.", None)
        except AddressRefused as error:
            return Check(Level.DEAD, str(error))
        except Unresolved as error:
            return Check(Level.DEAD, str(error))
        except Problem as problem:
            return Check(Level.DEAD, problem.detail)
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            return Check(Level.DEAD, "Nobody takes connections there.")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
            return Check(Level.DEAD, "The connection broke off.")


async def _get(sender: Sender, address: str, path: str, seconds: float) -> Answer:
    base = read_url(address)
    url = httpx.URL(address, raw_path=base.raw_path.rstrip(b"/") + path.encode())
    headers = [(b"host", url.netloc), (b"user-agent", _AGENT), (b"connection", b"close")]
    return await sender.send(b"GET", url, headers, b"", seconds)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1_000, 1)


def _members(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _about(said: dict[str, Any]) -> dict[str, Any]:
    queues = said.get("queues")
    named = [_word(each) for each in queues[:100]] if isinstance(queues, list) else []
    return {
        "name": _word(said.get("name")),
        "type": _word(said.get("type")),
        "queues": tuple(each for each in named if each),
    }


def _word(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return text(value.encode("utf-8", "replace"))[:_LONGEST_WORD] or None
