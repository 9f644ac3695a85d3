"""Engine, host processes and workers killed at random: nothing is lost, nothing is done twice without saying so."""

from __future__ import annotations

from benchmarks.machine_crashes import torment
from quarterdeck.config.home import Home


async def test_killed_amid_runs_with_effects_every_run_is_done_and_says_how(engine_home: Home) -> None:
    outcome = await torment(engine_home, total=1_000, kills=5, seed=3)
    assert outcome.kills.total() == 5
    assert outcome.faults == []
    assert outcome.twice <= outcome.lost
