"""Lines are repainted where they differ, and only there."""

from __future__ import annotations

from textual.app import App, ComposeResult

from quarterdeck.tui.widgets.lines import LinesView, LineView


class Sheet(App[None]):
    CSS = "#lines { height: 8; border-top: solid red; padding: 0 1; }"

    def compose(self) -> ComposeResult:
        yield LineView(id="line")
        yield LinesView(id="lines")


def shown(app: Sheet) -> list[str]:
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).strip() for strip in strips]


async def test_what_changed_is_seen_and_nothing_else_is_left_over() -> None:
    app = Sheet()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one("#lines", LinesView)
        view.show([[(word, "")] for word in ("one", "two", "three", "four", "five")])
        await pilot.pause()
        assert shown(app)[2:7] == ["one", "two", "three", "four", "five"]
        view.show([[(word, "")] for word in ("one", "2", "three", "4")], keep=True)
        await pilot.pause()
        assert shown(app)[2:8] == ["one", "2", "three", "4", "", ""]


async def test_longer_than_the_view_says_how_much_more() -> None:
    app = Sheet()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one("#lines", LinesView)
        view.show([[(f"line {n}", "")] for n in range(20)])
        await pilot.pause()
        assert shown(app)[8].split() == ["line", "6", "+13"]
        assert view.scroll_lines(100)
        assert not view.scroll_lines(1)
        await pilot.pause()
        assert shown(app)[8] == "line 19"


async def test_saying_the_same_again_costs_nothing() -> None:
    app = Sheet()
    async with app.run_test(size=(20, 10)) as pilot:
        line = app.query_one("#line", LineView)
        line.show([("left", "")], [("right", "")])
        await pilot.pause()
        assert shown(app)[0] == "left           right"
        painted: list[int] = []
        render_line = line.render_line
        line.render_line = lambda y: painted.append(y) or render_line(y)  # type: ignore[method-assign, func-returns-value]
        line.show([("left", "")], [("right", "")])
        await pilot.pause()
        assert painted == []
        line.show([("left", "")], [("other", "")])
        await pilot.pause()
        assert painted == [0]
