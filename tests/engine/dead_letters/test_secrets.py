"""What is hidden from an operator cannot be found out by searching for it either."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quarterdeck.contract.enums import Role
from quarterdeck.contract.models.items import NewSelection
from quarterdeck.contract.models.runs import RunListQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import figures, queries
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.listing import counting, selections
from quarterdeck.engine.runs.queries import list_runs
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ANA, ROOT, refused

VIEWER = Principal("vera", Role.VIEWER)
DEEP: Any = {"a": [{"b": {"c": {"d": {"e": {"f": "hidden-9"}}}}}]}
PAYLOADS: dict[str, Any] = {
    "plain": {"token": "hidden-1", "order": "shown-1"},
    "deep inside": {"list": [{"x": {"Card_Number": "hidden-2"}}, "shown-2"]},
    "an object": {"secret": {"any": ["hidden-3", {"x": "} hidden-4 ]"}]}, "order": "shown-3"},
    "a number": {"card": 5550100, "order": "shown-4"},
    "quotes": {"a": '"', "api_key": '\\"hidden-5', "b": '{"shown-5', "c": ","},
    "escaped": {"pa\u017f\u017fword": "hidden-6", "ünï_token": "hidden-7 ü", "order": "shown-6 ü"},
    "very deep": {"order": "shown-7", "secret": DEEP},
    "a text that looks like it": {"note": '{"token":"shown-8"}'},
}
HIDDEN = ("hidden-1", "hidden-2", "hidden-3", "hidden-4", "5550100", "hidden-5", "hidden-6", "hidden-7 ü", "hidden-9")
SHOWN = tuple(f"shown-{number}" for number in range(1, 9))


async def fill(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)
    for payload in PAYLOADS.values():
        await morgue.post(engine, payload=payload)
        await world.add(engine, payload)


async def found(engine: Engine, filter_: str, by: Principal) -> tuple[int, int]:
    """(dead letters, runs) on their lists."""
    runs = await list_runs(engine, by, RunListQuery(filter=filter_, sort="created"))
    return len(await morgue.ids(engine, filter_, by)), len(runs.items)


@pytest.mark.parametrize("by", [ANA, VIEWER])
async def test_free_text_is_not_found_in_hidden_values(engine: Engine, by: Principal) -> None:
    await fill(engine)
    for words in HIDDEN:
        assert await found(engine, f'"{words}"', by) == (0, 0), words
        assert await found(engine, f'-"{words}"', by) == (len(PAYLOADS), len(PAYLOADS)), words
        assert await found(engine, f'"{words}"', ROOT) == (1, 1), words
        assert (await counting.count(engine.store, by, DEAD_LETTERS, f'"{words}"')).count == 0
        assert (await figures.groups(engine, by, f'"{words}"')).items == []
    for words in SHOWN:
        assert await found(engine, words, by) == (1, 1), words
    assert await found(engine, '"shown-6 ü"', by) == (1, 1)
    # The names are no secret.
    assert await found(engine, "Card_Number", by) == (1, 1)


async def test_a_selection_by_hidden_text_is_empty(engine: Engine) -> None:
    await fill(engine)
    made = await selections.make_selection(engine, ANA, DEAD_LETTERS, NewSelection(filter="hidden-1"))
    assert made.count == 0


async def test_hidden_fields_are_no_filter_below_admin(engine: Engine) -> None:
    await fill(engine)
    for filter_ in ("field.token:hidden-1", "-field.Card_Number:x", "field.order:x,y field.SECRET:x"):
        with refused(Code.FORBIDDEN, "only an admin may filter by field"):
            await morgue.ids(engine, filter_, ANA)
        with refused(Code.FORBIDDEN, "only an admin may filter by field"):
            await list_runs(engine, VIEWER, RunListQuery(filter=filter_))
    assert await found(engine, "field.token:hidden-1", ROOT) == (1, 1)
    assert await found(engine, "field.order:shown-1", ANA) == (1, 1)


async def test_an_object_is_not_compared_with_hidden_values(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)
    for holder in ({"token": "1"}, {"order": "1"}):
        await morgue.post(engine, payload={"holder": holder})
    dialect = engine.store.dialect.name
    written = [json.dumps(each, separators=None if dialect == "postgresql" else (",", ":")) for each in (
        {"token": "1"}, {"order": "1"},
    )]  # fmt: skip
    asked = ["field.holder:" + '"' + each.replace('"', '\\"') + '"' for each in written]
    assert [len(await morgue.ids(engine, each, ROOT)) for each in asked] == [1, 1]
    assert [len(await morgue.ids(engine, each, ANA)) for each in asked] == [0, 1]


async def test_a_change_inside_a_hidden_value_is_hidden(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)
    (number,) = await morgue.post(engine, payload={"secret": {"inner": ["a"]}, "order": 1})
    await morgue.act(engine, "edit-retry", number, payload={"secret": {"inner": ["b"]}, "order": 2})
    for by, told in ((ROOT, True), (ANA, False)):
        said = json.dumps(
            [edit.model_dump(mode="json") for edit in (await queries.show_dead_letter(engine, by, number)).edits]
        )
        assert ('"b"' in said) is told
        assert '"value": 2' in said
