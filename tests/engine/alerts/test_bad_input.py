"""What others post and people type that breaks terminals, parsers and stores: it comes back as it went in, or is
refused with its place and the reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.transport import LocalAddress
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import alerts
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.alerts import notices
from tests.engine.alerts.world import Day
from tests.support.hostile import HOSTILE, REFUSED
from tests.support.serving import served

QUIET = {"timezone": "Europe/Stockholm", "windows": [{"days": ["mon"], "start": "22:00", "end": "07:00"}]}
SAID: list[tuple[str, dict[str, Any], str, str]] = [
    # What a rule says, where it is wrong, and a word of the reason
    ("queue_stuck", {"threshold": 5, "unit": "percent"}, "/settings/unit", "minutes or count"),
    ("queue_stuck", {"threshold": 5, "unit": "bananas"}, "/settings/unit", "minutes"),
    ("queue_stuck", {"threshold": "5 minutes"}, "/settings/threshold", "number"),
    ("queue_stuck", {"threshold": -1}, "/settings/threshold", "at least 0"),
    ("error_rate_high", {"threshold": 250}, "/settings/threshold", "percent"),
    ("bulk_failure_rate", {"threshold": 0}, "/settings/threshold", "more than 0"),
    ("sla_breach", {"threshold": 0.5}, "/settings/threshold", "whole number"),
    ("dlq_growth", {"threshold": 1, "by": ["worker"]}, "/settings/by/0", "tenant"),
    ("sla_imminent", {"threshold": 1, "quiet_hours": {**QUIET, "timezone": "Mars/Olympus"}},
     "/settings/quiet_hours/timezone", "no time zone"),
    ("sla_imminent", {"threshold": 1, "quiet_hours": {**QUIET, "timezone": "../../etc/passwd"}},
     "/settings/quiet_hours/timezone", "no time zone"),
    ("sla_imminent", {"threshold": 1, "quiet_hours": {**QUIET, "windows": []}},
     "/settings/quiet_hours/windows", "at least 1"),
    ("sla_imminent", {"threshold": 1, "quiet_hours": {**QUIET, "windows": [{**QUIET["windows"][0], "start": "25:00"}]}},
     "/settings/quiet_hours/windows/0/start", "a time of day such as"),
    ("worker_unhealthy", {"threshold": 1, "labels": {"severity": "x"}}, "/settings/labels", "set by the rule itself"),
    ("worker_unhealthy", {"threshold": 1, "labels": {"a-b": "x"}}, "/settings/labels/a-b", "not begin with a digit"),
    ("worker_unhealthy", {"threshold": 1, "annotations": {"summary": REFUSED[0]}},
     "/settings/annotations/summary", "U+0000"),
    ("external", {"matchers": [{"name": "a", "value": "(", "is_regex": True}]}, "/settings/matchers/0", "expression"),
]  # fmt: skip
POSTED: list[tuple[dict[str, Any], str, str]] = [
    ({"labels": {"alertname": REFUSED[0]}}, "/0/labels/alertname", "U+0000"),
    ({"labels": {"alertname": "X"}, "annotations": {"summary": REFUSED[1]}}, "/0/annotations/summary", "U+0000"),
    ({"labels": {"alertname": "X"}, "generatorURL": REFUSED[0]}, "/0/generatorURL", "U+0000"),
    ({"labels": {"alertname": "x" * 2_001}}, "/0/labels/alertname", "at most 2000 characters"),
    ({"labels": {"<b>": "x"}}, "/0/labels/<b>", "letters, digits and _"),
    ({"labels": {"alertname": "X"}, "startsAt": "10000-01-01T00:00:00Z"}, "/0/startsAt", "ISO 8601"),
]


def place_of(problem: Problem) -> str:
    pointer, _ = problem.errors[0]
    return pointer.removeprefix("#").removesuffix("/[key]")


async def test_hostile_texts_come_back_as_they_went_in_and_mistakes_are_refused_with_their_place(
    day: Day, engine_home: Home
) -> None:
    async with served(day.engine), Client(LocalAddress(engine_home)) as client:
        for type_, settings, pointer, words in SAID:
            rule = {"name": "wrong", "type": type_, "settings": settings}
            with pytest.raises(Problem, match=re.escape(words)) as caught:
                await client.call(alerts.CREATE, body=rule)
            assert place_of(caught.value) == pointer
        for body, pointer, words in POSTED:
            with pytest.raises(Problem, match=re.escape(words)) as caught:
                await client.call(alerts.POST, body=[body])
            assert place_of(caught.value) == pointer
        assert (await client.call(alerts.RULES))["items"] == []
        assert (await client.call(alerts.HISTORY))["items"] == []

        await day.channels(["ops"])
        await client.call(
            alerts.CREATE,
            body={"name": "all", "type": "external", "settings": {"channels": ["ops"], "group_by": ["n"]}},
        )
        posted = [
            {
                "labels": {"alertname": text, "n": str(number)},
                "annotations": {"summary": text, "of": name},
                "generatorURL": text,
            }
            for number, (name, text) in enumerate(HOSTILE)
        ]
        await client.call(alerts.POST, body=posted)
        page = await client.call(alerts.HISTORY, query={"limit": 500})
        found = {int(each["labels"]["n"]): each for each in page["items"]}
        for number, (name, text) in enumerate(HOSTILE):
            each = found[number]
            assert (each["name"], each["labels"]["alertname"]) == (text, text), name
            assert (each["annotations"], each["url"]) == ({"summary": text, "of": name}, text)
        markup = next(text for name, text in HOSTILE if name == "HTML")
        matcher = {"name": "alertname", "value": markup}
        body = {"matchers": [matcher], "comment": markup, "ends_at": "2026-11-24T00:00:00Z"}
        await client.call(alerts.SILENCE, body=body)
        (quiet,) = (await client.call(alerts.HISTORY, query={"label": f"alertname={markup}"}))["items"]
        assert quiet["silenced_by"] is not None
        await client.call(alerts.ACKNOWLEDGE, body={"ids": [quiet["id"]], "note": markup})
        detail = await client.call(alerts.SHOW, id=quiet["id"])
        assert detail["events"][-1]["body"] == markup
        day.now += 60_000
        await notices.flush(day.engine)
        titles = {notice.title for _, notice in day.said}
        assert any("\u202e" in title or "\x1b" in title for title in titles)
