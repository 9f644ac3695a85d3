"""The same alerts to a real Alertmanager and to ours: the same notices, of the same groups, at the same time."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.finding import socket_of
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import alerts, channels
from tests.support.alertmanager import AMTOOL, PROGRAM, alertmanager
from tests.support.lending import lent
from tests.support.sinks import Received, Sink, answer, sink

pytestmark = pytest.mark.skipif(
    PROGRAM is None or AMTOOL is None, reason="no Alertmanager with amtool is installed (prometheus-alertmanager)"
)

WAIT, INTERVAL, REPEAT = 0.5, 1.2, 3.0
LATE = 0.25  # seconds; where the machine was busier than this, nothing was compared
Labels = dict[str, str]
Said = frozenset[tuple[tuple[tuple[str, str], ...], str]]  # (labels, "firing" or "resolved") of each alert


def grouped_by(labels: Labels) -> list[str]:
    return ["alertname", "cluster"] if labels["alertname"].startswith("Sliced") else ["alertname"]


@dataclass
class Told:
    """What one of the two has said, by what the group's alerts share: (seconds since the start, alerts)."""

    start: float = 0.0
    notices: defaultdict[str, list[tuple[float, Said]]] = field(default_factory=lambda: defaultdict(list))

    def of(self, mark: str) -> dict[str, list[tuple[float, Said]]]:
        return {name.replace(mark, ""): told for name, told in self.notices.items() if mark in name}

    def hear(self, alerts: Iterable[dict[str, Any]], ended: Callable[[dict[str, Any]], bool]) -> None:
        said = frozenset(
            (tuple(sorted(each["labels"].items())), "resolved" if ended(each) else "firing") for each in alerts
        )
        shared = {tuple(dict(labels).get(name, "") for name in grouped_by(dict(labels))) for labels, _ in said}
        (name,) = {"/".join(each) for each in shared}
        self.notices[name].append((round(time.monotonic() - self.start, 2), said))


@dataclass
class Both:
    """Alertmanager and the engine, each with a receiver of its own."""

    urls: tuple[str, str]
    client: Client
    http: httpx.AsyncClient
    theirs: Told = field(default_factory=Told)
    ours: Told = field(default_factory=Told)

    async def post(self, *posted: dict[str, Any]) -> None:
        answers = await asyncio.gather(*(self.http.post(f"{url}/api/v2/alerts", json=posted) for url in self.urls))
        assert [each.status_code for each in answers] == [200, 200], [each.text for each in answers]

    async def amtool(self, *words: str) -> None:
        """To both at once; each succeeds without a word."""

        async def say(url: str) -> None:
            assert AMTOOL is not None
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                AMTOOL, f"--alertmanager.url={url}", *words, stdout=pipe, stderr=asyncio.subprocess.STDOUT
            )
            said, _ = await process.communicate()
            assert (process.returncode, said) == (0, b"")

        await asyncio.gather(*(say(url) for url in self.urls))

    async def silence(self, name: str, until: str) -> None:
        matcher = {"name": "alertname", "value": name}
        theirs = {"matchers": [{**matcher, "isRegex": False, "isEqual": True}], "createdBy": "test", "comment": "x"}
        made = {**theirs, "startsAt": stamp(), "endsAt": until}
        assert (await self.http.post(f"{self.urls[0]}/api/v2/silences", json=made)).is_success
        await self.client.call(alerts.SILENCE, body={"matchers": [matcher], "comment": "x", "ends_at": until})


