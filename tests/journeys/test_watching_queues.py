"""Somebody on call watches queues while others change them."""

from __future__ import annotations

import pytest

from tests.support.person import Person

pytestmark = pytest.mark.timeout(180)

HOSTILE = "provider \x1b]52;c;aGFja2Vk\x07 is down"


def test_a_queue_is_paused_here_and_resumed_elsewhere(person: Person) -> None:
    person.qd("queues", "create", "refunds-api", "--concurrency", "4")
    with person.console() as console:
        console.wait_for(r"0 matching")
        console.press("f6")
        console.wait_for(r"▸  bulk .*healthy")
        console.press("jj")
        console.wait_for(r"refunds-api: does well")

        # Pause it, with a reason that is only text.
        console.press("p")
        console.wait_for(r"Pause refunds-api")
        console.press("they are down\r")
        console.wait_for(r"refunds-api is paused")
        console.wait_for(r"◌ paused")
        shown = person.json("queues", "show", "refunds-api")
        assert (shown["paused"], shown["pause_reason"]) == (True, "they are down")

        # Somebody else resumes it: the screen says so without a key.
        person.qd("queues", "resume", "refunds-api")
        console.wait_for(r"▸  refunds-api .*● healthy")
        person.qd("queues", "pause", "refunds-api", "--reason", HOSTILE)
        console.wait_for(r"Paused by .*provider ␛")
        assert b"\x1b]52;c;aGFja2Vk" not in console.raw

        # More at once, from the next run on.
        console.press("c")
        console.wait_for(r"At once +4")
        console.press("0\r")
        console.wait_for(r"has new settings")
        assert person.json("queues", "show", "refunds-api")["settings"]["concurrency"] == 40

        # The charts, and a screen that is silent while nothing happens.
        console.press("enter")
        console.wait_for(r"charts of the last hour")
        console.wait_for(r"no run came or ended in this time")
        console.press("w")
        console.wait_for(r"charts of the last 24 hours")
        console.settle(quiet=1.0)

        # The next start comes back here.
        console.press("f9")
        console.wait_for(r"No worker yet")
        console.press("ctrl+q")
    with person.console() as console:
        console.wait_for(r"No worker yet|does well|refunds-api")
