"""The alerts screen as somebody uses it who is called at night."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from quarterdeck.contract.clock import MINUTE, iso
from quarterdeck.tui.screens.alerts.screen import AlertsScreen
from quarterdeck.tui.state import ConsoleState
from tests.tui.consoles import Person, person_at
from tests.tui.fake_alerts import AlertClient, alert
from tests.tui.fake_client import NOW
from tests.tui.fake_home import alert as critical

CHANGED = {"type": "alerts_changed"}


@asynccontextmanager
async def at_the_alerts(tmp_path: Path, fake: AlertClient | None = None, **options: Any) -> AsyncIterator[Person]:
    async with person_at(tmp_path, fake or AlertClient(), **options) as person:
        await person.press("f11")
        await person.sees("› alerts", "firing")
        yield person


def fires(fake: AlertClient) -> list[int]:
    return [number for number, row in fake.alerts.items() if row["state"] == "firing"]


def under_cursor(person: Person) -> str:
    return next(line for line in person.screen.splitlines() if line.startswith("▸"))


async def test_what_fires_comes_first_the_worst_on_top_and_in_groups(tmp_path: Path) -> None:
    fake = AlertClient()
    async with at_the_alerts(tmp_path, fake) as person:
        await person.sees("3 critical", "19 firing", "1 pending")
        lines = person.screen.splitlines()[3:13]
        starts = (
            "Host is slow (14)",
            "Queue waits",
            "Mail fails",
            "␛]52",
            "Dead letters",
            "Disk fills",
            "Slow work",
        )
        assert [words in line for words, line in zip(starts, lines, strict=False)] == [True] * len(starts)
        assert "93% (20%)" in person.screen
        assert "resolved" in lines[7]
        assert "queue=refunds-api" in person.screen
        assert "\u202e" not in person.screen

        # A group is opened, and left again where one was.
        await person.press("enter")
        await person.sees("alerts · Host is slow", "host=web-42", "1 critical", "14 firing")
        assert "host=web-40" in under_cursor(person)
        await person.press("f")
        await person.sees("These are the alerts of one group.")
        # What joins it meanwhile is said, and does not move what is looked at.
        fake.alerts[43] = {**fake.alerts[41], "id": 43, "labels": {**fake.alerts[41]["labels"], "host": "web-43"}}
        await fake.tell("alerts_changed")
        await person.sees("15 firing", "1 new, i brings them in")
        assert "web-43" not in person.screen
        await person.press("i")
        await person.sees("host=web-43")
        del fake.alerts[43]
        await person.press("escape")
        await person.sees("Host is slow (14)", "19 firing")

        # Or every alert stands by itself.
        await person.press("f")
        await person.sees("Every alert by itself.", "host=web-41")
        await person.press("f")
        await person.sees("Host is slow (14)")

        # What is over is found by its end, and by a filter.
        await person.press("G")
        await person.until(lambda: "resolved" in under_cursor(person), "the end of the list")
        await person.press("slash")
        await person.type("emails name:")
        await person.sees('"Mail fails"')
        await person.type('"M')
        await person.press("tab", "enter")
        await person.sees("0 firing", "resolved")
        assert "Host is slow" not in person.screen
        await person.press("o")
        await person.sees("Alerts stand in one order")
        # The banner's key leads to what it says, whatever was looked for.
        fake.critical = {"count": 1, "more": False, "newest": [critical(0)]}
        await fake.tell("alerts_changed")
        await person.sees("▲ critical: Mail fails", "goes there")
        await person.press("exclamation_mark")
        await person.sees("Host is slow (14)", "19 firing")


async def test_why_it_fires_who_was_told_and_where_it_leads(tmp_path: Path) -> None:
    fake = AlertClient()
    fake.alerts[62]["labels"] = {"note": "x\nforged"}
    async with at_the_alerts(tmp_path, fake, size=(200, 60)) as person:
        await person.press("j", "j", "enter")
        await person.sees("It reads 93%; the rule fires when", "20% or more of attempts", "limit 20%")
        await person.sees("on-call trigger  ● delivered", "chat trigger  ✕ failed, 4 tries", "503 from hooks")
        await person.sees("came back  2 times", "Y copies https://runbooks.example.com/mail-fails")
        await person.press("Y")
        await person.sees("Copied its link.")
        await person.press("d")
        await person.sees("queues")
        await person.until(lambda: "refunds-api" in under_cursor(person), "the queue")
        await person.press("q", "R")
        await person.sees("run #7")
        await person.press("q", "k")
        await person.sees("You look after it until", "olga acknowledged", "The provider is told.")
        await person.press("j", "j")
        await person.sees("␛]52;c;aGk=␇[/foo] <b>", "Another system says so", "none takes it")
        await person.sees("note=x⏎forged")
        await person.press("d")
        await person.sees("What it is about is not here")
        await person.press("Y")
        await person.sees("This alert came without a link.")
        await person.press("j")
        await person.sees("It is not sent while alert #90 fires")
        await person.press("S")
        await person.sees("It is quiet while alert #90 fires, without a silence.")
        await person.press("j")
        await person.sees("Silence #5 keeps it quiet until", "ana:", "The north site moves.")
        await person.press("x")
        await person.sees("Resolve #60 Disk fills")
        await person.press("escape", "j", "a")
        await person.sees("Acknowledge applies to alerts that fire; this one is pending.")
        await person.press("g")
        await person.sees("group Host is slow", "nobody looks after any of them, 1 kept quiet", "the newest")


async def test_one_is_acknowledged_a_group_what_is_marked_and_all(tmp_path: Path) -> None:
    fake = AlertClient()
    async with at_the_alerts(tmp_path, fake) as person:
        await person.press("j", "j", "a")
        await person.sees("Acknowledge #90 Mail fails", "It stops repeating")
        await person.type("on it")
        await person.press("tab")
        await person.type("so")
        await person.press("enter")
        await person.sees("✕ 'so' is no time such as 30m, 4h or 2d")
        await person.press("ctrl+u")
        await person.until(lambda: "no time such as" not in person.screen, "the mistake to go with what was typed")
        await person.type("2h")
        await person.press("enter")
        await person.sees("Acknowledged #90 for 2h; u takes that back.", "ack you")
        assert fake.called("alerts.acknowledge") == [{"minutes": 120, "note": "on it", "ids": [90]}]
        assert under_cursor(person).strip().startswith("▸")
        assert "Mail fails" in under_cursor(person)
        await person.press("u")
        await person.sees("Taken back: Acknowledged #90.")
        await person.until(lambda: "✕ firing" in under_cursor(person), "nobody to look after it")

        await person.press("g", "a")
        await person.sees("Acknowledge 14 alerts", "critical 1", "warning 13", "and 11 more")
        await person.press("enter")
        await person.sees("Acknowledged 14 alerts for 4h;", "all ack")

        await person.press("g", "space", "space")
        await person.sees("15 marked")
        await person.press("A")
        await person.sees("19 marked")
        # Only what something would be done with looks marked.
        lines = [line for line in person.screen.splitlines()[3:13] if line[1:2] == "■"]
        assert lines
        assert not [line for line in lines if "pending" in line or "resolved" in line]
        await person.press("G", "space")
        await person.sees("All that fire are marked; this one is resolved.", "19 marked")
        await person.press("g", "space")
        await person.sees("5 marked")
        await person.press("x")
        await person.sees("Resolve 5 alerts", "Cancel")
        await person.press("x")
        assert "Resolve 5 alerts" in person.screen, "the key that opened it does not carry it out"
        await person.press("tab")
        await person.type("ok")
        await person.press("enter", "y")
        await person.sees("Resolved 5 alerts.")
        assert sorted(fires(fake)) == list(range(29, 43))
        assert "marked" not in person.screen


async def test_what_was_typed_outlives_an_engine_that_does_not_answer(tmp_path: Path) -> None:
    fake = AlertClient()
    async with at_the_alerts(tmp_path, fake) as person:
        await person.press("j", "j", "a")
        await person.sees("Acknowledge #90")
        await person.type("on it")
        fake.down = "The engine does not answer."
        await person.press("tab", "enter")
        await person.sees("Acknowledge #90", "on it", "The engine does not answer.")
        fake.down = ""
        await person.press("enter")
        await person.sees("Acknowledged #90 for 4h;")
        assert fake.called("alerts.acknowledge")[-1] == {"minutes": None, "note": "on it", "ids": [90]}


async def test_a_silence_says_what_it_would_keep_quiet(tmp_path: Path) -> None:
    fake = AlertClient()
    async with at_the_alerts(tmp_path, fake) as person:
        await person.press("s")
        await person.sees("Silence 14 alerts", 'alertname="Host is slow" site=north')
        await person.press("tab", "tab")
        await person.type("It moves.")
        await person.press("enter")
        await person.sees('Silence alertname="Host is slow" site=north', "14 alerts that fire", "1 of them", "Cancel")
        await person.press("s", "enter")
        await person.sees("Nothing was done.")
        assert not fake.called("alerts.silence")

        await person.press("s")
        await person.sees("alertname=")
        await person.press("end", "ctrl+u")
        await person.type("so")
        await person.press("tab", "tab")
        await person.type("It moves.")
        await person.press("enter")
        await person.sees("✕ cannot be read at 'so'")
        # Another mistake takes its place, at its own field.
        await person.press("home", "ctrl+k")
        await person.type("host=web-41")
        await person.until(lambda: "cannot be read" not in person.screen, "the mistake to go with what was typed")
        await person.press("tab", "ctrl+u")
        await person.type("x")
        await person.press("enter")
        await person.sees("✕ 'x' is no time such as 30m, 4h or 2d")
        lines = [line for line in person.screen.splitlines() if "no time such as" in line or "For  " in line]
        assert "For  " in lines[0]
        assert "no time such as" in lines[1]
        await person.press("ctrl+u")
        await person.type("2h")
        await person.press("shift+tab", "home", "ctrl+k")
        await person.type("host=web-41")
        await person.press("enter")
        await person.sees("1 alert that fires")
        await person.press("y")
        await person.sees("Silence #6 keeps 1 alert quiet; u ends it.")
        made = fake.called("alerts.silence")[0]
        assert made["matchers"] == [{"name": "host", "value": "web-41", "is_regex": False, "is_equal": True}]
        assert (made["ends_at"], made["comment"]) == (iso(NOW + 120 * MINUTE), "It moves.")
        await person.press("u")
        await person.sees("Taken back: Silence #6.")
        assert fake.alerts[41]["silenced_by"] is None

        # Of a group only what is silenced counts.
        await person.press("j", "j", "S")
        await person.sees("No silence keeps it quiet.")
        await person.press("g", "S")
        await person.sees("End silence #5", "The north site moves.", "What fires then is sent.")
        await person.press("y")
        await person.sees("Ended silence #5; what fires is sent again.")
        assert fake.alerts[60]["silenced_by"] is None


async def test_news_is_shown_where_it_moves_nothing(tmp_path: Path) -> None:
    fake = AlertClient()
    kept, fake.alerts = fake.alerts, {}
    async with person_at(tmp_path, fake) as person:
        await person.press("exclamation_mark")
        await person.sees("No alert has fired yet.", "r goes to the rules", "0 firing")
        await person.press("a")
        await person.sees("Acknowledge needs an alert; there is none under the cursor.")

        # The first one comes by itself, on a list of what is over too.
        fake.alerts[1] = kept[1]
        await person.press("f5")
        await person.sees("resolved")
        fake.alerts[90] = kept[90]
        await fake.queue.put(CHANGED)
        await person.until(lambda: "✕ firing" in under_cursor(person), "what fires, under the cursor")

        # Others are announced, and come when they are wanted.
        fake.alerts[97] = alert(97, "Late", "critical", 0)
        await fake.queue.put(CHANGED)
        await person.sees("1 new, i brings them in", "2 critical")
        assert "Mail fails" in under_cursor(person)
        assert "Late" not in person.screen
        await person.press("exclamation_mark")
        await person.until(lambda: "Late" in under_cursor(person), "the worst of all")

        # So are those that make a group of one that stood alone.
        fake.alerts[98] = alert(98, "Twins", "warning", 0, group_id=9)
        await fake.queue.put(CHANGED)
        await person.sees("1 new")
        await person.press("i")
        await person.sees("Twins")
        fake.alerts[99] = alert(99, "Twins", "warning", 0, group_id=9)
        fake.alerts[98] = {**fake.alerts[98], "acknowledged_by": "ana", "acknowledged_until": iso(NOW + MINUTE)}
        await fake.queue.put(CHANGED)
        await person.sees("1 new", "ack ana")
        await person.press("i")
        await person.sees("Twins (2)", "1 ack")

        # What changes is changed where it stands.
        fake.alerts[97] = {**fake.alerts[97], "state": "resolved", "resolved_at": iso(NOW)}
        await fake.queue.put(CHANGED)
        await person.until(lambda: "resolved" in under_cursor(person), "the end of it")
        assert "Late" in under_cursor(person)

        # What happened while there was no engine is seen when there is one.
        await fake.queue.put({"type": "disconnected", "reason": "The engine has gone."})
        await person.sees("No engine: The engine has gone.")
        fake.alerts[96] = alert(96, "Missed", "critical", 0)
        await fake.queue.put({"type": "connected", "version": "0.1.0"})
        await person.sees("4 firing", "1 new")

        # And an idle console asks for nothing.
        await person.pilot.pause(0.1)
        before = len(fake.calls)
        await person.pilot.pause(0.6)
        assert len(fake.calls) == before

        # Who comes from elsewhere finds the worst of now, not what was the worst when they left.
        await person.press("f6")
        await person.sees("refunds-api")
        fake.alerts[100] = alert(100, "Worse", "critical", 0)
        fake.critical = {"count": 1, "more": False, "newest": [critical(0)]}
        await fake.tell("alerts_changed")
        await person.sees("goes there")
        await person.press("exclamation_mark")
        await person.until(lambda: "Worse" in under_cursor(person), "the worst of now")


async def test_ways_there_and_what_is_not_for_everybody(tmp_path: Path) -> None:
    fake = AlertClient()
    fake.role = "viewer"
    async with person_at(tmp_path, fake) as person:
        await person.press("colon")
        await person.type("alerts severity:info")
        await person.press("enter")
        await person.sees("Disk fills", "1 firing")
        await person.press("a")
        await person.sees("Acknowledge needs the role operator; you are viewer.")
        await person.press("colon")
        await person.type("alert 90")
        await person.press("enter")
        await person.sees("alert #90", "It reads 93%", "notifications")
        await person.press("escape")
        await person.sees("Disk fills")
        await person.press("colon")
        await person.type("alerts stat:on")
        await person.press("enter")
        await person.sees("The filter after alerts is not valid", "'stat' is no key")
        await person.press("colon")
        await person.type("alert 300")
        await person.press("enter")
        await person.sees("Alert #300 is not there: it never was")
    async with person_at(
        tmp_path / "again", AlertClient(), read_only=True, state=ConsoleState(screen="alerts")
    ) as person:
        await person.sees("Host is slow (14)")
        assert isinstance(person.console.screen, AlertsScreen)
        await person.press("s")
        await person.sees("Silence is off: this console is read-only")
        fake = person.fake  # type: ignore[assignment]
        fake.down = "The engine has gone."
        await person.press("f5")
        await person.sees("The engine has gone.", "Host is slow (14)")


async def test_of_a_hundred_thousand_alerts_only_what_is_seen_is_read(tmp_path: Path) -> None:
    fake = AlertClient()
    many = 100_000

    def history(_path: Any, query: Any, _body: Any) -> dict[str, Any]:
        if "severity:critical" not in query["filter"]:
            return {"items": [], "next": None, "previous": None}
        at = int(query.get("cursor") or (0 if query["direction"] == "next" else many))
        start = at if query["direction"] == "next" else max(at - query["limit"], 0)
        end = min(start + query["limit"], many)
        rows = [alert(many - n, f"Alert {many - n}", "critical", 5) for n in range(start, end)]
        return {"items": rows, "next": str(end) if end < many else None, "previous": str(start) if start else None}

    board = {"groups": [], "firing": {"critical": many, "warning": 0, "info": 0}, "pending": 0, "resolved": 0}
    fake._alerts_history = history  # type: ignore[method-assign]
    fake._alerts_board = lambda *_: board  # type: ignore[method-assign, assignment]
    async with at_the_alerts(tmp_path, fake) as person:
        await person.sees("100,000 critical", "Alert 100000")
        await person.press("G")
        await person.until(lambda: under_cursor(person).split()[4:6] == ["Alert", "1"], "the last one")
        await person.press("k", "k", "g")
        await person.until(lambda: "Alert 100000" in under_cursor(person), "the first one")
        assert len([name for name, *_ in fake.calls if name == "alerts.history"]) < 10
        await person.press("A", "a")
        await person.sees("More than 10,000 alerts are too many at once; narrow them with a filter.")
