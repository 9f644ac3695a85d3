"""What the queue says of the promises to an item, and the key that carries out what is suggested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.contract.clock import HOUR, MINUTE, iso
from tests.tui.consoles import person_at
from tests.tui.fake_client import NOW, FakeClient


def clock(target: str = "resolution", state: str = "running", **changes: Any) -> dict[str, Any]:
    made = {
        "target": target,
        "state": state,
        "policy_id": 1,
        "policy": "Standard",
        "policy_version": 2,
        "started_at": iso(NOW - 6 * HOUR),
        "target_minutes": 480,
        "used_minutes": 360.0,
        "due_at": iso(NOW + 2 * HOUR) if state == "running" else None,
        "breached_at": None,
        "ended_at": None,
    }
    return {**made, **changes}


RAISE = {"verb": "set-priority", "params": {"priority": "high"}, "why": "75% of the time to resolve it is used up"}
CALL = {"verb": "comment", "params": {"body": "Call the customer."}, "why": "Call the customer."}


def promised(*suggestions: dict[str, Any], clocks: list[dict[str, Any]] | None = None) -> FakeClient:
    fake = FakeClient()
    late = clock("first_response", "breached", breached_at=iso(NOW - 3 * HOUR), target_minutes=60)
    fake.clocks[1] = {"clocks": clocks or [late, clock()], "suggestions": list(suggestions)}
    return fake


async def test_the_detail_says_how_the_clocks_stand(tmp_path: Path) -> None:
    async with person_at(tmp_path, promised(RAISE, CALL)) as person:
        await person.press("enter")
        await person.sees(
            "promises  Standard v2",
            "✕ breached  first response  6h of 1h          ✕ late 3h",
            "◐ running   resolution      6h of 8h          in 2h",
        )
        await person.press("J")
        await person.sees("e Set priority: high · 75% of the time", "Comment · Call the customer.")
        await person.press("j")
        await person.until(lambda: "promises" not in person.screen, "an item to which nothing is promised")


async def test_what_has_ended_and_what_stands_still(tmp_path: Path) -> None:
    ended = clock("first_response", "met", ended_at=iso(NOW - HOUR), used_minutes=12.5, target_minutes=60)
    fake = promised(clocks=[ended, clock(state="paused")])
    async with person_at(tmp_path, fake, size=(120, 40)) as person:
        await person.press("enter")
        await person.sees("● met       first response", "12m 30s of 1h", "◌ paused", "2h left")


async def test_one_key_carries_out_the_first_suggestion(tmp_path: Path) -> None:
    async with person_at(tmp_path, promised(RAISE, CALL)) as person:
        person.fake.rows[1]["priority"] = "normal"
        await person.press("e")
        await person.sees("Set priority #1", "75% of the time to resolve it is used up", "high")
        await person.press("enter")
        await person.sees("Set priority: #1 is open")
        assert person.fake.called("items.act") == [{"params": {"priority": "high", "reason": None}, "version": 1}]


async def test_esc_leaves_the_suggestion_alone(tmp_path: Path) -> None:
    async with person_at(tmp_path, promised(CALL)) as person:
        await person.press("e")
        await person.sees("Comment #1", "Call the customer.")
        await person.press("escape")
        assert person.fake.called("items.act") == []


async def test_where_nothing_is_suggested_the_key_says_so(tmp_path: Path) -> None:
    async with person_at(tmp_path, promised()) as person:
        await person.press("e")
        await person.sees("Nothing is suggested for #1.")
        await person.press("enter")
        await person.sees("promises")
        await person.press("e")
        await person.sees("Nothing is suggested for this item.")
        await person.press("space", "e")
        await person.sees("one item at a time")


async def test_suggestions_are_off_where_nothing_may_be_changed(tmp_path: Path) -> None:
    async with person_at(tmp_path, promised(RAISE), read_only=True) as person:
        await person.press("e")
        await person.sees("Suggested is off: this console is read-only")


async def test_the_time_left_runs_while_one_looks(tmp_path: Path) -> None:
    fake = promised(clocks=[clock(due_at=iso(NOW + 30 * MINUTE))])
    async with person_at(tmp_path, fake) as person:
        await person.press("enter")
        await person.sees("! in 30m")
        person.console.session.now = lambda: NOW + 59_000
        await person.sees("! in 29m")
        fake.clocks[1] = {"clocks": [clock("resolution", "met", ended_at=iso(NOW))], "suggestions": []}
        person.console.session.now = lambda: NOW + 3 * MINUTE
        await person.sees("● met")


async def test_late_is_a_sign_and_a_word(tmp_path: Path) -> None:
    fake = FakeClient()
    fake.rows[1].update(sla_due_at=iso(NOW - 3 * HOUR), status="open")
    fake.rows[2].update(sla_due_at=iso(NOW + 20 * MINUTE), status="open")
    async with person_at(tmp_path, fake) as person:
        await person.sees("✕ late 3h", "! in 20m")
    async with person_at(tmp_path / "ascii", fake, settings=ConsoleSettings(ascii=True, detail_delay_ms=0)) as person:
        await person.sees("x late 3h", "! in 20m")


async def test_filters_complete_what_clocks_say(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("due:")
        await person.sees("soon", "breached")
        await person.type("br")
        await person.press("tab", "enter")
        await person.sees("/ due:breached")
