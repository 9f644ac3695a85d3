"""The workers screen as somebody on call uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from quarterdeck.tui.glyphs import UNICODE
from quarterdeck.tui.screens.workers.screen import WorkersScreen
from quarterdeck.tui.screens.workers.words import card_lines
from quarterdeck.tui.spans import width
from tests.tui.consoles import Person, person_at
from tests.tui.fake_machines import MachineClient, worker


@asynccontextmanager
async def at_the_workers(tmp_path: Path, fake: MachineClient | None = None, **options: Any) -> AsyncIterator[Person]:
    async with person_at(tmp_path, fake or MachineClient(), **options) as person:
        await person.press("f9")
        await person.sees("mailer-1")
        yield person


async def test_cards_say_how_each_type_does_and_rows_which_worker_it_is(tmp_path: Path) -> None:
    async with at_the_workers(tmp_path) as person:
        await person.sees("5 workers of 3 types", "│ reporter", "│ refunder", "● 1 healthy  ! 1", "● 2 healthy")
        await person.press("j", "j", "j")
        await person.sees("refunder-2: /readyz answers 503")
        await person.press("j")
        await person.sees("reporter-1: 3 checks in a row had no answer", "✕ unhealthy", "26m")


async def test_details_and_charts_of_all_their_work(tmp_path: Path) -> None:
    async with at_the_workers(tmp_path) as person:
        await person.press("j", "j", "j", "enter")
        await person.sees("works on refunds-api", "the payment provider refuses connections", "throughput /min")
        queries = [query for name, _, query, _ in person.fake.calls if name == "workers.throughput"]
        assert queries == [{"window": "1h"}]


async def test_a_worker_that_falls_ill_shows_without_a_key(tmp_path: Path) -> None:
    fake = MachineClient()
    async with at_the_workers(tmp_path, fake) as person:
        fake.workers[0].update(condition="unhealthy", why="No heartbeat for 4 minutes.")
        await fake.tell("workers_changed")
        await person.sees("mailer-1: No heartbeat for 4 minutes.", "● 1 healthy  ✕ 1")
        fake.workers.append(worker("mailer-3", "mailer"))
        await fake.tell("workers_changed")
        await person.sees("mailer-3", "6 workers of 3 types")


async def test_workers_beneath_another_screen_are_looked_at_when_they_are_seen_again(tmp_path: Path) -> None:
    fake = MachineClient()
    async with at_the_workers(tmp_path, fake) as person:
        workers = person.console.front
        assert isinstance(workers, WorkersScreen)
        await person.press("f3")
        await person.sees("› operations")
        fake.workers[0].update(condition="unhealthy", why="No heartbeat for 4 minutes.")
        await fake.tell("workers_changed")
        assert not workers.is_looking
        await person.press("q")
        await person.sees("mailer-1: No heartbeat for 4 minutes.")


async def test_the_rate_of_a_type_is_what_was_seen_of_it(tmp_path: Path) -> None:
    fake = MachineClient()
    async with at_the_workers(tmp_path, fake, size=(120, 30)) as person:
        now = person.console.session.now()
        person.console.session.now = lambda: now + 30_000
        fake.workers[0]["completed"] += 45
        await fake.tell("workers_changed")
        await person.sees("8 active · 90/m")
        person.console.session.now = lambda: now + 60_000
        await fake.tell("workers_changed")
        await person.sees("8 active · 45/m")


async def test_two_workers_with_one_name_are_two_rows(tmp_path: Path) -> None:
    fake = MachineClient()
    fake.workers = [worker("twin", url="http://127.0.0.1:1"), worker("twin", url="http://127.0.0.1:2")]
    async with person_at(tmp_path, fake, size=(140, 30)) as person:
        await person.press("f9")
        await person.sees("http://127.0.0.1:1", "http://127.0.0.1:2")


async def test_no_worker_yet_says_what_to_do(tmp_path: Path) -> None:
    fake = MachineClient()
    fake.workers = []
    async with person_at(tmp_path, fake) as person:
        await person.press("f9")
        await person.sees("No worker yet")


async def test_one_goes_from_workers_to_queues_and_back(tmp_path: Path) -> None:
    async with at_the_workers(tmp_path) as person:
        await person.press("f9")
        await person.sees("These are the workers already.")
        await person.press("f6")
        await person.sees("30 min")
        await person.press("colon")
        await person.type("workers")
        await person.press("enter")
        await person.sees("mailer-1")
        await person.press("escape")
        await person.sees("matching")


def types(number: int) -> list[dict[str, Any]]:
    return [
        {
            "type": f"type-{n}",
            "condition": "unhealthy" if n == number - 1 else "healthy",
            "healthy": 1,
            "degraded": 0,
            "unhealthy": 0,
            "active": 2,
            "completed": 3,
            "failed": 0,
        }
        for n in range(number)
    ]


def test_cards_keep_to_their_place_and_leave_out_the_best_first() -> None:
    lines = card_lines(types(9), cells=76, glyphs=UNICODE, rows=1)
    said = ["".join(text for text, _ in line) for line in lines]
    assert len(lines) == 3
    assert all(width(line) <= 76 for line in lines)
    assert said[0].startswith("│ type-8")
    assert "and 7 more types" in said[0]
    assert card_lines([], cells=76, glyphs=UNICODE, rows=1) == []
