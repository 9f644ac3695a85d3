"""Webhooks: Standard Webhooks 1.0, signed where the channel has a secret."""

from __future__ import annotations

import json
import time
from typing import Any

from quarterdeck.contract.clock import iso
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.engine.channels.messages import Message, Told
from quarterdeck.engine.channels.posting import address, body_of, post, refusal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.deliveries import signing
from quarterdeck.engine.runs.executors import Failure


async def send(engine: Engine, settings: dict[str, Any], secret: str | None, message: Message, seconds: float) -> Told:
    """Raises Failure; Gone where the receiver wants nothing any more."""
    url = address(settings["url"])
    body = body_for(message)
    headers = signing.headers(_keys(secret), message.id, int(time.time()), body)
    answer = await post(engine, url, headers, body, seconds)
    failure = refusal(answer, url.host)
    if failure is not None:
        raise failure
    return Told(f"{url.host} answered {answer.status}.", body_of(answer))


def body_for(message: Message) -> bytes:
    """The same for every attempt. Texts are as they came: JSON says where they end."""
    content = {
        "type": f"alert.{message.kind}",
        "timestamp": iso(message.at),
        "data": {
            "key": message.key,
            "tenant_id": message.tenant_id,
            "severity": message.severity,
            "title": message.title,
            "url": message.url,
            "total": message.total,
            "alerts": list(message.alerts),
        },
    }
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


def _keys(secret: str | None) -> list[bytes]:
    if secret is None:
        return []
    try:
        return signing.read_secrets(secret, "The secret of the channel")
    except signing.SecretError as error:
        raise Failure(ErrorClass.PERMISSION, "bad_secret", str(error), retryable=True) from None
