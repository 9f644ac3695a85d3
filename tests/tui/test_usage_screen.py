"""The usage screen as somebody uses it who bills for it, or who is billed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.contract.clock import DAY, HOUR, iso
from quarterdeck.contract.enums import Period
from quarterdeck.tui.screens.usage.export import stem_of
from quarterdeck.tui.screens.usage.figures import Asked
from quarterdeck.tui.screens.usage.screen import UsageScreen
from quarterdeck.tui.screens.usage.times import time_of
from quarterdeck.tui.state import ConsoleState
from tests.support.hostile import TEXTS
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import NOW
from tests.tui.fake_usage import UsageClient
from tests.tui.setting_up import at_field, fill


@asynccontextmanager
async def at_the_usage(tmp_path: Path, fake: UsageClient | None = None, **options: Any) -> AsyncIterator[Person]:
    async with person_at(tmp_path, fake or UsageClient(), **options) as person:
        await person.press("$")
        await person.sees("› usage", "this month")
        yield person


def asked(person: Person, name: str) -> list[dict[str, Any]]:
    return [query for called, _, query, _ in person.fake.calls if called == name]


async def test_what_was_used_and_how_full_the_limits_are(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path) as person:
        await person.sees("16 rows", "Sep 2026", "api_calls", "1,468,346", "▲ 41%", "sms_sent")
        await person.sees("! 84% of 25k · full in 3d · acme", "✕ 152% of 150 a day", "1 limit used up")
        await person.press("b", "b")
        await person.sees("5 limits", "fullest first", "at this pace", "52% over", "full in 3d", "lasts")
        await person.press("l")
        await person.sees("sms_sent  each day, UTC", "2/5")


async def test_from_a_row_to_its_tenant_and_its_resource_type_and_back(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path) as person:
        await person.sees("16 rows")
        await person.press("o")
        await person.sees("most used first")
        await person.press("j", "enter")
        await person.sees("tenant globex", "105 rows, newest first", "Mon 21 Sep")
        assert asked(person, "usage.summary")[-1]["tenant"] == "globex"
        await person.press("j", "enter")
        await person.sees("items_ingested f", "21 rows")
        assert asked(person, "usage.details")[-1]["resource_type"] == "items_ingested"
        await person.press("enter")
        await person.sees("Nothing to narrow further")
        await person.press("escape")
        await person.sees("everything f", "105 rows")
        await person.press("escape")
        await person.sees("tenant every", "16 rows, most used first")
        row = person.console.screen.current_row()  # type: ignore[attr-defined]
        assert (row["tenant_id"], row["resource_type"]) == ("globex", "api_calls"), "the row one came from"
        await person.press("escape")
        await person.sees("30 matching")


async def test_other_times(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path) as person:
        await person.sees("16 rows")
        await person.press("n")
        await person.sees("What is to come has not been used yet.")
        await person.press("p")
        await person.sees("last month Aug 2026", "● last month", "◌ Jul 2026")
        last = asked(person, "usage.summary")[-1]
        assert (last["since"], last["until"]) == ("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z")
        await person.press("n", "w")
        await person.sees("this week 21 to 27 Sep", "◌ last week")
        await person.press("w", "b")
        await person.sees("today Mon 21 Sep", "each hour", "Mon 21 Sep 14:00", "84% of 25k a month · full in 3d")
        assert {"since": "2026-09-20T00:00:00Z", "step": "hour"}.items() <= asked(person, "usage.details")[-2].items()


async def test_a_tenant_is_chosen_and_a_resource_type(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path) as person:
        person.fake.used[NOW - HOUR, "only-sms", "sms_sent"] += 1
        await person.press("f5")
        await person.sees("17 rows")
        await person.press("t")
        await person.sees("Whose usage", "globex", "only-sms")
        await person.type("ini")
        await person.press("enter")
        await person.sees("tenant initech", "newest first")
        await person.press("f")
        await person.type("sms")
        await person.press("enter")
        await person.sees("sms_sent f", "21 rows")
        assert asked(person, "usage.summary")[-1]["resource_type"] == "sms_sent"


async def test_a_tenant_sees_its_own_and_is_told_so(tmp_path: Path) -> None:
    fake = UsageClient()
    fake.tenants_seen = ["acme"]
    async with at_the_usage(tmp_path, fake) as person:
        await person.sees("only your own: acme", "newest first")
        await person.press("t")
        await person.sees("You see only what is your own.")
        await person.press("s")
        await person.sees("A limit is set by somebody who sees every tenant.")
        await person.press("escape")
        await person.sees("30 matching")
    fake.calls.clear()
    fake.tenants_seen = ["acme", "globex"]
    async with person_at(tmp_path / "again", fake, state=ConsoleState(screen="usage")) as person:
        await person.sees("only your own: acme, globex t", "10 rows, by resource type")


async def test_what_is_shown_goes_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with at_the_usage(tmp_path) as person:
        await person.sees("16 rows")
        await person.press("enter")
        await person.sees("tenant acme")
        await person.press("e")
        await person.sees("Export usage as", "each day and resource type, acme")
        await person.press("j", "enter")
        await person.sees("Usage is in usage-2026-09-acme.json, in the folder")
        rows = json.loads((tmp_path / "usage-2026-09-acme.json").read_text())
        assert len(rows) == 105
        assert sum(row["quantity"] for row in rows if row["resource_type"] == "api_calls") == 677_718
        await person.press("escape", "e", "enter")
        await person.until((tmp_path / "usage-2026-09.csv").exists, "the other file")
    query = asked(person, "usage.export")[-1]
    assert (query["step"], query["by_tenant"], query["format"], "tenant" in query) == ("month", True, "csv", False)
    assert not list(tmp_path.glob("*.part"))


async def test_it_is_looked_again_only_while_somebody_sees_it(tmp_path: Path) -> None:
    fake = UsageClient()
    async with at_the_usage(tmp_path, fake) as person:
        await person.sees("16 rows")
        screen = person.console.screen
        assert isinstance(screen, UsageScreen)
        screen._looked_at = float("-inf")
        fake.used[NOW - HOUR, "acme", "com.example.gigabytes"] += 12
        news = {"type": "usage_changed"}
        await fake.queue.put(news)
        await person.sees("17 rows", "com.example.gigaby")
        await person.press("f3")
        await person.sees("› operations")
        looks = len(asked(person, "usage.summary"))
        screen._looked_at = float("-inf")
        await fake.queue.put(news)
        await person.pilot.pause()
        assert screen._timer is None
        assert len(asked(person, "usage.summary")) == looks
        await person.press("q")
        await person.sees("17 rows")


async def test_a_limit_is_set_changed_forgotten_and_taken_back(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path) as person:
        await person.press("b", "b")
        await person.sees("5 limits")
        await person.press("j", "s")
        await person.sees("What may be used", "sms_sent", "25000")
        await person.press("tab", "tab", "tab", "end", *["backspace"] * 5)
        await person.sees("A whole number. Now 25,000, by olga; empty: no limit any more.")
        await person.type("many")
        await person.press("enter")
        await person.sees("✕ is no whole number such as 250,000")
        await fill(person, "50,000")
        await person.press("enter")
        await person.sees("At most 50,000 a month: sms_sent of acme. u takes it back.", "42%", "50,000 a month")
        await person.press("u")
        await person.sees("Taken back: the limit of sms_sent of acme.", "25,000 a month")
        await person.press("s", "tab", "tab", "tab", "end", *["backspace"] * 5)
        await person.press("enter")
        await person.sees("No limit any more: sms_sent of acme.", "4 limits")
        await person.press("u")
        await person.sees("5 limits")
        await person.press("s", "escape")
        assert person.fake.called("usage.set_limit")[0] == {
            "resource_type": "sms_sent",
            "tenant_id": "acme",
            "period": "month",
            "quantity": 50_000,
            "version": 1,
        }


async def test_a_limit_that_somebody_else_sets_meanwhile_is_not_lost(tmp_path: Path) -> None:
    fake = UsageClient()
    key = ("acme", "sms_sent", "month")
    async with at_the_usage(tmp_path, fake) as person:
        await person.press("b", "b")
        await person.sees("5 limits")
        await person.press("j", "s")
        await person.sees("What may be used", "25000")
        await at_field(person, "At most")
        await fill(person, "40,000")
        fake.put_limit(key, 30_000, "ben")
        await person.press("enter")
        await person.sees("The limit on sms_sent was set since you looked, by ben", "Read anew")
        assert fake.limits[key] == 30_000
        await person.press("enter")
        await person.sees("ben has changed At most.", "✕ is 30000 by now; enter saves yours", "40,000")
        await person.press("enter")
        await person.sees("At most 40,000 a month: sms_sent of acme.")
        await person.press("s")
        await at_field(person, "At most")
        await fill(person, "")
        await person.press("enter")
        await person.sees("No limit any more: sms_sent of acme.")
        await person.press("u")
        await person.sees("Taken back: the limit of sms_sent of acme.", "40,000 a month")
        await person.press("u")
        await person.sees("Taken back", "30,000 a month")
        await person.press("s")
        for title, text in (("Resource", "sms_sent"), ("Tenant", "acme")):
            await at_field(person, title)
            await fill(person, text)
        await at_field(person, "At most")
        await person.sees("Now 30,000, by olga")
        await fill(person, "45000")
        await person.press("enter")
        await person.sees("At most 45,000 a month")
        fake.put_limit(key, 60_000, "ben")
        await person.press("u")
        await person.sees("limit of sms_sent of acme was not taken back", "by ben; look")
        assert fake.limits[key] == 60_000, "what somebody else has set since stays"


async def test_names_from_outside_are_only_text(tmp_path: Path) -> None:
    fake = UsageClient(empty=True)
    for number, name in enumerate(TEXTS[:40]):
        fake.used[NOW - HOUR, f"{name}{number}", "sms_sent"] += 1 + number
        fake.limits[f"{name}{number}", "sms_sent", "month"] = 40
    async with at_the_usage(tmp_path, fake, size=(120, 40)) as person:
        await person.sees("sms_sent", "rows, by resource type")
        for keys in (("b",), ("b",), ("b", "enter")):
            await person.press(*keys)
            assert not set(person.screen) & set("\x1b\x07\x9b\u202e"), keys


async def test_where_there_are_few_lines_they_are_for_rows(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path) as person:
        await person.pilot.resize_terminal(50, 12)
        await person.sees("by tenant", "acme", "globex", "initech", "enter Narrow")


async def test_nothing_used_says_how_it_comes_in(tmp_path: Path) -> None:
    async with at_the_usage(tmp_path, UsageClient(empty=True)) as person:
        await person.sees("Nothing was used in this time.", "qd usage record", "POST")
        await person.press("enter")
        await person.sees("needs a row")
        await person.press("b", "b")
        await person.sees("No limit is set.", "qd usage set-limit")


async def test_more_than_a_table_holds(tmp_path: Path) -> None:
    fake = UsageClient(empty=True)
    for number in range(3_001):
        fake.used[NOW - HOUR, f"tenant-{number:04}", "api_calls"] = 1 + number
    async with at_the_usage(tmp_path, fake) as person:
        await person.sees("3,000+ rows, by resource type; all of them: e", "4,504,501")


async def test_ways_there(tmp_path: Path) -> None:
    async with person_at(tmp_path, UsageClient()) as person:
        await person.press("colon")
        await person.type("usage")
        await person.press("enter")
        await person.sees("16 rows")
        await person.press("f12")
        await person.sees("This is usage already.")
    async with person_at(tmp_path / "again", UsageClient(), state=ConsoleState(screen="usage")) as person:
        await person.sees("16 rows")
        fake = person.fake
        fake.down = "The engine has gone."
        await person.press("f5")
        await person.sees("The engine has gone.", "1,468,346")


def test_periods_are_cut_as_the_engine_cuts_them() -> None:
    said = {}
    for period in Period:
        for back in (0, 1, 2, 13):
            time = time_of(period, NOW, back)
            said[period, back] = (time.said, time.dates, time.name)
            assert time.before < time.start < time.end
            assert back or time.start <= NOW < time.end
    assert said[Period.MONTH, 13] == ("Aug 2025", "", "2025-08")
    assert said[Period.MONTH, 0] == ("this month", "Sep 2026", "2026-09")
    assert said[Period.WEEK, 2] == ("2 weeks ago", "7 to 13 Sep", "week-2026-09-07")
    assert said[Period.DAY, 1] == ("yesterday", "Sun 20 Sep", "2026-09-20")
    december = time_of(Period.MONTH, NOW + 90 * DAY)
    assert (iso(december.before), iso(december.end)) == ("2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z")


def test_a_name_of_a_file_is_tame() -> None:
    time = time_of(Period.MONTH, NOW)
    assert stem_of(Asked(time, "../../etc/pass wd\x1b[0m", "com.example.gb")) == (
        "usage-2026-09-etc-pass-wd-0m-com-example-gb"
    )
