"""Standard Webhooks 1.0: the headers by which a receiver knows who sent a delivery, and that it is whole.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


class SecretError(ValueError):
    """One sentence; never holds the secret."""


def read_secrets(text: str, name: str) -> list[bytes]:
    """The keys in an environment variable: one, or during a rotation several with blanks between.

    Raises SecretError.
    """
    words = text.split()
    if not words:
        raise SecretError(f"{name} is empty; it must hold a signing secret, {PREFIX} and base64.")
    keys = []
    for word in words:
        try:
            encoded = word.removeprefix(PREFIX)
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise SecretError(f"{name} holds no signing secret; it must be {PREFIX} and base64.") from None
        if not 24 <= len(key) <= 64:
            raise SecretError(f"{name} holds a signing secret of {len(key)} bytes; it must have 24 to 64.")
        keys.append(key)
    return keys


def headers(keys: list[bytes], message_id: str, timestamp: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """`timestamp` in seconds. One signature a key; none without keys."""
    found = [(b"webhook-id", message_id.encode("ascii")), (b"webhook-timestamp", str(timestamp).encode())]
    if keys:
        signed = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
        signatures = [b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
        found.append((b"webhook-signature", b" ".join(signatures)))
    return found
