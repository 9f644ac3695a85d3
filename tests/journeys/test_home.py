"""Somebody has the console open when something breaks: home, the banner, the bell, the alert, and quiet again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.person import Person

pytestmark = pytest.mark.timeout(180)

ALERT = {
    "labels": {"alertname": "Mail fails\x1b]0;owned\x07", "severity": "critical", "tenant": "acme"},
    "annotations": {"summary": "Nothing has gone out for ten minutes."},
}


def bells(sent: bytes) -> int:
    """Those that end no command to the terminal."""
    return re.sub(rb"\x1b\][^\a]*\a", b"", sent).count(b"\a")


def test_a_critical_alert_is_heard_seen_and_seen_to(person: Person, export: tuple[Path, Path], tmp_path: Path) -> None:
    table, mapping = export
    person.home.config.write_text('[console]\nalert_bell = true\nalert_notice = "osc777"\n')
    person.qd("import", "support_tasks", table, "--mapping", mapping)
    posted = tmp_path / "alerts.json"
    posted.write_text(json.dumps([ALERT]))
    with person.console() as console:
        console.wait_for(r"60 matching")
        console.press("0")
        console.wait_for(r"Nothing needs you\.")
        console.wait_for(r"support tasks +60 +0 +0")
        console.settle()
        before = len(console.raw)

        assert "1 changed" in person.qd("alerts", "post", posted)
        console.wait_for(r"▲ critical: Mail fails.*, acme, since \d\d:\d\d +! goes there")
        console.wait_for(r"  ✕ 1 critical alert fires(.*\n)+▸ support tasks")
        console.press("g")
        console.wait_for(r"▸ ✕ 1 critical alert fires: Mail fails")
        console.settle()
        heard = console.raw[before:]
        assert "\x1b]777;notify;Critical alert;Mail fails␛]0,owned␇\a".encode() in heard
        assert bells(heard) == 1
        assert b"\x1b]0;" not in heard

        # The same alert, posted again, is no news.
        person.qd("alerts", "post", posted)
        console.press("enter")
        console.wait_for(r"severity:critical")
        console.wait_for(r"▸ .*critical .*Mail fails")
        number = person.json("overview", "--critical")["newest"][0]["id"]
        person.qd("alerts", "ack", str(number))
        console.wait_until_gone(r"goes there")
        console.press("0")
        console.wait_for(r"Nothing needs you\.")
        console.wait_for(r"alerts +▲ 1 critical +1 ack")
        console.settle()
        assert (bells(console.raw[before:]), console.raw.count(b"]777;")) == (1, 1)

        # Home is silent while nothing happens.
        quiet = len(console.raw)
        console.settle(quiet=2.5)
        assert len(console.raw) - quiet < 200
