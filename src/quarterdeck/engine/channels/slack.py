"""Slack: an incoming webhook, whose address is the secret.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json
from typing import Any

from quarterdeck.contract.enums import ErrorClass
from quarterdeck.engine.channels.messages import MOST_SHOWN, Message, Told, lines_of
from quarterdeck.engine.channels.posting import address, body_of, post, refusal
from quarterdeck.engine.channels.words import one_line, plain, shortened
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.executors import Failure

# Messages a second that an incoming webhook takes.
RATE = 1.0
# The same message will be refused again.
_HOPELESS = (400,)
LONGEST_HEADER, LONGEST_SECTION, MOST_BLOCKS = 150, 3_000, 50


async def send(engine: Engine, settings: dict[str, Any], secret: str | None, message: Message, seconds: float) -> Told:
    """Raises Failure; Gone where the webhook was removed."""
    if secret is None:
        raise Failure(ErrorClass.PERMISSION, "no_secret", "The channel names no secret.", retryable=True)
    url = address(secret, secret=True)
    answer = await post(engine, url, [], json.dumps(body_for(message)).encode(), seconds)
    failure = refusal(answer, url.host, hopeless=_HOPELESS)
    if failure is not None:
        raise failure
    return Told(f"{url.host} answered {answer.status}.", body_of(answer))


def body_for(message: Message) -> dict[str, Any]:
    """All text is plain: no mark-up, no mention, no link is made of it."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _text(message.heading, LONGEST_HEADER)}]
    for alert in message.alerts[:MOST_SHOWN]:
        said = "\n".join(f"{one_line(name, 100)}: {plain(value, 500)}" for name, value in lines_of(alert))
        if said:
            blocks.append({"type": "section", "text": _text(said, LONGEST_SECTION)})
    ending = [f"and {message.more:,} more"] if message.more else []
    ending += [one_line(message.url, 1_000)] if message.url else []
    if ending:
        blocks.append({"type": "context", "elements": [_text(" · ".join(ending), LONGEST_SECTION)]})
    return {"text": escaped(message.heading, LONGEST_SECTION), "blocks": blocks[:MOST_BLOCKS]}


def escaped(text: str, longest: int) -> str:
    """Without the three characters that Slack reads; at most `longest` characters, never cut inside of an escape."""
    found: list[str] = []
    size = 0
    for character in shortened(text, longest):
        piece = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(character, character)
        size += len(piece)
        if size > longest:
            break
        found.append(piece)
    return "".join(found)


def _text(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped(text, longest), "emoji": False}
