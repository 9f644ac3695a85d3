"""Theme files."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.color import Color

from quarterdeck.tui import theming
from quarterdeck.tui.glyphs import ASCII
from quarterdeck.tui.theming import ThemeError
from quarterdeck.tui.widgets.text_input import TextInput
from tests.tui.consoles import person_at
from tests.tui.fake_client import FakeClient

SHIPPED = ("brutalist", "daylight", "high-contrast", "terminal")


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_four_themes_are_there() -> None:
    assert set(SHIPPED) <= set(theming.available())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_theme_makes_a_whole_look(name: str) -> None:
    look = theming.choose(name)
    assert look.name == name
    look.theme.to_color_system().generate()
    for token in (*theming.COLORS, *theming.STYLES):
        assert look.style(token) is not None
    assert look.style("nobody-knows-this") == look.style("")


@pytest.mark.parametrize(
    ("name", "least"), [("brutalist", 4.5), ("daylight", 4.5), ("high-contrast", 7.0)], ids=lambda value: str(value)
)
def test_what_is_to_be_read_can_be_read(name: str, least: float) -> None:
    look = theming.choose(name)
    for token in ("", "muted", "accent", "error", "warning", "success", "cursor", "cursor-blurred", "badge-active"):
        style = look.style(token)
        assert style.color is not None
        assert style.bgcolor is not None
        assert contrast(style.color.name, style.bgcolor.name) >= (
            3.5 if token == "badge-active" and least < 7 else least
        )


def test_what_is_faint_can_be_read_too() -> None:
    for name in ("brutalist", "daylight", "high-contrast"):
        faint = theming.choose(name).style("faint")
        assert faint.color is not None
        assert faint.bgcolor is not None
        assert contrast(faint.color.name, faint.bgcolor.name) >= 4.5


def test_own_themes_win_over_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "brutalist.toml"
    own.write_text(theming.find("daylight").read_text())
    assert theming.find("brutalist", tmp_path) == own
    assert theming.choose(str(own)).theme.dark is False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("#CCFF00", "lime-ish"), "accent is 'lime-ish'; it must be like #CCFF00"),
        (("#CCFF00", "red"), "accent is 'red'"),
        (('accent = "#CCFF00"', ""), "has no accent"),
        (("[colors]", '[colors]\nsparkle = "#FFFFFF"'), "sparkle is unknown"),
        (("[styles]", '[styles]\nglitter = "bold"'), "glitter is unknown"),
        (("bold on-accent on accent", "bold and beautiful"), "which is no style"),
        (("dark = true", "dark = 1"), "dark must be true or false"),
        (("dark = true", "dork = true"), "dork is unknown"),
        (("dark = true", "dark = "), "not valid TOML"),
        (("dark = true", "name = 'Not A Name'"), "name must be"),
        (("[styles]", "[styles]\nheader = 3"), "[styles] must be a table of texts"),
    ],
)
def test_a_mistake_is_said_with_file_and_member(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(theming.find("brutalist").read_text().replace(*change))
    with pytest.raises(ThemeError) as caught:
        theming.load(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_theme_that_is_not_there() -> None:
    with pytest.raises(ThemeError, match=r"choose one of .*brutalist, daylight, high-contrast, terminal"):
        theming.choose("neon")
    with pytest.raises(ThemeError, match="cannot be read"):
        theming.choose("/nowhere/neon.toml")


def test_without_colour_what_matters_still_stands_out() -> None:
    look = theming.choose("brutalist", plain=True, ascii=True)
    assert look.plain
    assert look.glyphs is ASCII
    look.theme.to_color_system().generate()
    for token in (*theming.COLORS, *theming.STYLES):
        style = look.style(token)
        assert style.color is None or style.color.is_default
        assert style.bgcolor is None or style.bgcolor.is_default
    assert look.style("cursor").reverse
    assert look.style("error").bold


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("", False), (None, False)])
def test_no_color_is_heeded(value: str | None, plain: bool) -> None:
    environment = {**os.environ, **({} if value is None else {"NO_COLOR": value})}
    if value is None:
        environment.pop("NO_COLOR", None)
    code = "from quarterdeck.tui import theming; print(theming.choose('brutalist').plain)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(plain)


async def test_a_saved_file_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("one")
    watching = theming.saved(file)
    waiting = asyncio.ensure_future(anext(watching))
    try:
        async with asyncio.timeout(20):
            number = 0
            while not waiting.done():  # the watcher takes a moment to begin
                number += 1
                new = tmp_path / "new"
                new.write_text(str(number))
                new.replace(file)  # as editors save
                await asyncio.wait([waiting], timeout=0.2)
        assert waiting.result() == file.resolve()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await watching.aclose()


async def test_the_cursor_in_a_field_is_seen_whatever_colours_a_terminal_has(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeClient(), theme="terminal") as person:
        await person.press("slash")
        style = person.console.screen.query_one(TextInput).get_component_rich_style("input--cursor")
        assert style.reverse
        assert style.color == style.bgcolor == Color.default()
