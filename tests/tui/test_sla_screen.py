"""The service levels screen as somebody uses it who answers for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from quarterdeck.contract.clock import MINUTE, iso
from quarterdeck.tui.screens.sla.screen import SlaScreen
from quarterdeck.tui.state import ConsoleState
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import NOW
from tests.tui.fake_sla import SlaClient, promise
from tests.tui.test_promises import RAISE, clock


@asynccontextmanager
async def at_the_service_levels(tmp_path: Path, fake: SlaClient | None = None, **options: Any) -> AsyncIterator[Person]:
    async with person_at(tmp_path, fake or SlaClient(), **options) as person:
        await person.press("f10")
        await person.sees("service levels", "at risk")
        yield person


def asked(person: Person, name: str) -> list[dict[str, Any]]:
    return [query for called, _, query, _ in person.fake.calls if called == name]


async def test_what_is_at_risk_comes_first_and_nearest_first(tmp_path: Path) -> None:
    async with at_the_service_levels(tmp_path) as person:
        await person.sees("38 at risk", "159 broken in 30 days", "promises kept", "88% kept")
        await person.until(lambda: "in 90s" in person.line(12), "the nearest at the top")
        await person.press("b")
        await person.sees("late by", "53m ago", "✕ 1h")
        await person.press("b")
        await person.sees("in 90s")


async def test_time_runs_down(tmp_path: Path) -> None:
    async with at_the_service_levels(tmp_path) as person:
        await person.sees("! in 90s", "! in 12m")
        person.console.session.now = lambda: NOW + 31_000
        for half in (person.console.screen.query_one("#risk"),):
            half.table._clock = person.console.session.now  # type: ignore[attr-defined]
        await person.sees("! in 59s", "! in 11m")


async def test_enter_goes_to_the_item_and_q_comes_back(tmp_path: Path) -> None:
    fake = SlaClient()
    fake.clocks[3] = {"clocks": [clock()], "suggestions": [RAISE]}
    fake.rows[3]["priority"] = "normal"
    async with at_the_service_levels(tmp_path, fake) as person:
        await person.press("j", "j", "enter")
        await person.sees("support task #3", "promises", "suggested")
        await person.press("e")
        await person.sees("Set priority #3")
        await person.press("enter")
        await person.sees("Set priority: #3 is open")
        await person.press("q")
        await person.sees("38 at risk")
        row = person.console.screen.current_row()  # type: ignore[attr-defined]
        assert row["item_id"] == 3


async def test_one_tenant_and_another_time(tmp_path: Path) -> None:
    async with at_the_service_levels(tmp_path) as person:
        await person.sees("tenant every", "the last 30 days")
        await person.press("t")
        await person.sees("Service levels of", "globex")
        await person.type("glo")
        await person.press("enter")
        await person.sees("tenant globex", "13 at risk", "53 broken in 30 days")
        assert asked(person, "sla.compliance")[-1]["tenant"] == "globex"
        await person.press("w")
        await person.sees("the last 13 weeks", "each week")
        last = asked(person, "sla.compliance")[-1]
        assert (last["days"], last["period"], last["tenant"]) == (91, "week", "globex")
        broken = asked(person, "sla.breaches")[-1]
        assert (broken["days"], broken["end"]) == (92, "2026-09-22T00:00:00Z"), "from the Monday of the first week on"
        await person.press("f")
        await person.sees("first responses", "0 broken in 13 weeks")
        assert asked(person, "sla.resolution_time")[-1]["target"] == "first_response"
        await person.press("escape")
        await person.sees("tenant every", "38 at risk")
        await person.press("escape")
        await person.sees("matching")


async def test_charts_are_turned_where_not_all_fit(tmp_path: Path) -> None:
    async with at_the_service_levels(tmp_path) as person:
        await person.sees("promises kept", "1/3")
        await person.press("l")
        await person.sees("breaches", "✕ broken")
        await person.press("l")
        await person.sees("time to resolve", "urgent 45 m", "low 38 h")
    async with at_the_service_levels(tmp_path / "wide", size=(200, 60)) as person:
        await person.sees("promises kept", "breaches", "time to resolve", "late by", "38 at risk")
        await person.press("l")
        await person.sees("All charts stand here already.")


async def test_news_of_an_item_is_looked_at(tmp_path: Path) -> None:
    fake = SlaClient()
    async with at_the_service_levels(tmp_path, fake) as person:
        await person.sees("38 at risk")
        screen = person.console.screen
        assert isinstance(screen, SlaScreen)
        screen._looked_at = float("-inf")
        fake.risk.insert(0, promise(fake, 99, NOW + MINUTE, title="Just in"))
        await fake.queue.put(
            {"type": "resource_changed", "resource": "support_tasks", "change": "updated", "ids": [99]}
        )
        await person.sees("39 at risk")
        assert "Just in" not in person.screen, "what comes does not move the row under the cursor"
        await person.press("g")
        await person.sees("Just in")


async def test_where_there_are_few_lines_they_are_for_rows(tmp_path: Path) -> None:
    async with at_the_service_levels(tmp_path) as person:
        await person.pilot.resize_terminal(50, 12)
        await person.sees("38 at risk", "in 90s", "in 12m", "enter Item")
        assert "promises kept" not in person.screen
        await person.press("l")
        await person.sees("There is no room for charts")


async def test_nothing_at_risk_says_what_to_do(tmp_path: Path) -> None:
    fake = SlaClient()
    fake.risk, fake.broken = [], []
    async with at_the_service_levels(tmp_path, fake) as person:
        await person.sees("Nothing falls due soon.", "p shows what is promised", "no promise came to a verdict")
        await person.press("enter")
        await person.sees("needs a row")
        await person.press("b")
        await person.sees("No promise was broken in this time.")


async def test_ways_there(tmp_path: Path) -> None:
    async with person_at(tmp_path, SlaClient()) as person:
        await person.press("colon")
        await person.type("sla")
        await person.press("enter")
        await person.sees("38 at risk")
        await person.press("f10")
        await person.sees("These are the service levels already.")
        await person.press("f6", "f10")
        await person.sees("38 at risk")
        await person.press("escape")
        await person.sees("matching")
    async with person_at(tmp_path / "again", SlaClient(), state=ConsoleState(screen="sla")) as person:
        await person.sees("38 at risk")


async def test_an_item_with_two_promises_is_two_rows(tmp_path: Path) -> None:
    fake = SlaClient()
    both = [
        promise(fake, 5, NOW + n * MINUTE, target=target) for n, target in ((3, "first_response"), (9, "resolution"))
    ]
    fake.risk = [dict(each, title="Twice <b>", at=iso(NOW + (n + 1) * MINUTE)) for n, each in enumerate(both)]
    async with at_the_service_levels(tmp_path, fake) as person:
        await person.sees("2 at risk")
        assert person.screen.count("Twice <b>") == 2


async def test_without_an_engine_the_rows_stay(tmp_path: Path) -> None:
    fake = SlaClient()
    async with at_the_service_levels(tmp_path, fake) as person:
        await person.sees("38 at risk")
        fake.down = "The engine has gone."
        await person.press("f5")
        await person.sees("The engine has gone.", "in 90s")


async def test_leaving_while_figures_are_on_their_way(tmp_path: Path) -> None:
    async with person_at(tmp_path, SlaClient()) as person:
        for _ in range(6):
            await person.pilot.press("f10", "escape")
        await person.sees("300 matching")
        await person.press("f10")
        await person.sees("38 at risk")
