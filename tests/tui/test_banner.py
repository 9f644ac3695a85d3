"""Critical alerts on whatever screen one is: the banner, the bell, the notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.tui.clipboard import through
from quarterdeck.tui.ringing import notice
from quarterdeck.tui.text import safe
from tests.support.hostile import TEXTS
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import NOW
from tests.tui.fake_home import HomeClient, alert


def asked(person: Person) -> int:
    return sum(name == "overview.critical" for name, *_ in person.fake.calls)


def listen(person: Person) -> list[str]:
    """What is sent to the terminal from now on, beside what is drawn."""
    sent: list[str] = []
    person.console.send = sent.append  # type: ignore[method-assign]
    return sent


async def test_it_comes_and_goes_on_every_screen_and_the_row_under_the_cursor_stays(tmp_path: Path) -> None:
    fake = HomeClient()
    async with person_at(tmp_path, fake) as person:
        await person.until(lambda: asked(person) == 1, "one look after the first rows")
        await person.press("j", "j", "j", "j", "j")
        before = person.screen.splitlines()
        at = next(number for number, line in enumerate(before) if line.startswith("▸"))
        fake.fire(alert(0), alert(2))
        await person.sees("▲ critical: Mail fails, acme, since", "and 1 more", "goes there")
        assert "Mail fails" in person.line(1)
        await person.until(lambda: person.line(at) == before[at], "the row on its line")
        assert person.line(at + 1) == before[at + 1]
        for key, words in (("f10", "at risk"), ("0", "needs you"), ("f4", "Theme"), ("escape", "needs you")):
            await person.press(key)
            await person.sees(words, "▲ critical: Mail fails")
            assert "Mail fails" in person.line(1)
        # Also where somebody fills in a form meanwhile, and when it changes behind one.
        await person.press("colon")
        await person.sees("Go to")
        fake.fire(alert(2))
        await person.sees("▲ critical: Search is slow, globex")
        await person.press("escape", "q", "q", "slash")
        await person.sees("Search is slow", "status:")
        assert "Search is slow" in person.line(1)
        await person.press("escape")
        fake.fire()
        await person.until(lambda: "▲ critical" not in person.screen, "it to go")
        await person.until(lambda: person.line(at) == before[at], "the row on its line")
        calls = asked(person)
        fake.queue.put_nowait({"type": "queues_changed"})
        await person.press("j", "k")
        assert asked(person) == calls


async def test_a_short_terminal_has_no_line_to_give(tmp_path: Path) -> None:
    fake = HomeClient()
    async with person_at(tmp_path, fake, size=(60, 12)) as person:
        fake.fire(alert(0, name="Ω" * 500 + "\x1b]52;c;x\x07", tenant_id=None, since=iso(NOW - 100 * HOUR)))
        await person.sees("▲ critical: ΩΩΩ")
        assert "critical" in person.line(0)
        assert len(person.line(0)) <= 60
        await person.press("f4")
        await person.sees("Theme", "▲ critical")
        assert [number for number in range(12) if "▲ critical" in person.line(number)] == [0]
        await person.press("escape")
        fake.fire()
        await person.sees("support_tasks")


async def test_where_no_key_leads_there_its_name_has_the_room(tmp_path: Path) -> None:
    fake = HomeClient()
    async with person_at(tmp_path, fake, size=(60, 24)) as person:
        fake.fire(alert(0, labels={"host": "relay-7"}))
        await person.sees("▲ critical: Mail fails ho…, acme, since", "! goes there")
        await person.press("f4")
        await person.sees("Theme", "▲ critical: Mail fails host=relay-7, acme, since")
        assert "goes there" not in person.screen
        await person.press("escape")
        await person.pilot.resize_terminal(50, 12)
        await person.sees("▲ critical: Mail fails host", "…, acme", "! goes there")


async def test_it_rings_once_for_what_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux")
    fake = HomeClient()
    fake.critical = {"count": 30, "more": False, "newest": [alert(n) for n in range(20)]}
    settings = ConsoleSettings(detail_delay_ms=0, alert_bell=True, alert_notice="osc777")
    async with person_at(tmp_path, fake, settings=settings) as person:
        await person.sees("and 29 more")
        sent = listen(person)
        # One that was there all along, and that there was no room to tell.
        fake.fire(*(alert(n) for n in range(1, 25)))
        await person.sees("and 23 more")
        assert sent == []
        hostile = "\x1b]0;owned\x07;a" + TEXTS[0]
        fake.fire(alert(-2, name=hostile), alert(-1), alert(1))
        await person.sees("and 2 more")
        bell, wrapped = sent
        assert bell == "\a"
        said = f"{safe(hostile).replace(';', ',')} and 1 more"[:200]
        assert wrapped == through(f"\x1b]777;notify;Critical alert;{said}\a", {"TMUX": "x"})
        # Back again after it was acknowledged: no news.
        fake.fire(alert(1))
        fake.fire(alert(-1), alert(1))
        await person.sees("and 1 more")
        assert len(sent) == 2


def test_nothing_from_outside_ends_a_notice() -> None:
    assert notice("osc9", "Critical alert", "Mail fails") == "\x1b]9;Critical alert: Mail fails\a"
    for text in TEXTS:
        for form in ("osc9", "osc777"):
            sent = notice(form, "Critical alert", text)
            inside = sent[2:-1]
            assert not any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 for each in inside)
            assert inside.count(";") == (1 if form == "osc9" else 3)
