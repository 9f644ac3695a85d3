"""Slack and PagerDuty: bodies within their published limits, one message a second, nothing that is read as mark-up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import NotificationState, PagerDutyRegion
from quarterdeck.engine.channels import pagerduty, slack
from quarterdeck.engine.channels.messages import Message
from quarterdeck.engine.core import Engine
from tests.engine.channels import world
from tests.support.sinks import Sink, always, sink

KEY = "R0123456789ABCDEF0123456789ABCDE"
TEXTS = st.text(max_size=4_000)
ALERTS = st.lists(
    st.fixed_dictionaries(
        {"labels": st.dictionaries(TEXTS, TEXTS, max_size=3), "annotations": st.none(), "value": st.floats() | TEXTS}
    ),
    max_size=30,
)
MESSAGES = st.builds(
    Message,
    id=st.just("notification_1"),
    at=st.integers(0, 4_000_000_000_000),
    key=TEXTS,
    kind=st.sampled_from(pagerduty.ACTIONS),
    severity=TEXTS | st.sampled_from(["critical", "warning", "info"]),
    title=TEXTS,
    alerts=ALERTS.map(tuple),
    total=st.integers(30, 10**9),
    tenant_id=st.none() | TEXTS,
    url=st.none() | TEXTS,
)


@pytest.fixture
async def home(engine: Engine) -> AsyncIterator[Engine]:
    yield world.at_home(engine)
    for finish in engine.finishers:
        await finish()


# ----- PagerDuty


@pytest.fixture
def duty(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A channel to a PagerDuty of our own."""

    async def make(engine: Engine, made: Sink) -> Any:
        monkeypatch.setenv(world.ENV, KEY)
        monkeypatch.setitem(pagerduty.REGIONS, PagerDutyRegion.US, made.url("/v2/enqueue"))
        return await world.make(engine, settings={"kind": "pagerduty"}, secret_env=world.ENV)

    return make


async def test_an_incident_is_opened_acknowledged_and_resolved(home: Engine, duty: Any) -> None:
    async with sink(always(202, b'{"status":"success"}')) as made:
        await duty(home, made)
        for kind in pagerduty.ACTIONS:
            (number,) = await world.send(home, kind=kind)
            await world.work_off(home)
            assert (await world.status(home, number)).state is NotificationState.DELIVERED
    events = [json.loads(each.body) for each in made.received]
    assert [each["event_action"] for each in events] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in events} == {"group/1"}
    assert {each["routing_key"] for each in events} == {KEY}
    first, *others = events
    assert (first["payload"]["summary"], first["payload"]["severity"]) == ("Dead letters", "critical")
    assert first["payload"]["source"] == "acme"
    assert first["payload"]["custom_details"]["alerts"][0]["queue"] == "mail"
    assert all("payload" not in each for each in others)
    assert KEY not in await world.everything(home)


@pytest.mark.parametrize(
    ("status", "state"),
    [(400, NotificationState.FAILED), (429, NotificationState.PENDING), (500, NotificationState.PENDING)],
)
async def test_an_event_that_is_wrong_is_not_sent_again(
    home: Engine, duty: Any, status: int, state: NotificationState
) -> None:
    async with sink(always(status, KEY.encode())) as made:
        await duty(home, made)
        (number,) = await world.send(home)
        await world.work_off(home)
    assert (await world.status(home, number)).state is state
    assert KEY not in await world.everything(home)


async def test_a_test_leaves_no_incident_open(home: Engine, duty: Any) -> None:
    async with sink(always(202)) as made:
        said = await world.verify(home, await duty(home, made))
    events = [json.loads(each.body) for each in made.received]
    assert said.delivered
    assert [each["event_action"] for each in events] == ["trigger", "resolve"]
    assert events[0]["dedup_key"] == events[1]["dedup_key"]


@given(message=MESSAGES)
@settings(max_examples=60)
def test_events_are_within_the_limits(message: Message) -> None:
    """https://developer.pagerduty.com/docs/send-alert-event"""
    body = pagerduty.body_for(message, KEY)
    assert len(body) <= 512 * 1024
    event = json.loads(body)
    assert event["event_action"] in ("trigger", "acknowledge", "resolve")
    assert len(event["dedup_key"]) <= 255
    if event["event_action"] == "trigger":
        payload = event["payload"]
        assert 1 <= len(payload["summary"]) <= 1_024
        assert payload["severity"] in ("critical", "warning", "error", "info")
        assert payload["source"]
        assert payload["timestamp"].endswith("Z")


def test_an_event_that_is_too_large_gives_up_its_last_alerts() -> None:
    alerts = tuple({"labels": {f"l{n}": "\u2603" * 2_000 for n in range(20)}} for _ in range(100))
    message = Message("notification_1", 0, "k" * 300, "trigger", "critical", "s" * 3_000, alerts, 100)
    body = pagerduty.body_for(message, KEY)
    event = json.loads(body)
    assert len(body) <= 512 * 1024
    assert 0 < len(event["payload"]["custom_details"]["alerts"]) < 100
    assert event["payload"]["custom_details"]["total"] == 100
    assert len(event["payload"]["summary"]) == 1_024


