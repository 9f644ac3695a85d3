"""Home as somebody uses it who comes to work: what needs them, and the way to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.contract.clock import MINUTE, iso
from quarterdeck.tui.screens.home.needs import needs, quiet_words
from quarterdeck.tui.screens.home.screen import HomeScreen
from quarterdeck.tui.state import ConsoleState
from quarterdeck.tui.text import safe
from tests.support.hostile import TEXTS
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import NOW
from tests.tui.fake_home import HomeClient, alert, busy, calm

FAST = ConsoleSettings(detail_delay_ms=0, home_refresh_seconds=0.5)


def looks(person: Person) -> int:
    return sum(name == "overview.show" for name, *_ in person.fake.calls)


def under_cursor(person: Person) -> str:
    return next(line for line in person.screen.splitlines() if line.startswith("▸"))


async def test_each_line_is_a_door(tmp_path: Path) -> None:
    async with person_at(tmp_path, HomeClient()) as person:
        await person.press("0")
        await person.sees("needs you", "11 things to see to", "Disk is nearly full")
        assert "3 critical alerts fire, last Mail fails" in under_cursor(person)
        await person.press("j")
        assert "8 support tasks are late" in under_cursor(person)
        await person.press("enter")
        await person.sees("support_tasks", "due:breached")
        await person.press("0")
        await person.sees("needs you")
        await person.press("tab")
        assert "support tasks         12,031" in under_cursor(person)
        await person.press("right", "j", "l", "l", "k", "left")
        door = person.console.screen.doors.door  # type: ignore[attr-defined]
        assert (door.key, door.to) == ("support_tasks due_soon", "support_tasks due:soon")
        await person.press("shift+tab", "shift+tab")
        assert "Mail fails" in under_cursor(person) or "alerts" in under_cursor(person)
        await person.press("tab", "tab", "tab", "tab", "k")
        assert "promises kept" in under_cursor(person)
        await person.press("j", "j", "enter")
        await person.sees("operations")
        await person.press("q")
        await person.sees("needs you")
        await person.press("G", "g", "j", "j", "j", "enter")
        await person.sees("queues", "refunds-api")
        await person.press("0", "y")
        await person.sees("Copied the line")
        await person.press("0")
        await person.sees("This is home already")
        await person.press("J")
        await person.sees("no detail pane")
        await person.press("question_mark")
        await person.sees("To what the line is about.")


async def test_back_from_a_queue_that_a_door_led_to_is_home_again(tmp_path: Path) -> None:
    async with person_at(tmp_path, HomeClient()) as person:
        await person.press("0")
        await person.sees("needs you", "Disk is nearly full")
        await person.press("j", "enter")
        await person.sees("due:breached")
        await person.press("q")
        await person.until(lambda: "8 support tasks are late" in under_cursor(person), "the door that was left by")
        await person.press("q")
        await person.sees("support_tasks", "due:breached")
        # Who went on to another place since does not come here for home.
        await person.press("0")
        await person.sees("needs you", "Disk is nearly full")
        await person.press("j", "enter", "f6")
        await person.sees("refunds-api")
        await person.press("q")
        await person.sees("due:breached")
        await person.press("q")
        assert not person.console.is_running


async def test_where_no_rule_watches_that_nothing_fires_says_little(tmp_path: Path) -> None:
    fake = HomeClient(calm())
    fake.overview["alerts"]["rules"] = 0
    async with person_at(tmp_path, fake, settings=FAST, state=ConsoleState(screen="home")) as person:
        await person.sees("Nothing needs you.", "no rule watches, :rules makes one")


async def test_it_is_looked_at_when_something_happens_and_somebody_sees_it(tmp_path: Path) -> None:
    fake = HomeClient(calm())
    async with person_at(tmp_path, fake, settings=FAST, state=ConsoleState(screen="home")) as person:
        await person.sees("Nothing needs you.", "none fires", "100% in 7 d")
        before = looks(person)
        await person.press("j", "j", "k")
        assert looks(person) == before
        fake.overview = busy()
        for _ in range(20):
            fake.queue.put_nowait({"type": "queues_changed"})
        await person.sees("11 things to see to")
        assert looks(person) <= before + 2
        # Beneath another screen nothing is asked, and then once.
        await person.press("f6")
        await person.sees("queues")
        asked = looks(person)
        fake.overview = calm()
        fake.queue.put_nowait({"type": "workers_changed"})
        await person.until(lambda: fake.queue.empty(), "the message to be heard")
        assert looks(person) == asked
        await person.press("q")
        await person.sees("Nothing needs you.")
        # What was counted before something happened is looked at again, until it is not.
        fake.overview = {**busy(), "age_seconds": 60.0}
        fake.queue.put_nowait({"type": "resync"})
        await person.sees("things to see to")
        asked = looks(person)
        fake.overview = calm()
        await person.sees("Nothing needs you.")


async def test_a_part_that_fails_says_so_and_an_engine_that_is_gone_too(tmp_path: Path) -> None:
    broken = calm() | {
        "alerts": None,
        "items": None,
        "failed": [
            {"part": "alerts", "why": "Reading the alerts failed."},
            {"part": "items", "why": "The store is busy."},
        ],
    }
    fake = HomeClient(broken)
    async with person_at(tmp_path, fake, settings=FAST, size=(70, 20)) as person:
        await person.press("0")
        await person.sees("Nothing of what could be read needs you", "Reading the alerts failed.", "The store is busy.")
        person.console.lost("It was killed.")
        await person.sees("It was killed", "none runs")
        fake.overview = busy()
        person.console.session.connected(fake)
        person.console.linked()
        await person.sees("8 support tasks are late")
        fake.overview = {}
        await person.press("f5")
        await person.sees("The store is busy; try again.", "8 support tasks are late")


async def test_figures_that_are_still_counted(tmp_path: Path) -> None:
    fake = HomeClient(calm())
    counted = fake.overview
    items = [{**each, "open": None, "due_soon": None, "breached": None} for each in counted["items"]]
    fake.overview = counted | {"items": items, "promises": {"day": None, "week": None, "days": None}}
    async with person_at(tmp_path, fake, settings=FAST) as person:
        await person.press("0")
        await person.sees("Nothing needs you so far", "still being counted", "…")
        fake.overview = counted
        await person.sees("Nothing needs you.", "12,031")
        assert isinstance(person.console.screen, HomeScreen)


def test_what_needs_somebody_is_said_in_order_and_harmlessly() -> None:
    overview: dict[str, Any] = calm()
    assert (needs(overview), quiet_words(overview)) == ([], "Nothing needs you.")
    hostile = "".join(TEXTS)[:4_000]
    one = {"healthy": 0, "degraded": 1, "unhealthy": 0}
    overview["queues"] = one | {"unwell": [{"name": "mail", "condition": "degraded", "why": hostile}]}
    many = [{"name": f"w-{n}", "condition": "unhealthy", "why": "It is down."} for n in range(10)]
    overview["workers"] = {"healthy": 0, "degraded": 0, "unhealthy": 30, "unwell": many}
    overview["alerts"]["unseen"] = [{"name": "critical", "count": 1}]
    overview["alerts"]["latest"] = [alert(2), alert(0, name=hostile, since=iso(NOW - MINUTE))]
    overview["items"][1]["breached"] = overview["items"][1]["due_soon"] = 1
    said = needs(overview)
    assert all(safe(each.words) == each.words for each in said)
    assert [each.to for each in said] == [
        *("alerts severity:critical", "returns due:breached", "workers"),
        *("returns due:soon", "queues mail"),
    ]
    assert said[1].words == "1 return is late"
    assert said[2].words == "30 workers are unhealthy: w-0, w-1, w-2, …"


async def test_a_start_can_show_home_whatever_was_shown_last(tmp_path: Path) -> None:
    settings = ConsoleSettings(detail_delay_ms=0, first_screen="home")
    async with person_at(tmp_path, HomeClient(), settings=settings, state=ConsoleState(screen="sla")) as person:
        await person.sees("things to see to")
