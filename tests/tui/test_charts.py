"""Charts: read without colour, in ASCII, in small terminals, and silent while nothing is different."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from textual.app import App, ComposeResult

from quarterdeck.contract.clock import MINUTE
from quarterdeck.tui.format import per_cent
from quarterdeck.tui.glyphs import ASCII, UNICODE
from quarterdeck.tui.spans import Line, width
from quarterdeck.tui.widgets.chart_axis import rows_with_labels, time_labels, top_of
from quarterdeck.tui.widgets.chart_board import ChartBoard
from quarterdeck.tui.widgets.chart_data import Plot, Series, Value, milliseconds, short
from quarterdeck.tui.widgets.chart_lines import chart_lines
from quarterdeck.tui.widgets.chart_spark import spark

T0 = 1_790_000_040_000  # 14:14 in UTC


def plot(*series: tuple[str, str, list[Value]], most: float | None = None) -> Plot:
    lines = [Series(name, sign, "success", values, str(len(values))) for name, sign, values in series]
    times = [T0 + n * MINUTE for n in range(max((len(each.values) for each in lines), default=0))]
    return Plot("throughput", short, times, MINUTE, lines, most=most)


def text(lines: list[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


UP_AND_DOWN = plot(
    ("done", "completed", [float(n) for n in range(60)]), ("failed", "failed", [float(60 - n) for n in range(60)])
)


def test_a_line_goes_from_corner_to_corner() -> None:
    drawn = text(chart_lines(plot(("done", "completed", [0.0, 100.0])), 40, 7, UNICODE, UTC))
    assert drawn[1].startswith("   100 │")
    assert drawn[1][-1] not in " ⠀"
    assert drawn[5].startswith("     0 │")
    assert drawn[5][8] not in " ⠀"


def test_series_are_told_apart_without_colour() -> None:
    lines = text(chart_lines(UP_AND_DOWN, 78, 12, UNICODE, UTC))
    drawing = "".join(lines[1:-1])
    assert drawing.count("●") >= 3
    assert drawing.count("✕") >= 3
    assert "● done 60" in lines[0]
    assert "✕ failed 60" in lines[0]


def test_in_ascii_the_sign_draws_the_line() -> None:
    lines = chart_lines(UP_AND_DOWN, 78, 12, ASCII, UTC)
    assert all(line.isascii() for line in text(lines))
    drawing = "".join(text(lines)[1:-1])
    assert drawing.count("=") > 40
    assert drawing.count("x") > 40


@pytest.mark.parametrize("cells", [0, 5, 12, 18, 19, 40, 78, 190])
@pytest.mark.parametrize("height", [0, 1, 3, 4, 5, 8, 16])
def test_a_chart_keeps_to_its_place(cells: int, height: int) -> None:
    lines = chart_lines(UP_AND_DOWN, cells, height, UNICODE, UTC)
    assert len(lines) == height
    assert all(width(line) <= max(cells, 0) for line in lines)


def test_where_nothing_is_known_no_line_is_drawn() -> None:
    gap: list[Value] = [5.0] * 20 + [None] * 20 + [5.0] * 20
    rows = text(chart_lines(plot(("done", "completed", gap)), 68, 7, UNICODE, UTC))
    drawn = [row for row in rows[1:6] if row[8:].strip("⠀ ")]
    assert len(drawn) == 1
    assert drawn[0][8 + 24 : 8 + 36].strip("⠀ ") == ""
    nothing = text(chart_lines(plot(("done", "completed", [None] * 60)), 68, 7, UNICODE, UTC))
    assert "nothing happened in this time" in nothing[2]


def test_names_from_outside_are_only_text() -> None:
    hostile = plot(("do\x1b]52;c;aGk=\x07ne", "completed", [1.0, 2.0]))._replace(title="[/bold]\x1b[2J")
    assert not any("\x1b" in line or "\x07" in line for line in text(chart_lines(hostile, 78, 8, UNICODE, UTC)))


def test_the_axis_ends_at_a_round_number() -> None:
    assert [top_of(n) for n in (0, 0.5, 1, 7, 21, 99, 101, 18_422)] == [1, 0.5, 1, 8, 30, 100, 120, 20_000]
    assert top_of(93, 100) == top_of(0, 100) == 100
    assert rows_with_labels(5) == {0: 1.0, 4: 0.0, 2: 0.5}


def test_times_are_local_and_name_the_day_where_it_is_another() -> None:
    zone = timezone(timedelta(hours=2))
    labels = time_labels(T0, T0 + 60 * MINUTE, 70, zone)
    assert labels.split() == ["16:14", "16:29", "16:44", "16:59", "17:14"]
    assert len(labels) == 70
    over_night = time_labels(T0, T0 + 24 * 60 * MINUTE, 40, zone).split()
    assert over_night[:2] == ["Mon", "16:14"]
    assert over_night[-1] == "16:14"
    month = time_labels(T0, T0 + 30 * 24 * 60 * MINUTE, 60, zone)
    assert month.startswith("21 Sep ")
    assert month.endswith(" 21 Oct")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (0.4, "0.4"),
        (0.25, "0.25"),
        (0.001, "0.01"),
        (87, "87"),
        (9_999, "9,999"),
        (10_000, "10k"),
        (12_345, "12.3k"),
        (999_600, "1M"),
    ],
)
def test_numbers_are_short(value: float, said: str) -> None:
    assert short(value) == said


def test_values_carry_their_unit() -> None:
    assert [milliseconds(each) for each in (0, 0.5, 12, 1_500, 90_000)] == ["0", "0.5 ms", "12 ms", "1.5 s", "1.5 m"]
    assert [per_cent(each) for each in (0, 0.4, 12.2, 100)] == ["0%", "0.4%", "12%", "100%"]


def test_a_spark_shows_shape_and_tells_little_from_nothing() -> None:
    assert spark([0, 1, 100], 3) == "▁▂█"
    assert spark([0, 1, 100], 3, ascii=True) == "_.#"
    assert spark([5] * 30, 10) == "█" * 10
    assert spark([], 4) == "    "
    assert spark([0] * 30, 10) == "▁" * 10


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        self.board = ChartBoard()
        yield self.board


async def test_the_same_data_sends_nothing() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        app.board.show_plots([UP_AND_DOWN])
        await pilot.pause()
        drawn: list[object] = []
        app.board.refresh = lambda *regions, **_: drawn.append(regions)  # type: ignore[method-assign, assignment]
        app.board.show_plots([UP_AND_DOWN])
        assert not drawn
        higher = UP_AND_DOWN._replace(note="more")
        app.board.show_plots([higher])
        assert len(drawn) == 2  # the head, and the last line, which may say that there is more


async def test_charts_take_the_room_there_is() -> None:
    app = Alone()
    plots = [UP_AND_DOWN._replace(title=title) for title in ("first", "second", "third")]
    async with app.run_test(size=(80, 12)) as pilot:
        app.board.show_plots(plots)
        await pilot.pause()
        assert "first" in app.board.words
        assert "1/3" in app.board.words
        assert app.board.turn(1)
        assert "second" in app.board.words
        assert "first" not in app.board.words
        await pilot.resize_terminal(80, 30)
        await pilot.pause()
        assert all(plot.title in app.board.words for plot in plots)
        assert not app.board.turn(1)
        await pilot.resize_terminal(180, 14)
        await pilot.pause()
        top = app.board.words.splitlines()[0]
        assert all(plot.title in top for plot in plots)