def test_long_keys_stay_apart() -> None:
    keys = ["k" * 300 + "a", "k" * 300 + "b", "k\n", "k ", "k", "k" * 255]
    made = [pagerduty.dedup_key(each) for each in keys]
    assert len(set(made)) == len(keys)
    assert all(len(each) <= 255 for each in made)
    assert made[-1] == keys[-1]


# ----- Slack


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A channel to a Slack of our own, and its secret."""

    async def make(engine: Engine, made: Sink, name: str = "ops") -> str:
        secret = made.url("/services/T000/B000/verysecretpart")
        monkeypatch.setenv(world.ENV, secret)
        await world.make(engine, name, settings={"kind": "slack"}, secret_env=world.ENV)
        return secret

    return make


async def test_a_message_arrives_with_nothing_in_it_that_slack_reads(home: Engine, room: Any) -> None:
    evil = "<!channel> <https://evil.example|click> & *bold* \x1b[2J\u202e"
    async with sink(always(200, b"ok")) as made:
        await room(home, made)
        await world.send(home, title=evil, alerts=({"labels": {"a": evil}, "annotations": {"b": evil}},))
        await world.work_off(home)
    (request,) = made.received
    body = json.loads(request.body)
    said = json.dumps(body, ensure_ascii=False)
    assert "<" not in said
    assert ">" not in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "&lt;!channel&gt;" in body["text"]
    texts = [each["text"] for each in body["blocks"] if "text" in each]
    assert {each["type"] for each in texts} == {"plain_text"}


async def test_the_address_is_the_secret_and_is_never_kept(home: Engine, room: Any) -> None:
    async with sink(always(500, b"/services/T000/B000/verysecretpart is broken")) as made:
        secret = await room(home, made)
        await world.send(home)
        await world.work_off(home)
    kept = await world.everything(home)
    assert "is broken" in kept
    assert secret not in kept
    assert "verysecretpart" not in kept


async def test_a_secret_that_is_no_address_is_not_repeated(home: Engine, room: Any, monkeypatch: Any) -> None:
    async with sink() as made:
        await room(home, made)
        monkeypatch.setenv(world.ENV, "no-address-but-secret")
        (number,) = await world.send(home)
        await world.work_off(home)
    assert (await world.status(home, number)).error_code == "bad_url"
    assert "no-address-but-secret" not in await world.everything(home)


async def test_a_secret_that_leads_inside_is_not_called(engine: Engine, room: Any) -> None:
    async with sink(always(200, b"ok")) as made:
        await room(engine, made)
        (number,) = await world.send(engine)
        await world.work_off(engine)
        assert (await world.status(engine, number)).error_code == "address_refused"
        assert made.connections == 0
    assert "verysecretpart" not in await world.everything(engine)
    for finish in engine.finishers:
        await finish()


async def test_slack_gets_one_message_a_second(home: Engine, room: Any) -> None:
    async with sink(always(200, b"ok")) as made:
        await room(home, made)
        numbers = [(await world.send(home, key=f"group/{n}"))[0] for n in range(4)]
        before = now_ms()
        await world.work_off(home)
        after = now_ms()
        assert len(made.received) == 1
        found = [await world.run_of(home, each) for each in numbers]
        assert [each.status for each in found] == ["completed", "scheduled", "scheduled", "scheduled"]
        first, second, third = (each.run_at for each in found[1:])
        assert before < first <= after + SECOND
        assert [second - first, third - second] == [SECOND, SECOND]
        # Waiting for its turn costs no attempt and is no failure.
        assert {each.max_attempts - each.attempt for each in found[1:]} == {10}
        assert {each.retry_count for each in found} == {0}


async def test_a_turn_that_has_come_is_taken(home: Engine, room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sink(always(200, b"ok")) as made:
        await room(home, made)
        for n in range(3):
            await world.send(home, key=f"group/{n}")
        await world.work_off(home)
        moment = now_ms()
        for passed in (1, 2):
            later = moment + passed * SECOND + 100
            monkeypatch.setattr("quarterdeck.engine.store.store.now_ms", lambda later=later: later)
            await world.due(home)
            await world.work_off(home)
            assert len(made.received) == 1 + passed


async def test_slack_is_told_at_once_after_the_clock_was_set_back(
    home: Engine, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sink(always(200, b"ok")) as made:
        await room(home, made)
        await world.send(home)
        await world.work_off(home)
        before = now_ms() - 3_600 * SECOND
        monkeypatch.setattr("quarterdeck.engine.store.store.now_ms", lambda: before)
        for n in range(2):
            await world.send(home, key=f"group/{n}")
        await world.work_off(home)
        assert len(made.received) == 2, "one goes at once, the other a second later"


@given(message=MESSAGES)
@settings(max_examples=60)
def test_messages_are_within_the_limits(message: Message) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks"""
    body = slack.body_for(message)
    assert len(body["blocks"]) <= 50
    assert len(body["text"]) <= 3_000
    header, *others = body["blocks"]
    assert len(header["text"]["text"]) <= 150
    for block in others:
        texts = [block["text"]] if "text" in block else block["elements"]
        assert all(1 <= len(each["text"]) <= 3_000 for each in texts)
    said = json.dumps(body, ensure_ascii=False)
    assert not set("<>\x1b\u202e") & set(said)
    said.encode()
