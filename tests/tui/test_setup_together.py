"""Two people who set up the same: who comes second is told, and loses nothing."""

from __future__ import annotations

from pathlib import Path

from tests.tui.fake_setup import SetupClient
from tests.tui.setting_up import at_field, at_the, fill, paste


async def test_a_form_is_told_that_somebody_else_was_quicker(tmp_path: Path) -> None:
    fake = SetupClient()
    fails = fake.rules[3]
    async with at_the("rules", tmp_path, fake) as person:
        await person.sees("5 rules", "Mail fails")
        await person.press("c")
        await person.sees("Change rule Mail fails", "▸critical", "mon-fri 22:00-07:00")
        await person.press("tab")
        await fill(person, "30")
        await at_field(person, "Severity")
        await person.press("right")
        await person.sees("▸warning")
        fake.somebody_changes(fails, threshold=25, channels=["ops"], quiet_hours=None)
        await person.press("enter")
        await person.sees("Mail fails has changed since you looked, by ben; look again", "Read anew", "what you typed")
        await person.press("escape")
        await person.sees("enter saves", "30")
        assert (fails["settings"]["threshold"], fails["version"]) == (25, 2), "nothing was overwritten"
        await person.press("enter")
        await person.sees("Read anew")
        await person.press("enter")
        await person.sees("ben has changed Threshold, Channels, Quiet hours, Time zone.", "✕ is 25 by now; enter saves")
        await person.sees("1 field to look at", "30", "▸warning", "such as mon-fri 22:00-07:00")
        await at_field(person, "Labels")
        await paste(person, " site=north")
        await person.press("enter")
        await person.sees("Mail fails goes by its new settings")
        (*_, sent) = fake.called("alerts.change")
        labels = {"team": "mail", "site": "north"}
        assert sent == {"settings": {"threshold": 30, "severity": "warning", "labels": labels}, "version": 2}
        assert (fails["settings"]["channels"], fails["settings"]["quiet_hours"]) == (["ops"], None)

        fake.somebody_changes(fails, threshold=40)
        await person.press("e")
        await person.sees("Switch off rule Mail fails")
        await person.press("y")
        await person.sees("Mail fails has changed since you looked, by ben", "40% or more")
        assert fails["enabled"]
        fake.somebody_changes(fails, threshold=45)
        await person.press("D")
        await person.sees("Delete rule Mail fails")
        await person.press("y")
        await person.sees("has changed since you looked, by ben", "45% or more")
        assert 3 in fake.rules
