"""Rules as somebody sets them up who is woken by them."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_setup import SetupClient
from tests.tui.setting_up import at_field, at_the, fill, paste

_WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


async def test_a_rule_is_made_changed_and_deleted(tmp_path: Path) -> None:
    fake = SetupClient()
    async with at_the("rules", tmp_path, fake) as person:
        await person.sees("rules of alerts", "2 firing", "5 rules", "20% or more of at", "critical", "5 rules")
        await person.press("enter")
        await person.sees("quiet hours", "mon-fri 22:00-07:00, Europe/Stockholm time", "tells", "ops, on-call")
        await person.sees("enter Change  n New  t Test")
        await person.press("escape", "n")
        await person.sees("A rule about", "Stuck queues")
        await person.press("j", "j", "enter")
        await person.sees("New rule: dead letters", "▸count  per_minute")
        await person.press("escape")
        await person.until(lambda: "New rule" not in person.screen, "a form nobody touched to go without a question")
        await person.press("n", "j", "j", "enter")
        await person.sees("New rule: dead letters", "▸count  per_minute")
        await paste(person, "Too many")
        await person.press("enter")
        await person.sees("✕ is needed", "1 field to put right")
        assert not fake.called("alerts.create"), "what is plainly wrong is not sent"
        await fill(person, "50")
        await person.sees("How many of them, from which on it fires.")
        await person.press("tab", "right", "shift+tab")
        await person.sees("How many a minute, from which on it fires.")
        await person.press("tab", "left", "tab")
        await fill(person, "an hour")
        await at_field(person, "Each")
        await paste(person, "queue")
        await person.press("enter")
        await person.sees("✕ has 'queue', which is not among tenant")
        await at_field(person, "Each")
        await fill(person, "tenant")
        await at_field(person, "Window")
        await person.press("enter")
        await person.sees("✕ is no time such as 15m, 2h or 1h 30m")
        await fill(person, "1h")
        await person.press("tab")
        await fill(person, "5m")
        await at_field(person, "Quiet hours")
        await paste(person, "mon-fri 22:00-07:00")
        await person.press("tab")
        await paste(person, "sat-sun 00:00-24:00")
        await person.press("tab", "tab")
        await paste(person, "Europe/Stockholm")
        fake.refuses = Problem(
            Code.INVALID_INPUT, "settings.window_minutes: is odd.", errors=(("/settings/window_minutes", "is odd"),)
        )
        await person.press("enter")
        await person.sees("✕ is odd", "Too many", "Over how long it is counted")
        fake.refuses = Unreachable("The engine has gone.")
        await person.press("enter")
        await person.sees("The engine has gone. What you typed stays here; enter tries again.")
        await person.press("enter")
        await person.sees("Too many is looked at from now on. t tries it.", "6 rules", "▸  ● quiet")
        body = fake.called("alerts.create")[-1]
        assert (body["name"], body["type"], body["tenant_id"], body["enabled"]) == (
            "Too many",
            "dlq_growth",
            None,
            True,
        )
        settings = body["settings"]
        assert (settings["threshold"], settings["unit"], settings["window_minutes"]) == (50, "count", 60)
        assert (settings["for_seconds"], settings["severity"], settings["group_by"]) == (300, "warning", ["alertname"])
        quiet = settings["quiet_hours"]
        assert quiet["timezone"] == "Europe/Stockholm"
        assert [window["days"] for window in quiet["windows"]] == [_WEEK[:5], _WEEK[5:]]

        await person.press("c")
        await person.sees("Change rule Too many")
        await person.press("tab")
        await fill(person, "60")
        await person.press("escape")
        await person.sees("would be lost", "Go on", "y lose it")
        await person.press("enter")
        await person.sees("enter saves")
        await person.press("enter")
        await person.sees("Too many goes by its new settings", "60 or more dead")
        (sent,) = fake.called("alerts.change")
        assert sent == {"settings": {"threshold": 60}, "version": 1}
        await person.press("c", "tab")
        await person.sees("Change rule Too many")
        await paste(person, "0")
        await person.press("escape")
        await person.sees("y lose it")
        await person.press("y")
        await person.sees("6 rules", "▸  ● quiet")

        await person.press("D")
        await person.sees("Delete rule Too many", "Nothing fires by it now.")
        await person.press("enter")
        await person.sees("6 rules")
        await person.press("D")
        await person.sees("y delete")
        await person.press("y")
        await person.sees("Too many is deleted.", "5 rules")
        await person.press("g", "e")
        await person.sees("Switch off rule Mail fails", "2 alerts that fire by it are resolved.")
        await person.press("y")
        await person.sees("Mail fails is off.", "◌ off")
        await person.press("e")
        await person.sees("Mail fails is on: it is looked at again.")


async def test_a_rule_is_tried_with_what_was(tmp_path: Path) -> None:
    fake = SetupClient()
    async with at_the("rules", tmp_path, fake) as person:
        await person.sees("Mail fails", "enter Detail")
        await person.press("j", "j", "c")
        await person.sees("Change rule Promises of Acme", "▸count  percent")
        await person.press("enter")
        await person.sees("Nothing was changed.")
        await person.press("g")
        await person.press("t")
        await person.sees("Test of rule Mail fails", "threshold 20%", "✕ fires  31.5%", "● quiet  1.25%")
        await person.press(*["j"] * 9)
        await person.sees("it would have fired 3 times", "still", "in quiet hours")
        await person.press("escape", "G")
        await person.sees("alerts from outside with job=~node.*")
        await person.press("t")
        await person.sees("it reads nothing", "this rule only says where they go")
        fake.rules.clear()
        await person.press("escape", "f5")
        await person.sees("No rule yet: nothing fires.")
        assert "Detail" not in person.line(-1)
        await person.press("t")
        await person.sees("Test needs a rule; there is none under the cursor.")
        await person.press("enter")
        await person.sees("Detail needs a rule; there is none under the cursor.")


async def test_who_may_not_change_is_told_why(tmp_path: Path) -> None:
    fake = SetupClient()
    fake.role = "operator"
    async with at_the("rules", tmp_path, fake) as person:
        await person.sees("Mail fails")
        await person.press("n")
        await person.sees("New needs the role admin; you are operator.")
    fake.role = "viewer"
    async with at_the("rules", tmp_path / "viewer", fake) as person:
        await person.sees("Mail fails")
        await person.press("t")
        await person.sees("Test needs the role operator; you are viewer.")
        await person.press("enter")
        await person.sees("quiet hours")
        assert "c Change" not in person.screen
        await person.press("enter")
        await person.until(lambda: "quiet hours" not in person.screen, "the pane to close")
    async with at_the("silences", tmp_path / "other", fake, read_only=True) as person:
        await person.sees("Moving to the new relay.")
        await person.press("D")
        await person.sees("End is off: this console is read-only")


async def test_a_small_terminal_and_texts_from_outside(tmp_path: Path) -> None:
    fake = SetupClient()
    hostile = "\x1b]52;c;aGk=\x07[/red]\u202e"
    fake.rules[3].update(name=hostile, error=hostile)
    fake.rules[3]["settings"].update(channels=[hostile], labels={"team": hostile})
    async with at_the("rules", tmp_path, fake, size=(60, 16)) as person:
        await person.sees("]52;c;aGk=", "[/red]")
        await person.press("c")
        await person.sees("Change rule", "Threshold", "enter saves")
        await person.press("shift+tab")
        await person.sees("Reason", "Why; kept in the audit log.")
        await paste(person, "because")
        await person.press("enter")
        await person.sees("Nothing was changed.")
        await person.press("D")
        await person.sees("Delete rule", "2 alerts that fire by it are resolved.")
        assert not set(person.screen) & set("\x1b\x07\u202e")
        assert not fake.called("alerts.change")
