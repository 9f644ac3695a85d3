"""The queues screen as somebody on call uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.tui.glyphs import UNICODE
from quarterdeck.tui.screens.queues.change import what_is_wrong
from quarterdeck.tui.screens.queues.screen import QueuesScreen
from quarterdeck.tui.screens.queues.words import queue_lines
from quarterdeck.tui.state import ConsoleState
from tests.tui.consoles import Person, person_at
from tests.tui.fake_machines import MachineClient, queue


@asynccontextmanager
async def at_the_queues(tmp_path: Path, fake: MachineClient | None = None, **options: Any) -> AsyncIterator[Person]:
    async with person_at(tmp_path, fake or MachineClient(), **options) as person:
        await person.press("f6")
        await person.sees("30 min", "refunds-api")
        yield person


async def to_refunds(person: Person) -> None:
    await person.press("j", "j")
    await person.sees("refunds-api: 93 % of attempts failed")


async def test_a_glance_says_what_is_stuck_and_why(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await person.sees("✕ 1 unhealthy", "! 1 degraded", "✕ unhealthy", "◌ paused", "18.4k", "4,212", "47m")
        await to_refunds(person)
        await person.press("j")
        await person.sees("reports: The oldest run has waited 11 minutes.")


async def test_the_charts_follow_the_cursor_and_the_window(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await to_refunds(person)
        await person.press("enter")
        await person.sees("charts of the last hour", "throughput /min", "● completed", "1/3", "10 at once")
        await person.press("l")
        await person.sees("latency", "p95 512 ms", "2/3")
        await person.press("l")
        await person.sees("errors", "4,212 × 503")
        await person.press("w")
        await person.sees("charts of the last 24 hours")
        await person.until(
            lambda: {"window": "24h", "queue": "refunds-api"} in [query for _, _, query, _ in person.fake.calls],
            "the charts of a day",
        )
        await person.press("w")
        await person.sees("charts of the last 5 minutes")
        await person.press("escape")
        await person.until(lambda: "charts of" not in person.screen, "the charts to close")


async def test_a_queue_without_work_says_so_in_its_charts(tmp_path: Path) -> None:
    fake = MachineClient()
    fake.quiet = True
    async with at_the_queues(tmp_path, fake) as person:
        await person.press("enter")
        await person.sees("no run came or ended in this time")
        await person.press("l")
        await person.sees("no attempt has ended in this time")


async def test_pausing_asks_for_a_reason_and_resuming_does_not(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await to_refunds(person)
        await person.press("r")
        await person.sees("refunds-api is not paused.")
        await person.press("p")
        await person.sees("Pause refunds-api", "10 active runs go on to the end")
        await person.type("provider is down")
        await person.press("enter")
        await person.sees("refunds-api is paused.", "r Resume")
        assert person.fake.called("queues.pause") == [{"reason": "provider is down"}]
        await person.press("p")
        await person.sees("refunds-api is paused already; r goes on.")
        await person.press("r")
        await person.sees("refunds-api goes on.")
        assert person.fake.called("queues.resume") == [{}]


async def test_a_change_sends_only_what_is_different(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await to_refunds(person)
        await person.press("c")
        await person.sees("Change refunds-api", "At once     10")
        await person.press("ctrl+u")
        await person.type("200")
        await person.press("tab", "ctrl+u", "tab")
        await person.type("2.5")
        await person.press("enter")
        await person.sees("refunds-api has new settings")
        assert person.fake.called("queues.change") == [
            {"concurrency": 200, "tenant_concurrency": None, "rate_per_second": 2.5}
        ]
        await person.press("enter")
        await person.sees("200 at once · at most 2.5/s")


async def test_a_change_that_cannot_be_is_said_before_it_is_sent(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await person.press("c")
        await person.sees("Change bulk")
        await person.press("ctrl+u")
        await person.type("ten")
        await person.press("enter")
        await person.sees("At once must be a whole number.")
        await person.press("ctrl+u")
        await person.type("0")
        await person.press("enter")
        await person.sees("At once must be 1 to 10,000.")
        await person.press("ctrl+u")
        await person.press("enter")
        await person.sees("At once is needed.")
        await person.type("10")
        await person.press("enter")
        await person.sees("Nothing was changed.")
        assert not person.fake.called("queues.change")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("5", ""),
        (" 5 ", ""),
        ("5.5", "must be a whole number"),
        ("nan", "must be a whole number"),
        ("inf", "must be a whole number"),
        ("-1", "must be 1 to 100"),
        ("101", "must be 1 to 100"),
    ],
)
def test_whole_numbers_are_judged_by_the_contract(text: str, wrong: str) -> None:
    assert what_is_wrong(text, {"type": "integer", "minimum": 1, "maximum": 100}) == wrong


def test_a_rate_is_more_than_nothing() -> None:
    rate = {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}
    assert what_is_wrong("0", rate) == "must be more than 0, and at most 1,000,000"
    assert what_is_wrong("fast", rate) == "must be a number, such as 2.5"
    assert what_is_wrong("0.5", rate) == ""


async def test_what_changes_elsewhere_shows_without_a_key(tmp_path: Path) -> None:
    fake = MachineClient()
    async with at_the_queues(tmp_path, fake) as person:
        await to_refunds(person)
        fake.queues["refunds-api"].update(waiting=7, condition="healthy", why=[])
        await fake.tell("queues_changed")
        await person.sees("refunds-api: does well.")
        fake.queues["aaa-new"] = queue("aaa-new")
        await fake.tell("queues_changed")
        await person.sees("aaa-new")
        await person.sees("refunds-api: does well.")  # the cursor stayed on its queue


async def test_many_messages_are_one_look(tmp_path: Path) -> None:
    fake = MachineClient()
    async with at_the_queues(tmp_path, fake) as person:
        before = len(fake.called("queues.list"))
        for n in range(50):
            fake.queues["bulk"]["waiting"] = n
            await fake.tell("queues_changed")
        await person.sees("     49")
        assert len(fake.called("queues.list")) <= before + 2


async def test_without_news_nothing_is_asked(tmp_path: Path) -> None:
    """Only figures that shrink with the time are looked at again, once a minute."""
    fake = MachineClient()
    async with at_the_queues(tmp_path, fake) as person:
        screen = person.console.front
        assert isinstance(screen, QueuesScreen)
        await person.press("enter")
        await person.sees("throughput")
        await person.until(lambda: not screen.is_looking, "the last look")
        assert screen.is_fading
        fake.queues, fake.quiet = {"idle": queue("idle", waiting=3)}, True
        await fake.tell("queues_changed")
        await person.sees("idle  ● healthy", "no run came or ended")
        await person.until(lambda: not screen.is_looking, "the last look")
        assert not screen.is_fading


async def test_no_queue_yet_says_what_makes_one(tmp_path: Path) -> None:
    fake = MachineClient()
    fake.queues = {}
    async with person_at(tmp_path, fake) as person:
        await person.press("f6")
        await person.sees("No queue yet.", "[queues.NAME]")
        await person.press("p")
        await person.sees("Pause needs a queue; there is none under the cursor.")


async def test_an_engine_that_goes_away_leaves_what_is_shown(tmp_path: Path) -> None:
    fake = MachineClient()
    async with at_the_queues(tmp_path, fake) as person:
        await person.press("enter")
        await person.sees("throughput")
        person.console.lost("the engine does not answer.")
        await person.sees("the engine does not answer.", "refunds-api", "throughput")
        await person.press("p")
        await person.sees("Pause has to wait")
        fake.down = "the engine does not answer."
        await person.press("f5")
        await person.sees("refunds-api", "throughput")
        fake.down = ""
        fake.queues["bulk"]["waiting"] = 77
        person.console.session.connected(person.fake)
        person.console.linked()
        await person.sees("     77")


async def test_an_engine_that_refuses_says_why(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        person.fake.down = "The engine is busy."
        await person.press("r")
        await person.sees("bulk is not paused.")
        await person.press("p")
        await person.press("enter")
        await person.sees("The engine is busy.")


async def test_a_reader_is_told_why_nothing_can_be_changed(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path, read_only=True) as person:
        await person.press("p")
        await person.sees("Pause is off: this console is read-only")
        await person.press("c")
        await person.sees("Change is off")


async def test_an_operator_may_pause_but_not_change(tmp_path: Path) -> None:
    fake = MachineClient()
    fake.role = "operator"
    async with at_the_queues(tmp_path, fake) as person:
        await person.press("c")
        await person.sees("Change needs the role admin; you are operator.")
        await person.press("p")
        await person.sees("Pause bulk")


async def test_one_goes_there_by_name_and_comes_back(tmp_path: Path) -> None:
    async with person_at(tmp_path, MachineClient()) as person:
        await person.press("colon")
        await person.type("queues reports")
        await person.press("enter")
        await person.sees("reports: The oldest run has waited")
        await person.press("colon")
        await person.type("queues emails")
        await person.press("enter")
        await person.sees("emails: does well.")
        await person.press("y")
        await person.sees("Copied emails.")
        await person.press("q")
        await person.sees("matching")


async def test_one_goes_on_to_the_runs_of_a_queue_and_comes_back(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await to_refunds(person)
        await person.press("s")
        await person.sees("runs", "queue:refunds-api")
        await person.press("q")
        await person.sees("refunds-api: 93 % of attempts failed")
        await person.press("d")
        await person.sees("dead letters", "queue:refunds-api")


async def test_the_next_start_comes_back_to_the_queues(tmp_path: Path) -> None:
    async with person_at(tmp_path, MachineClient(), state=ConsoleState(screen="queues")) as person:
        await person.sees("30 min", "refunds-api")
        assert person.console.session.state.screen == "queues"


async def test_names_and_reasons_are_only_text(tmp_path: Path) -> None:
    fake = MachineClient()
    evil = "\x1b]52;c;aGk=\x07[/bold]\u202e"
    fake.queues = {"evil": queue("evil", paused=True, paused_by=evil, pause_reason=evil, why=[evil])}
    fake.queues["evil"]["settings"]["target"] = evil
    async with person_at(tmp_path, fake) as person:
        await person.press("f6", "enter")
        await person.sees("[/bold]")
        assert not any(each in person.screen for each in "\x1b\x07\u202e")


async def test_in_ascii_everything_is_ascii(tmp_path: Path) -> None:
    settings = ConsoleSettings(detail_delay_ms=0, ascii=True)
    async with at_the_queues(tmp_path, settings=settings) as person:
        await person.press("j", "enter")
        await person.sees("throughput")
        assert person.screen.isascii()


def test_every_setting_is_said() -> None:
    row = queue(
        "q",
        {
            "tenant_concurrency": 3,
            "rate_per_second": 12.5,
            "exceptions": False,
            "handler": "http",
            "target": "https://x",
        },
        scheduled=4,
    )
    said = "\n".join("".join(text for text, _ in line) for line in queue_lines(row, cells=200, glyphs=UNICODE))
    for words in (
        "posted to https://x",
        "10 at once · 3 a tenant · at most 12.5/s · 5 attempts · 5m each · waits 1s ×2 up to 1h",
        "priority normal · kept 7d done, 90d dead · opens no exceptions",
        "4 scheduled",
    ):
        assert words in said


async def test_a_change_typed_in_one_go(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await to_refunds(person)
        for key in ("c", "ctrl+u", "7", "tab", "ctrl+u", "tab", "ctrl+u", "8", "backspace", "9", "enter"):
            person.console.post_message(events.Key(key, key if len(key) == 1 else None))
        await person.sees("refunds-api has new settings")
        assert person.fake.called("queues.change") == [
            {"concurrency": 7, "tenant_concurrency": None, "rate_per_second": 9}
        ]


async def test_what_was_done_to_a_queue_is_taken_back(tmp_path: Path) -> None:
    async with at_the_queues(tmp_path) as person:
        await to_refunds(person)
        await person.press("u")
        await person.sees("Nothing of yours to take back here")
        await person.press("p")
        await person.sees("Pause refunds-api")
        await person.press("enter")
        await person.sees("refunds-api is paused. u takes it back.")
        await person.press("u")
        await person.sees("Taken back: Pause of refunds-api.")
        assert person.fake.called("queues.resume") == [{}]
        await person.press("c")
        await person.sees("Change refunds-api", "At once     10")
        await person.press("ctrl+u")
        await person.type("20")
        await person.press("enter")
        await person.sees("refunds-api has new settings")
        await person.press("u")
        await person.sees("Taken back: Change of refunds-api.")
        assert person.fake.called("queues.change") == [{"concurrency": 20}, {"concurrency": 10}]
