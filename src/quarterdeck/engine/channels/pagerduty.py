"""PagerDuty: Events API v2.

https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from quarterdeck.contract.clock import iso
from quarterdeck.contract.enums import ErrorClass, PagerDutyRegion
from quarterdeck.engine.channels.messages import Message, Told, lines_of
from quarterdeck.engine.channels.posting import address, body_of, post, refusal
from quarterdeck.engine.channels.words import one_line, plain
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.executors import Failure

REGIONS = {
    PagerDutyRegion.US: "https://events.pagerduty.com/v2/enqueue",
    PagerDutyRegion.EU: "https://events.eu.pagerduty.com/v2/enqueue",
}
# 400: the event is wrong, and will be. Everything else is said to pass.
_HOPELESS = (400,)
LONGEST_SUMMARY, LONGEST_KEY, LARGEST = 1_024, 255, 512 * 1024
ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = {
    **dict.fromkeys(("critical", "urgent", "page"), "critical"),
    **dict.fromkeys(("error", "high"), "error"),
    **dict.fromkeys(("warning", "normal", "medium"), "warning"),
    **dict.fromkeys(("info", "low", "none"), "info"),
}


async def send(engine: Engine, settings: dict[str, Any], secret: str | None, message: Message, seconds: float) -> Told:
    """Raises Failure."""
    if secret is None:
        raise Failure(ErrorClass.PERMISSION, "no_secret", "The channel names no secret.", retryable=True)
    url = address(REGIONS[PagerDutyRegion(settings.get("region", PagerDutyRegion.US))])
    answer = await post(engine, url, [], body_for(message, secret), seconds)
    failure = refusal(answer, url.host, hopeless=_HOPELESS)
    if failure is not None:
        raise failure
    return Told(f"{url.host} answered {answer.status}.", body_of(answer))


async def verify(
    engine: Engine, settings: dict[str, Any], secret: str | None, message: Message, seconds: float
) -> Told:
    """An incident that is opened and closed again at once."""
    told = await send(engine, settings, secret, message, seconds)
    await send(engine, settings, secret, replace(message, kind="resolve"), seconds)
    return told


def body_for(message: Message, routing_key: str) -> bytes:
    """An event within the limits: what does not fit is left out, the last alerts first."""
    alerts = list(message.alerts)
    while len(body := _body(message, alerts, routing_key)) > LARGEST and alerts:
        alerts = alerts[: len(alerts) // 2]
    return body


def _body(message: Message, alerts: list[dict[str, Any]], routing_key: str) -> bytes:
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": message.kind,
        "dedup_key": dedup_key(message.key),
    }
    if message.kind == "trigger":
        event["payload"] = {
            "summary": one_line(message.title, LONGEST_SUMMARY) or "An alert",
            "source": one_line(message.tenant_id or "quarterdeck", 200),
            "severity": _SEVERITIES.get(message.severity.lower(), "error"),
            "timestamp": iso(message.at),
            "custom_details": {
                "total": message.total,
                "alerts": [{one_line(name, 200): plain(said) for name, said in lines_of(alert)} for alert in alerts],
            },
        }
        event["client"] = "Quarterdeck"
        if message.url and message.url.startswith(("https://", "http://")):  # it becomes a link
            event["client_url"] = one_line(message.url, 2_000)
    return json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode()


def dedup_key(key: str) -> str:
    """Within the limit; different keys stay different."""
    said = one_line(key, 10_000)
    if said == key and len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{said[: LONGEST_KEY - len(digest) - 1]}-{digest}"
