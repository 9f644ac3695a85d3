"""Somebody who is called at night: an alert comes while they look, is taken care of, kept quiet, and over."""

from __future__ import annotations

import json

import httpx
import pytest

from quarterdeck.client.finding import socket_of
from tests.support.person import Person

pytestmark = pytest.mark.timeout(180)

RULE = """\
name = "Outside"
type = "external"

[settings]
matchers = [{name = "job", value = "node"}]
"""


def post(person: Person, *hosts: str, **labels: str) -> None:
    """As Prometheus does."""
    url = "https://prometheus.example.com/graph"
    alerts = [
        {
            "labels": {"alertname": "Host is slow", "severity": "critical", "job": "node", "host": host, **labels},
            "annotations": {"summary": f"{host} is \x1b[31mslow", "runbook_url": "https://runbooks.example.com/slow"},
            "generatorURL": url,
        }
        for host in hosts
    ]
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket_of(person.home)))) as client:
        body = json.dumps(alerts)
        answer = client.post("http://engine/api/v2/alerts", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text


def test_an_alert_is_acknowledged_silenced_and_resolved(person: Person) -> None:
    (person.home.path / "rule.toml").write_text(RULE)
    person.qd("alerts", "create-rule", person.home.path / "rule.toml")
    with person.console() as console:
        console.press("!")
        console.wait_for(r"No alert has fired yet")

        # It comes without a key, and its text does nothing to the terminal.
        post(person, "web-1")
        console.wait_for(r"▸ +▲ critical +now Host is slow +host=web-1.* ✕ firing")
        console.wait_for(r"1 critical +1 firing")
        console.press("enter")
        console.wait_for(r"web-1 is ␛\[31mslow")
        console.wait_for(r"https://runbooks\.example\.com/slow")
        console.press("enter")

        console.press("a")
        console.wait_for(r"Acknowledge #\d+ Host is slow")
        console.press("On it.\r")
        console.wait_for(r"Acknowledged #\d+ for 4h; u takes that back\.")
        console.wait_for(r"▸ .*◐ ack ")

        # The next ones of its group are announced, come when wanted, and are one line.
        post(person, "web-2", "web-3")
        console.wait_for(r"3 critical +3 firing")
        console.wait_for(r"\d new, i brings them in")
        console.press("\x1b[15~")
        console.wait_for(r"▲ critical +now Host is slow \(3\).*✕ 1 ack")

        # What a silence would keep quiet is shown before it is made.
        console.press("s")
        console.wait_for(r'alertname="Host is slow" job=node')
        console.press("\t\tThe site moves.\r")
        console.wait_for(r"3 alerts that fire")
        console.press("y")
        console.wait_for(r"Silence #1 keeps 3 alerts quiet; u ends it\.")
        console.wait_for(r"Host is slow \(3\).*◌ all quiet")
        console.press("u")
        console.wait_for(r"Taken back: Silence #1\.")
        console.wait_for(r"Host is slow \(3\).*✕ 1 ack")

        # All of it is over, and is history; the line under the cursor is not pulled away.
        console.press("x")
        console.wait_for(r"Resolve 3 alerts")
        console.press("\tThe site has moved.\r")
        console.press("y")
        console.wait_for(r"Resolved 3 alerts\.")
        console.wait_for(r" 0 firing")
        console.press("\x1b[15~")
        console.wait_for(r"host=web-3.* ● resolved")
        console.press("q")
    over = person.json("alerts", "list", "--state", "resolved")["items"]
    assert [each["labels"]["host"] for each in over] == ["web-3", "web-2", "web-1"]
    timeline = person.json("alerts", "show", str(over[2]["id"]))["events"]
    assert [each["type"] for each in timeline] == ["firing", "acknowledged", "resolved"]
    assert [each["body"] for each in timeline] == [None, "On it.", "The site has moved."]
