"""Looking into payloads, of any size and depth, and changing them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.tui.screens.payload.edit import difference, read
from quarterdeck.tui.widgets.json_nodes import Tree
from quarterdeck.tui.widgets.json_words import written
from tests.support.hostile import TEXTS
from tests.tui.consoles import Person, person_at
from tests.tui.fake_runs import FakeWork


async def at_payload(person: Person, value: Any = ..., number: int = 1) -> None:
    if value is not ...:
        assert isinstance(person.fake, FakeWork)
        person.fake.payloads["dead_letters", number] = value
    await person.press("f8")
    await person.sees("dead letters", "matching")
    await person.press("p")
    await person.sees(f"dead letter #{number} · payload")
    await person.until(lambda: "▸ " in person.screen, "the payload")


@pytest.fixture
def clipboard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from quarterdeck.tui.app import Console

    sent: list[str] = []
    monkeypatch.setattr(Console, "copy_text", lambda _self, text, _what: sent.append(text))
    return sent


async def test_folding_and_going_in(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_payload(person)
        await person.sees("▼ {7}", 'order: "4711"', "▼ customer: {4}", "vip: true")
        await person.press("j", "j", "j", "j")
        await person.sees(".customer ")
        await person.press("h")
        await person.sees('▸ customer: {4} name: "Ana Müller"')
        assert "  vip: true" not in person.screen
        await person.press("l", "l")
        await person.sees(".customer.name")
        await person.press("h")
        await person.sees(".customer ")
        await person.press("z")
        await person.sees("▸ items: [2] …, …")
        await person.press("Z")
        await person.sees('sku: "SHOE-42"')


async def test_words_are_found_in_what_is_folded(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_payload(person)
        await person.press("z", "slash")
        await person.type("sock")
        await person.press("enter")
        await person.sees(".items[1].sku", 'sku: "SOCKS"')
        await person.press("slash", "backspace", "backspace", "backspace", "backspace")
        await person.type("sku")
        await person.press("enter")
        await person.sees("gone round", ".items[0].sku")
        await person.press("n")
        await person.sees(".items[1].sku")
        await person.press("N")
        await person.sees(".items[0].sku")


async def test_value_and_path_are_copied(tmp_path: Path, clipboard: list[str]) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_payload(person, {"odd name": {"a": [1, {"b": "text\nof two lines"}]}})
        await person.press("G", "y", "Y", "g", "y")
        await person.until(lambda: len(clipboard) == 3, "three copies")
        assert clipboard[0] == "text\nof two lines"
        assert clipboard[1] == '.["odd name"].a[1].b'
        assert '"odd name": {' in clipboard[2]


async def test_secrets_are_hidden_until_they_are_asked_for(tmp_path: Path, clipboard: list[str]) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_payload(person, {"user": "ana", "Password": "hunter2", "api_token": {"value": "t-1"}})
        await person.sees("Password:", "••••••")
        assert "hunter2" not in person.screen
        await person.press("y", "s")
        await person.sees("hunter2", "t-1")
        assert "hunter2" not in clipboard[0]
        await person.press("s")
        await person.until(lambda: "hunter2" not in person.screen, "it to be hidden")


async def test_in_ascii_secrets_are_hidden_behind_ascii(tmp_path: Path) -> None:
    settings = ConsoleSettings(detail_delay_ms=0, ascii=True)
    async with person_at(tmp_path, FakeWork(), settings=settings) as person:
        assert isinstance(person.fake, FakeWork)
        person.fake.payloads["dead_letters", 1] = {"user": "ana", "password": "hunter2"}
        await person.press("f8")
        await person.sees("dead letters", "matching")
        await person.press("p")
        await person.sees('password: "******"')
        assert person.screen.isascii(), person.screen


@pytest.mark.parametrize(
    "value",
    [None, "just text", 0, [], {}, [[]], {"": ""}, 1e300, "x" * 100_000, {"k" * 500: "v"}, [None, True, False, -1.5]],
    ids=str,
)
async def test_whatever_json_there_is(tmp_path: Path, value: Any) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_payload(person, value)
        await person.press("G", "h", "l", "z", "Z", "enter", "J", "K", "Y", "slash")
        await person.type("zzz")
        await person.press("enter")
        await person.sees("stands nowhere here")


async def test_a_megabyte_and_great_depth_block_nothing(tmp_path: Path) -> None:
    deep: Any = "the bottom"
    for _ in range(5_000):
        deep = {"a": [deep]}
    wide = {"numbers": list(range(300_000)), "deep": deep}
    async with person_at(tmp_path, FakeWork()) as person:
        await at_payload(person, wide)
        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - before)

        watching = asyncio.create_task(watch())
        await person.press("Z", "pagedown", "pagedown", "slash")
        await person.type("299999")
        await person.press("enter")
        await person.sees(".numbers[299999]")
        await person.press("slash", *["backspace"] * 6)
        await person.type("the bottom")
        await person.press("enter")
        await person.sees("text of 10", "the bottom")
        await person.press("G", "g", "z")
        await person.sees("▸ numbers: [300,000]")
        watching.cancel()
        assert longest < 0.5, f"the screen stood still for {longest:.2f} s"


def test_lines_are_made_as_far_as_they_are_looked_at() -> None:
    tree = Tree({"numbers": list(range(1_000_000))})
    tree.open_all(True)
    assert tree.ensure(50) == 50
    assert len(tree.lines) == 50


def test_folding_in_the_middle_keeps_what_follows() -> None:
    tree = Tree({"a": {"b": [1, 2]}, "c": 3})
    tree.ensure(100)
    assert [node.path for node in tree.lines] == [".", ".a", ".a.b", ".a.b[0]", ".a.b[1]", ".c"]
    tree.turn(2)
    tree.ensure(100)
    assert [node.path for node in tree.lines] == [".", ".a", ".a.b", ".c"]
    assert not tree.turn(3)


# Editing


async def at_editor(person: Person) -> None:
    await person.press("f8")
    await person.sees("dead letters", "matching")
    await person.press("e")
    await person.sees("Edit and retry dead letter #1", '"order": "4711"', "F2 see the difference")


async def test_a_payload_is_changed_seen_and_retried(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.payloads["dead_letters", 1] = {"order": "4711", "amount": -5}
    async with person_at(tmp_path, fake) as person:
        await at_editor(person)
        await person.press("down", "down", "end", "backspace", "backspace")
        await person.type("7")
        await person.press("f2")
        await person.sees('-   "amount": -5', '+   "amount": 7', "y Retry with this payload")
        await person.press("enter")
        await person.sees("Nothing was done.")
        assert not fake.called("items.act")
        await at_editor_again(person)
        await person.press("y")
        await person.sees("Edit and retry: dead letter #1 is retrying")
        assert fake.called("items.act") == [{"params": {"payload": {"order": "4711", "amount": 7}}, "version": 1}]


async def at_editor_again(person: Person) -> None:
    await person.press("e")
    await person.sees("F2 see the difference")
    await person.press("down", "down", "end", "backspace", "backspace", "7", "f2")
    await person.sees('+   "amount": 7')


async def test_what_is_no_json_is_shown_at_its_place(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_editor(person)
        await person.press("f2")
        await person.sees("Nothing is different.")
        await person.type(",")
        await person.press("f2")
        await person.sees("Line 1, column 1: Expecting value.")
        await person.press("escape")
        await person.sees("What you changed is lost with another esc.")
        await person.press("escape")
        await person.sees("Nothing was done.")


async def test_from_the_difference_back_to_the_editor(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_editor(person)
        await person.press("down", "end", "left", "left")
        await person.type("9")
        await person.press("f2")
        await person.sees('+   "order": "47119"')
        await person.press("escape")
        await person.sees("F2 see the difference")
        await person.press("backspace")
        await person.press("f2")
        await person.sees("Nothing is different.")


async def test_what_is_too_large_to_edit_says_what_to_do(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.payloads["dead_letters", 1] = ["x" * 1_000] * 1_000
    async with person_at(tmp_path, fake) as person:
        await person.press("f8")
        await person.sees("matching")
        await person.press("e")
        await person.sees("too many to be edited here")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1, column 1"),
        ('{"a": 1,\n "b": }', "Line 2, column 7"),
        ('{"a": 1, "a": 2}', "“a” stands twice"),
        ("[NaN]", "NaN is not JSON"),
        ("[1] 2", "Line 1, column 5"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_says_where(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(text)


def test_what_is_written_for_an_editor_reads_back_as_it_was() -> None:
    value = {text[:200]: text for text in TEXTS}
    text = written(value)
    assert read(text) == value
    from quarterdeck.tui.text import safe

    assert all(safe(line) == line for line in text.split("\n"))


def test_a_difference_shows_what_went_and_what_came() -> None:
    before, after = written({"a": 1, "b": list(range(40)), "c": 3}), written({"a": 2, "b": list(range(40)), "c": 4})
    lines = ["".join(text for text, _ in line) for line in difference(before, after)]
    assert '-   "a": 1,' in lines
    assert '+   "c": 4' in lines
    assert any("lines the same" in line for line in lines)
    many = difference("\n".join(map(str, range(5_000))), "\n".join(map(str, range(9_000, 1, -1))))
    assert any("give way to" in text for line in many for text, _ in line)