def stamp(after: float = 0.0) -> str:
    """So many seconds from now."""
    return datetime.fromtimestamp(time.time() + after, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fires(*each: Labels, since: float | None = None) -> list[dict[str, Any]]:
    return [{"labels": labels} | ({} if since is None else {"startsAt": stamp(-since)}) for labels in each]


def ends(*each: Labels) -> list[dict[str, Any]]:
    return [{"labels": labels, "endsAt": stamp()} for labels in each]


def theirs_config(made: Sink) -> dict[str, Any]:
    seconds = {"group_wait": WAIT, "group_interval": INTERVAL, "repeat_interval": REPEAT}
    times = {name: f"{each * 1_000:.0f}ms" for name, each in seconds.items()}
    inhibits = {"source_matchers": ['alertname=~"HostDown.*"'], "target_matchers": ['severity="info"']}
    return {
        "route": {
            "receiver": "ops",
            "group_by": ["alertname"],
            **times,
            "routes": [{"matchers": ['alertname=~"Sliced.*"'], "group_by": ["alertname", "cluster"]}],
        },
        "receivers": [{"name": "ops", "webhook_configs": [{"url": made.url(), "send_resolved": True}]}],
        "inhibit_rules": [{**inhibits, "equal": ["cluster"]}],
    }


async def set_up_ours(client: Client, made: Sink) -> None:
    hook = {"name": "ops", "settings": {"kind": "webhook", "url": made.url()}}
    await client.call(channels.CREATE, body=hook)
    cause = {"name": "alertname", "value": "HostDown.*", "is_regex": True}
    inhibits = [{"matchers": [{"name": "severity", "value": "info"}], "equal": ["cluster"]}]
    sliced = {"matchers": [{**cause, "value": "Sliced.*"}], "group_by": ["alertname", "cluster"]}
    rules = {"hosts": {"matchers": [cause], "inhibits": inhibits}, "sliced": sliced, "rest": {}}
    for name, settings in rules.items():
        rule = {"name": name, "type": "external", "settings": {"channels": ["ops"], **settings}}
        await client.call(alerts.CREATE, body=rule)


@pytest.fixture
async def both(tmp_path: Path, engine_home: Home) -> AsyncIterator[Both]:
    theirs, ours = Told(), Told()

    async def theirs_said(request: Received, writer: asyncio.StreamWriter) -> bytes:
        theirs.hear(json.loads(request.body)["alerts"], lambda each: each["status"] == "resolved")
        return answer(200)

    async def ours_said(request: Received, writer: asyncio.StreamWriter) -> bytes:
        ours.hear(json.loads(request.body)["data"]["alerts"], lambda each: each["ends_at"] is not None)
        return answer(200)

    engine_home.config.write_text(
        f"""[engine]
allowed_addresses = ["127.0.0.1/32"]
[alerts]
group_wait_seconds = {WAIT}
group_interval_seconds = {INTERVAL}
repeat_seconds = {REPEAT}
channel_per_minute = 1000
"""
    )
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(sink(said)) for said in (theirs_said, ours_said)]
        client = await connect(engine_home)
        stack.push_async_callback(client.close)
        await set_up_ours(client, second)
        running = await stack.enter_async_context(alertmanager(tmp_path / "alertmanager", theirs_config(first)))
        port = await stack.enter_async_context(lent(socket_of(engine_home)))
        http = await stack.enter_async_context(httpx.AsyncClient())
        yield Both((running, port), client, http, theirs, ours)


