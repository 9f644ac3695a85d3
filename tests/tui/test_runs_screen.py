"""Runs: looking at machine work and doing something about it."""

from __future__ import annotations

from pathlib import Path

from tests.tui.consoles import Person, person_at
from tests.tui.fake_runs import FakeWork, log_line, run, with_log


async def at_runs(person: Person, where: str = "runs") -> None:
    await person.press("colon")
    await person.type(where)
    await person.press("enter")
    await person.sees("runs", "matching")


async def test_the_list_says_state_queue_attempt_and_error(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await person.press("f7")
        await person.sees("runs › by -created", "240 matching", "✕ dead", "◐ active", "mail", "5/5", "503")


async def test_a_filter_may_follow_and_keys_are_completed(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_runs(person, "runs queue:mail status:dead")
        await person.sees("/ queue:mail status:dead", "30 matching")
        await person.press("slash", "space")
        await person.type("wor")
        await person.sees("who works on it, or did last")
        await person.press("escape", "escape")
        await person.sees("240 matching")


async def test_one_key_replays_and_one_key_runs_now(tmp_path: Path) -> None:
    fake = FakeWork()
    async with person_at(tmp_path, fake) as person:
        await at_runs(person)
        await person.press("r")
        await person.sees("Retry: run #1 is waiting", "l shows its log")
        await person.press("j", "j", "j", "j", "j", "w")
        await person.sees("Run now: run #6 is waiting")
        assert [path["action"] for name, path, _, _ in fake.calls if name == "items.act"] == ["retry", "run-now"]


async def test_cancelling_asks_for_a_reason(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_runs(person, "runs status:active")
        await person.press("X")
        await person.sees("Cancel run #2", "stops the run")
        await person.type("wrong amount")
        await person.press("enter")
        await person.sees("Cancel: run #2 is cancelled")


async def test_many_are_cancelled_through_the_bulk_dialog(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_runs(person, "runs status:waiting")
        await person.press("A", "X")
        await person.sees("Cancel: 30 runs")
        await person.press("enter")
        await person.sees("30 will be acted on")


async def test_the_detail_shows_attempts_on_one_axis(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork(), size=(120, 60)) as person:
        await at_runs(person)
        await person.press("enter")
        await person.sees("try 5 of 5", "#1 ✕ failed", "#3 ! lost", "30s", "Traceback", "payload")
        await person.press("j")
        await person.sees("◐ at work", "1m 35s")


async def test_its_dead_letter_is_one_key_away(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.letters[9]["run_id"] = 1
    async with person_at(tmp_path, fake) as person:
        await at_runs(person)
        await person.press("d")
        await person.sees("dead letter #9")
        await person.press("q")
        await person.sees("240 matching")
        await person.press("j", "d")
        await person.sees("Run #2 is active; it has no dead letter.")


async def test_the_log_follows_and_words_are_found(tmp_path: Path) -> None:
    fake = with_log(FakeWork(), 2, 60)
    async with person_at(tmp_path, fake) as person:
        await at_runs(person, "runs status:active")
        await person.press("l")
        await person.sees("run #2 · log", "following", "60 of 60 entries", "step 60 of the refund", "◐ active")
        assert "step 1 of" not in person.screen
        fake.logs[2].append(log_line(61, 2, "error", "it broke"))
        await fake.nudges.put({"type": "log_written"})
        await person.sees("it broke", "61 of 61")
        await person.press("slash")
        await person.type("STEP 17 ")
        await person.press("enter")
        await person.sees("gone round", "▸ ", "step 17 of the refund")
        await person.until(lambda: "following" not in person.screen, "it to stay")
        fake.logs[2].append(log_line(62, 2, "info", "it goes on"))
        await fake.nudges.put({"type": "run_changed", "run": {**run(2), "status": "completed"}})
        await person.sees("of 62 entries", "● completed", "step 17 of the refund")
        await person.press("slash")
        await person.type("x")
        await person.press("escape", "f")
        await person.sees("it goes on", "following")
        await person.press("escape")
        await person.sees("30 matching")


async def test_n_and_shift_n_go_from_match_to_match(tmp_path: Path) -> None:
    async with person_at(tmp_path, with_log(FakeWork(), 2, 60)) as person:
        await at_runs(person, "runs status:active")
        await person.press("l")
        await person.sees("60 of 60")
        await person.press("g", "n")
        await person.sees("Nothing is looked for")
        await person.press("slash")
        await person.type("step 2")
        await person.press("enter")

        def found() -> str:
            return next((line for line in person.screen.splitlines() if line.startswith("▸")), "")

        await person.until(lambda: "step 2 of" in found(), "the first")
        await person.press("n")
        await person.until(lambda: "step 20 of" in found(), "the second")
        await person.press("N")
        await person.until(lambda: "step 2 of" in found(), "the first again")
        await person.press("slash")
        await person.type(" nowhere")
        await person.press("enter")
        await person.sees("stands nowhere here")


async def test_a_log_without_lines_says_why(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_runs(person, "runs status:waiting")
        await person.press("l")
        await person.sees("nothing yet: the run has not begun")


async def test_a_run_that_is_gone_says_so(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await person.press("colon")
        await person.type("run 99999")
        await person.press("enter")
        await person.sees("Run #99999 is not there any more")
        await person.press("l")
        await person.sees("Log needs a run; there is none under the cursor.")


async def test_help_names_every_key_of_the_place(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork(), size=(120, 70)) as person:
        await at_runs(person)
        await person.press("question_mark")
        for bound in person.console.session.keymap.bound(person.console.front.place):
            assert bound.command.label[:14] in person.screen, bound.name


async def test_a_filter_makes_a_list_of_a_visit(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await person.press("colon")
        await person.type("run 5")
        await person.press("enter")
        await person.sees("run #5")
        await person.press("slash", *["backspace"] * 8)
        await person.type("status:dead")
        await person.press("enter")
        await person.sees("runs › by -created", "30 matching")
        await person.press("q")
        await person.sees("support_tasks")


async def test_keys_behind_the_one_that_opens_a_payload_are_for_the_payload(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_runs(person)
        await person.press("p", "j", "j")
        await person.sees(".amount")


async def test_the_log_of_a_run_that_is_over_says_each_line_once(tmp_path: Path) -> None:
    fake = with_log(FakeWork(), 5, 30)
    async with person_at(tmp_path, fake, size=(100, 40)) as person:
        await at_runs(person)
        await person.press("j", "j", "j", "j", "l")
        await person.sees("run #5 · log", "30 of 30 entries")
        await fake.nudges.put({"type": "run_changed", "run": run(5)})
        fake.logs[5].append(log_line(31, 3, "info", "once more"))
        await fake.nudges.put({"type": "log_written"})
        await person.sees("once more", "of 31 entries")


async def test_a_log_goes_on_when_the_engine_is_back(tmp_path: Path) -> None:
    fake = with_log(FakeWork(), 2, 10)
    async with person_at(tmp_path, fake) as person:
        await at_runs(person, "runs status:active")
        await person.press("l")
        await person.sees("10 of 10 entries")
        await fake.queue.put({"type": "disconnected", "reason": "the engine does not answer."})
        await person.sees("No engine", "step 10 of the refund")
        fake.logs[2].append(log_line(11, 2, "info", "back again"))
        await fake.queue.put({"type": "connected", "version": "0.1.0"})
        await person.sees("back again", "11 of 11 entries")
