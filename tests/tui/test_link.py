"""What goes on beside the screens: claims are renewed, themes follow their files."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui import link
from quarterdeck.tui.theming import available
from tests.tui.consoles import person_at


async def test_a_claim_is_renewed_while_somebody_works(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("n")
        await person.sees("with you")
        await person.console._renew()
        assert len(person.fake.called("items.renew")) == 1
        await person.console._renew()  # no key since
        assert len(person.fake.called("items.renew")) == 1


async def test_a_claim_that_is_gone_is_let_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        person.console.session.claims[7] = Resource.SUPPORT_TASKS

        def refuse(*_: object) -> dict[str, object]:
            raise Problem(Code.NOT_YOURS, "Somebody else has it now.")

        person.fake._items_renew = refuse  # type: ignore[method-assign]
        await link.renew_claims(person.console)
        assert person.console.session.claims == {}


async def test_an_engine_that_went_away_is_missed_and_its_return_is_said(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(120, 24)) as person:
        assert "The engine is back" not in person.screen
        await person.press("escape")
        await person.sees("Nothing to clear")
        await person.fake.queue.put({"type": "disconnected", "reason": "The engine of the test does not answer."})
        await person.sees("No engine: The engine of the test does not answer.")
        assert "Nothing to clear" not in person.screen
        await person.press("escape")
        await person.sees("Nothing to clear", "no engine")
        await person.press("j")
        await person.sees("No engine: The engine of the test does not answer.")
        await person.fake.queue.put({"type": "connected"})
        await person.sees("The engine is back.")
        await person.press("j")
        await person.sees("The engine is back.")
        # What nothing came of goes with the next key.
        await person.press("escape")
        await person.sees("Nothing to clear")
        await person.press("k")
        assert "Nothing to clear" not in person.screen
        await person.press("y", "k")
        await person.sees("Copied")


async def test_a_theme_file_shows_when_it_is_saved_and_a_mistake_is_said(tmp_path: Path) -> None:
    mine = tmp_path / "home" / "themes" / "mine.toml"
    mine.parent.mkdir(parents=True)
    text = available()["brutalist"].read_text()
    mine.write_text(text)
    async with person_at(tmp_path, theme="mine", size=(200, 24)) as person:
        watched = person.console.wardrobe
        await person.until(
            lambda: any(worker.group == "theme" and worker.is_running for worker in person.console.workers), "the watch"
        )

        def saved(words: str) -> None:
            mine.write_text(words)

        changed = text.replace("#CCFF00", "#00CCFF")
        # The watch begins a moment after its worker: saved again until it is seen.
        for _ in range(20):
            saved(changed + "\n")
            await person.pilot.pause(0.2)
            if "#00CCFF" in watched.look.theme.primary:
                break
        assert "#00CCFF" in watched.look.theme.primary
        for _ in range(20):
            saved("name = 3\n")
            await person.pilot.pause(0.2)
            if "name must be" in person.screen:
                break
        await person.sees("mine.toml: name must be")
        assert "#00CCFF" in watched.look.theme.primary
