"""A list of something else than items: columns, source, detail pane and hands are all it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import dead_letters
from quarterdeck.tui.screens.acting import Acting
from quarterdeck.tui.screens.listing import ListScreen
from quarterdeck.tui.screens.row_detail import Row, RowDetail
from quarterdeck.tui.session import Session
from quarterdeck.tui.sources import FilteredSource
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import View, load
from quarterdeck.tui.widgets.rows import Column
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import FakeClient


class Letters(FakeClient):
    """Forty dead letters, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = [{"id": n, "event_type": f"refund.send {n}", "status": "pending"} for n in range(40, 0, -1)]

    def _dead_letters_list(self, _path: Any, query: Any, _body: Any) -> dict[str, Any]:
        found = [row for row in self.letters if not query.get("filter") or row["status"] == "discarded"]
        if "ids" in query:
            found = [row for row in found if str(row["id"]) in query["ids"].split(",")]
        if query.get("sort") == "created":
            found = found[::-1]
        return {"items": found, "next": None, "previous": None}

    def _items_select(self, path: Any, _query: Any, body: Any) -> dict[str, Any]:
        assert path["resource"] == MachineResource.DEAD_LETTERS
        return {"token": "token-1", "filter": body["filter"], "count": len(self.letters), "boundary": 40}


class LetterSource(FilteredSource):
    LIST = dead_letters.LIST

    async def count(self) -> int:
        return len((await self._client().call(self.LIST, query={"filter": self.filter}))["items"])


class LetterDetail(RowDetail):
    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Any]:
        return {"id": row_id, "event_type": "whole"}, "its payload"

    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        return [[(f"letter {row['id']}: {rest or 'on its way'}", "")]]


class Hands(Acting):
    def name(self, row: Row) -> Line:
        return [(f"letter {row['id']}", "")]

    async def carry_out(self, action: Action, row: Row, params: Mapping[str, Any]) -> None:
        self.screen.notice(f"{action.label}: {row['id']}")


class LettersScreen(ListScreen):
    NOUN = "dead letters"
    COLUMNS = (Column("type", "type", 20, lambda row, _: (row["event_type"], ""), flex=True),)

    def __init__(self, session: Session) -> None:
        super().__init__(session, MachineResource.DEAD_LETTERS)

    def source_of(self, view: View) -> FilteredSource:
        session = self.console.session
        return LetterSource(lambda: session.client, view.filter, view.sort)

    def make_detail(self) -> RowDetail:
        return LetterDetail(self)

    def make_acting(self) -> Acting:
        return Hands(self)

    def empty_words(self) -> str:
        return "Nothing has died."


async def _open(person: Person) -> None:
    person.console.push_screen(LettersScreen(person.console.session))
    await person.sees("dead_letters", "by -created", "refund.send 40", "40 matching")


async def test_marks_filter_order_and_detail_come_with_it(tmp_path: Path) -> None:
    async with person_at(tmp_path, Letters()) as person:
        await _open(person)
        await person.press("space", "space")
        await person.sees("2 marked")
        await person.press("slash")
        await person.type("status:disc")
        await person.press("tab", "enter")
        await person.sees("Nothing matches this filter", "2 marked (2 hidden)")
        await person.press("escape", "escape")
        await person.sees("40 matching")
        await person.press("o", "j", "enter")
        await person.sees("by created")
        await person.until(lambda: "refund.send 1" in person.line(3), "the oldest at the top")
        await person.press("enter")
        await person.sees("letter 1: its payload")
        await person.press("A")
        await person.sees("40 marked")


async def test_an_action_on_one_asks_and_is_carried_out(tmp_path: Path) -> None:
    async with person_at(tmp_path, Letters()) as person:
        await _open(person)
        await person.press("D")
        await person.sees("Discard letter 40")
        await person.press("tab")
        await person.type("no longer needed")
        await person.press("enter", "y")
        await person.sees("Discard: 40")
        await person.press("n")
        await person.sees("n does nothing here; it is Next in support_tasks.")


async def test_news_of_it_come_in_without_moving_anything(tmp_path: Path) -> None:
    fake = Letters()
    async with person_at(tmp_path, fake) as person:
        await _open(person)
        fake.letters.insert(0, {"id": 41, "event_type": "refund.send 41", "status": "pending"})
        message = {"type": "resource_changed", "resource": "dead_letters", "change": "created", "ids": [41]}
        await fake.queue.put(message)
        await person.sees("1 new")
        await person.press("i", "g")
        await person.sees("refund.send 41", "41 matching")


async def test_its_filter_and_order_are_remembered(tmp_path: Path) -> None:
    async with person_at(tmp_path, Letters()) as person:
        await _open(person)
        await person.press("o", "j", "enter")
        await person.sees("by created")
        await person.press("q")
        await person.sees("support_tasks")
        written, damaged = load(person.console.session.home.console_state)
        assert damaged == ""
        assert written.view(MachineResource.DEAD_LETTERS).sort == "created"
