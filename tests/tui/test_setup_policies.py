"""Policies as somebody sets them up who promises something."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.tui.consoles import key_of, person_at
from tests.tui.fake_setup import SetupClient
from tests.tui.setting_up import at_the, fill, paste


async def test_a_policy_is_made_changed_and_deleted(tmp_path: Path) -> None:
    fake = SetupClient()
    async with at_the("policies", tmp_path, fake) as person:
        await person.sees("3 policies", "Standard: urgent 15m / 2h, normal 1h / 8h, low - / 48h", "◌ off")
        await person.press("enter")
        await person.sees("mon-fri 08:00-12:00 13:00-17:00, Europe/Stockholm", "public holidays of SE, 2026-12-24")
        await person.press("J")
        await person.sees("75% suggest raise priority", "100% do assign lead: Call the customer.")
        await person.press("n")
        await person.sees("New policy", "It holds for items that enter their queue from now on.", "▸support_tasks")
        await paste(person, "Prompt")
        await person.press("tab", "right", "tab", "tab", "tab")
        await paste(person, "urgent 15m")
        await person.press("enter")
        await person.sees("cannot be read in 'urgent 15m'; write it as urgent 15m /", "low)")
        await paste(person, " / 2")
        await person.press("m")
        await person.sees("The first response is later than the resolution: urgent.")
        await person.press("backspace", "h")
        await person.sees("the resolution; - for none.")
        await person.press("tab")
        await paste(person, "normal - / 8h")
        await person.press("tab", "tab")
        await paste(person, "mon-fri 9:00-12:00 13:00-17:30")
        await person.press("enter")
        await person.sees("✕ is needed", "By whose clock")
        await paste(person, "Europe/Paris")
        await person.press("enter")
        await person.sees("Prompt holds for items that enter from now on.", "4 policies", "returns")
        (body,) = fake.called("sla.create")
        assert (body["name"], body["resource"], body["kind"]) == ("Prompt", "returns", None)
        assert body["settings"]["targets"] == [
            {"priority": "urgent", "first_response_minutes": 15, "resolution_minutes": 120},
            {"priority": "normal", "first_response_minutes": None, "resolution_minutes": 480},
        ]
        calendar = body["settings"]["calendar"]
        assert [(each["start"], each["end"]) for each in calendar["windows"]] == [
            ("09:00", "12:00"),
            ("13:00", "17:30"),
        ]
        assert (calendar["timezone"], calendar["country"], calendar["holidays"]) == ("Europe/Paris", None, [])

        await person.press("g", "c")
        await person.sees("Change policy Standard", "have started keep what held then.")
        await person.press("tab", "tab")
        await fill(person, "high 30m / 4h")
        await person.press("enter")
        await person.sees("Standard is version 5: it holds for items that enter from now on.")
        (sent,) = fake.called("sla.change")
        assert (list(sent), list(sent["settings"]), sent["version"]) == (["settings", "version"], ["targets"], 4)
        assert [each["priority"] for each in sent["settings"]["targets"]] == ["urgent", "high", "low"]
        fake.policies[2]["error"] = "Its hours count by UTC and without public holidays: Europe/Paris is no time zone."
        await person.press("f5", "j")
        await person.sees("! error", "Acme, prompt: Its hours count by UTC")
        await person.press("k")
        await person.press("e")
        await person.sees("Switch off policy Standard", "have no clock", "Clocks that have started go on")
        await person.press("y")
        await person.sees("Standard is off.")
        await person.press("D")
        await person.sees("Delete policy Standard")
        await person.press("y")
        await person.sees("Standard is deleted.", "3 policies")


async def test_ways_there(tmp_path: Path) -> None:
    async with person_at(tmp_path, SetupClient()) as person:
        await person.press("f10")
        await person.sees("at risk")
        await person.press("p")
        await person.sees("3 policies")
        await person.press("q")
        await person.sees("at risk")
        await person.press("f2")
        await person.type("silences")
        await person.press("enter")
        await person.sees("2 silences hold")


async def test_what_is_typed_behind_a_key_that_moves_is_for_the_field_it_leads_to(tmp_path: Path) -> None:
    fake = SetupClient()
    async with at_the("policies", tmp_path, fake) as person:
        await person.sees("3 policies")
        await person.press("n")
        await person.sees("New policy")
        moving = ("P", "down", "right", "tab", "e", "down", "Q", "up", "x", "down", "tab")
        for letter in (*moving, *"low 1h / 2h", "enter"):
            key = key_of(letter) if len(letter) == 1 else letter
            person.console.post_message(events.Key(key, letter if len(letter) == 1 else None))
        await person.sees("P holds for items that enter from now on.")
        (body,) = fake.called("sla.create")
        assert (body["name"], body["resource"], body["tenant_id"]) == ("P", "returns", "ex")
        assert body["kind"] == "Q"
        assert body["settings"]["targets"][0]["resolution_minutes"] == 120
