"""Channels as somebody sets them up who has to be reached."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_setup import SetupClient
from tests.tui.setting_up import at_field, at_the, fill, paste


async def test_a_channel_is_made_tested_changed_and_deleted(tmp_path: Path) -> None:
    fake = SetupClient()
    async with at_the("channels", tmp_path, fake) as person:
        await person.sees("1 broken", "5 channels", "PagerDuty, region us", "✕ failed 2d", "◐ pending 4m")
        await person.press("j")
        await person.sees("old-hook: The receiver answered 410")
        await person.press("n")
        await person.sees("A channel to", "incidents, opened and resolved")
        await person.press("j", "enter")
        await person.sees("New channel: email", "Secrets are not typed here", "What rules call it.", "587")
        await paste(person, "duty")
        await person.press("tab")
        await paste(person, "acmee")
        await person.sees("No item is of a tenant acmee yet; look whether it is spelt so.")
        await person.press("ctrl+u", "tab")
        await paste(person, "a@example.org b@example.org")
        await person.press("tab")
        await paste(person, "qd@example.org")
        await person.press("tab")
        await paste(person, "127.0.0.1")
        where = "is an address inside the engine's network"
        fake.refuses = Problem(Code.ADDRESS_REFUSED, "No.", errors=(("/settings/host", where),))
        await person.press("enter")
        await person.sees(where, "127.0.0.1", "The name of the mail server.")
        await fill(person, "mail.example.org")
        await at_field(person, "Secret in")
        await person.sees("environment variable that holds the password of the")
        await person.press("enter")
        await person.sees("duty is there. t sends a test.", "6 channels")
        (body,) = [each for each in fake.called("channels.create") if each["settings"]["host"] == "mail.example.org"]
        mail = {"kind": "email", "host": "mail.example.org", "port": 587, "security": "starttls", "username": None}
        assert body["settings"] == {**mail, "sender": "qd@example.org", "to": ["a@example.org", "b@example.org"]}
        assert (body["secret_env"], body["secret_keyring"], body["tenant_id"]) == (None, None, None)

        await person.press("g", "j", "j", "j", "t")
        await person.sees("Send a test through ops", "https://hooks.example.org/alerts")
        assert not fake.called("channels.verify"), "a slip of a finger sends nothing"
        await person.press("enter")
        await person.sees("✕ failed  after 212 ms", "answered 503.", "down for repairs")
        await person.press("escape", "c")
        await person.sees("Change channel ops", "QUARTERDECK_CHANNEL_OPS")
        await person.press("tab", "tab", "ctrl+u", "tab")
        await paste(person, "ops")
        await person.press("enter")
        await person.sees("ops is changed, also for what waits for it.")
        assert fake.called("channels.change") == [{"secret_env": None, "secret_keyring": "ops", "version": 1}]
        await person.press("D")
        await person.sees("Delete channel ops", "Notifications that wait for it become dead letters")
        await person.press("y")
        await person.sees("ops is deleted.", "5 channels")
        await person.press("g", "j", "e")
        await person.sees("old-hook is on.")
        assert fake.called("channels.change")[-1] == {"enabled": True, "version": 1}
