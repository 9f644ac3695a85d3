"""Where the secrets of channels stand: in the engine's environment or its keyring, never in the store."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterable
from typing import Any

from quarterdeck.contract.enums import ErrorClass
from quarterdeck.engine.runs.executors import Failure

SERVICE = "quarterdeck"
HIDDEN = "•••"
# What is shorter would be found in many words, and hides nothing.
_SHORTEST = 4


async def secret_of(channel: Any) -> str | None:
    """The secret of a row of `notification_channels`; None where it names none. Raises Failure."""
    if channel.secret_env is not None:
        found = os.environ.get(channel.secret_env)
        where = f"The environment variable {channel.secret_env} is not set; start the engine with it."
    elif channel.secret_keyring is not None:
        found = await asyncio.to_thread(_from_keyring, channel.secret_keyring)
        where = (
            f"The keyring holds nothing under {SERVICE}, channel:{channel.secret_keyring}; put it there with:"
            f" keyring set {SERVICE} channel:{channel.secret_keyring}."
        )
    else:
        return None
    if not found or not found.strip():
        # Somebody will set it: what waits meanwhile is not lost.
        raise Failure(ErrorClass.PERMISSION, "no_secret", where, retryable=True)
    return found.strip()


def _from_keyring(name: str) -> str | None:
    try:
        import keyring

        return keyring.get_password(SERVICE, f"channel:{name}")
    except Exception:  # noqa: BLE001 - no keyring is as good as an empty one, and its words may hold anything
        return None


def scrubbed(text: str | None, secrets: Iterable[str]) -> str | None:
    """`text` without any of the secrets, should the other side repeat them."""
    if text is None:
        return None
    for secret in sorted(forms(secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def forms(secrets: Iterable[str]) -> set[str]:
    """Every way in which they may be repeated."""
    found: set[str] = set()
    for secret in secrets:
        raw = secret.encode("utf-8", "surrogateescape")
        pieces = [secret, *(_encoded(raw, before) for before in range(3)), *secret.split()]
        if "://" in secret:  # an address that is a secret: its host is none, the rest is
            path = secret.partition("://")[2].partition("/")[2]
            pieces += [path, *path.split("/")]
        found |= {piece for piece in pieces if len(piece) >= _SHORTEST}
    return found


def _encoded(raw: bytes, before: int) -> str:
    """Base64 of it with so many bytes before it and anything after it: what of that depends on it alone."""
    text = base64.b64encode(bytes(before) + raw).decode()
    first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
    return text[first:last]
