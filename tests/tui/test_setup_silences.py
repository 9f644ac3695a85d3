"""Silences as somebody makes them who is about to make noise."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.cli.silences import _standing
from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.tui.glyphs import UNICODE
from quarterdeck.tui.screens.setup.silence_words import silence_lines, standing
from tests.tui.fake_client import NOW
from tests.tui.fake_setup import SetupClient, silence
from tests.tui.setting_up import at_the, fill, paste


async def test_a_silence_is_made_and_ended(tmp_path: Path) -> None:
    fake = SetupClient()
    fake.silences[30]["error"] = "The matcher on host cannot be read."
    async with at_the("silences", tmp_path, fake) as person:
        await person.sees("2 silences hold", "◐ 90s left", "queue=mail", "ana", "○ in 5h", "◌ over 2d")
        await person.press("j", "enter")
        await person.sees(
            "Silence 30: The matcher on host cannot be read.",
            'host=~"web.*|db 1"',
            "14 alerts that would be sent otherwise",
            "in 3d",
        )
        await person.press("escape", "G", "D")
        await person.sees("Silence 12 is over already.")
        await person.press("n")
        await person.sees("New silence", "Alerts whose labels match all of these")
        await paste(person, "queue")
        await person.press("enter")
        await person.sees("cannot be read at 'queue'", "is needed", "2 fields to put right")
        await paste(person, '=mail host=~"web 1|web 2"')
        await person.press("tab")
        await fill(person, "4h")
        await person.press("tab")
        await paste(person, "New cables.")
        await person.press("enter")
        await person.sees("2 firing and 1 pending alerts match now; 1 of them is quiet already.", "y silence")
        await person.sees("#7 Disk fills  host=web 7", "#8 Disk fills  host=web 8", "… and 1 more")
        assert "Saving" not in person.screen, "nothing is saved yet"
        assert "New silence" not in person.screen
        await person.press("enter")
        await person.sees("New silence", "New cables.")
        assert not fake.called("alerts.silence")
        await paste(person, " Done.")
        await person.press("enter")
        await person.sees("y silence")
        await person.press("y")
        await person.sees("2 alerts are kept quiet. D ends it.", "3 silences hold", "▸  ◐ 4h 00m left")
        (body,) = fake.called("alerts.silence")
        assert body["comment"] == "New cables. Done.", "the field somebody was in has the focus again"
        assert body["ends_at"] == iso(NOW + 4 * HOUR)
        assert body["matchers"] == [
            {"name": "queue", "value": "mail", "is_regex": False, "is_equal": True},
            {"name": "host", "value": "web 1|web 2", "is_regex": True, "is_equal": True},
        ]
        await person.press("D")
        await person.sees("End silence", "2 alerts are heard again.")
        await person.press("y")
        await person.sees("is over.", "2 silences hold")


def test_a_silence_that_keeps_nothing_quiet_says_so_and_why() -> None:
    broken = {"error": "The matcher on host is none.", "state": "active"}
    row = silence(7, "host", "(?=a)", NOW - HOUR, NOW + HOUR, "Moving.", **broken)
    assert standing(row, NOW, UNICODE) == (f"{UNICODE.attention} error", "badge-attention")
    lines = silence_lines({**row, "number": 7}, cells=60, glyphs=UNICODE, now=NOW)
    assert "The matcher on host is none." in "\n".join("".join(text for text, *_ in line) for line in lines)
    assert (_standing(row), _standing({**row, "state": "expired"})) == ("broken", "expired")