async def story(both: Both, mark: str) -> float:
    """Alerts that join, end, flap, stay, are silenced and inhibited; returns how late the latest step was (s).

    Groups speak at WAIT + n × INTERVAL; what happens, happens half way between, so that both are told the same
    before they speak.
    """

    def named(name: str, **labels: str) -> Labels:
        return {"alertname": name + mark, **labels}

    a, b, c = (named("Down", host=host) for host in "abc")
    stays, flaps, short = named("Steady", job="x"), named("Flap", job="x"), named("Short", job="x")
    host = named("HostDown", cluster="a", severity="critical")
    slow = [named("Slow", cluster=cluster, severity="info") for cluster in "ab"]
    calm, blip, quiet = named("Mixed", n="1"), named("Mixed", n="2"), named("Quiet")
    parts = [named("Sliced", cluster=cluster, host=host) for cluster, host in ("a1", "a2", "b1", "b2")]
    whole = named("Sliced", host="3")
    half = WAIT + INTERVAL / 2
    silence_ends = half + 3 * INTERVAL
    await both.silence(quiet["alertname"], stamp(silence_ends))
    await both.amtool("alert", "add", f"ByHand{mark}", "node=bar", "--annotation=summary=by hand")
    start = both.theirs.start = both.ours.start = time.monotonic()

    steps: list[tuple[float, Callable[[], list[dict[str, Any]]]]] = [
        (0.0, lambda: fires(a, b, stays, flaps, host, *slow, calm, short, quiet, *parts[:3], whole)),
        (0.0, lambda: fires(named("Old", job="x"), since=3_600)),
        (0.2, lambda: ends(short)),
        (half, lambda: [*fires(c, parts[3]), *ends(flaps)]),
        (half + INTERVAL - 0.15, lambda: fires(blip)),
        (half + INTERVAL + 0.15, lambda: [*ends(a, blip, parts[0], whole), *fires(flaps)]),
        (half + 2 * INTERVAL, lambda: ends(b, c, flaps, host)),
        (half + 3 * INTERVAL, lambda: fires(a)),
        (half + 4 * INTERVAL, lambda: [*fires(flaps), *ends(*slow)]),
        (half + 5 * INTERVAL, lambda: ends(quiet)),
        (half + 6 * INTERVAL, list),
    ]
    late = 0.0
    for moment, alerts_then in steps:
        await asyncio.sleep(max(0.0, start + moment - time.monotonic()))
        posted = alerts_then()
        if posted:
            await both.post(*posted)
        late = max(late, time.monotonic() - start - moment)
    return late


async def undisturbed(work: Callable[[str], Awaitable[float]]) -> str:
    """The mark of the first time that kept time: what is compared by the clock is tried again where the machine was
    too busy for that."""
    for mark in ("-1", "-2", "-3"):
        if await work(mark) <= LATE:
            return mark
    pytest.skip("The machine was too busy to keep time.")


REFUSED = (
    '[{"labels":{}}]',
    '[{"labels":{"a":""}}]',
    '[{"labels":{"1a":"x"}}]',
    '[{"annotations":{"a":"b"}}]',
    '{"labels":{"a":"b"}}',
    '[{"labels":{"a":1}}]',
    '[{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]',
    '[{"labels":{"a":"b"},"startsAt":"yesterday"}]',
    "[{",
)


async def both_refuse(both: Both) -> None:
    headers = {"content-type": "application/json"}
    for body in REFUSED:
        for url in both.urls:
            answer = await both.http.post(f"{url}/api/v2/alerts", content=body, headers=headers)
            assert answer.is_client_error, (url, body, answer.text)


async def test_the_same_alerts_give_the_same_notices_at_the_same_time(both: Both) -> None:
    await both_refuse(both)
    mark = await undisturbed(lambda mark: story(both, mark))
    theirs, ours = both.theirs.of(mark), both.ours.of(mark)
    assert {name: [said for _, said in told] for name, told in ours.items()} == {
        name: [said for _, said in told] for name, told in theirs.items()
    }
    for name, told in theirs.items():
        for (then, _), (now, _) in zip(told, ours[name], strict=True):
            assert abs(then - now) <= INTERVAL, (name, told, ours[name])
    # What was compared is what was meant: each of these spoke so often.
    assert {name: len(told) for name, told in theirs.items()} == {
        "Down": 5, "Steady": 3, "Flap": 5, "HostDown": 2, "Slow": 3, "Mixed": 3, "Old": 3, "Quiet": 2, "ByHand": 3,
        "Sliced/a": 3, "Sliced/b": 3, "Sliced/": 2,
    }  # fmt: skip
    page = await both.client.call(alerts.HISTORY, query={"label": "node=bar"})
    assert page["items"][0]["annotations"] == {"summary": "by hand"}
