"""What is written in a field is what is read from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.contract.enums import Weekday
from quarterdeck.contract.reference import ModelRef
from quarterdeck.tui.screens.setup.written import COUNTED_MINUTES, LIST, MINUTES, NUMBER, SECONDS, WHOLE, Written
from quarterdeck.tui.screens.setup.written_hours import HOURS
from quarterdeck.tui.screens.setup.written_labels import INHIBITIONS, LABELS, MATCHERS
from quarterdeck.tui.screens.setup.written_steps import STEPS, TARGETS
from quarterdeck.tui.screens.setup.written_times import times_after

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
VALUES = st.text('ab3é請 \n\t"\\,;=~!:', max_size=12)
DAYS = st.sets(st.sampled_from([str(day) for day in Weekday]), min_size=1).map(
    lambda days: [str(day) for day in Weekday if day in days]
)
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda at: f"{at[0]:02d}:{at[1]:02d}")
MATCHER = st.fixed_dictionaries({"name": NAMES, "value": VALUES, "is_regex": st.booleans(), "is_equal": st.booleans()})
WHO = st.text('ab3é請"\\,;=:', min_size=1, max_size=8)


def _order(window: dict[str, Any]) -> Any:
    return window["days"], window["start"], window["end"]


def back(written: Written, value: Any) -> Any:
    return written.read(written.write(value).strip())


@settings(max_examples=25)
@given(
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
    st.lists(MATCHER, min_size=1, max_size=3),
    st.lists(VALUES.filter(bool), min_size=1, max_size=3),
    st.integers(0, 700_000),
)
def test_what_was_written_is_read(
    labels: dict[str, str], matchers: list[dict[str, Any]], names: list[str], number: int
) -> None:
    assert back(LABELS, labels) == labels
    assert back(MATCHERS, matchers) == matchers
    assert back(LIST, names) == names
    for length in (SECONDS, MINUTES, COUNTED_MINUTES):
        assert back(length, number) == number


@settings(max_examples=25)
@given(
    st.lists(st.fixed_dictionaries({"days": DAYS, "start": TIMES, "end": TIMES}), min_size=1, max_size=4),
    st.lists(WHO, min_size=1, max_size=2),
)
def test_hours_and_steps_are_read_as_they_were(windows: list[dict[str, Any]], people: list[str]) -> None:
    assert sorted(back(HOURS, windows), key=_order) == sorted(windows, key=_order)
    said = {"percent": 80, "target": "first_response", "does": "do", "channels": [], "note": "Go: now"}
    steps: list[dict[str, Any]] = [{**said, "act": "assign", "assignee": who} for who in people]
    steps.append({**said, "act": "notify", "assignee": None, "channels": ["ops", "on-call"]})
    assert back(STEPS, steps) == steps


@pytest.mark.parametrize(
    ("written", "text", "model"),
    [
        (STEPS, "100% do notify ops: go", "sla:EscalationStep"),
        (TARGETS, "low 1h / 48h", "sla:Target"),
        (HOURS, "mon 09:00-12:00", "sla:OpenWindow"),
        (HOURS, "mon 09:00-12:00", "alert_rules:QuietWindow"),
        (MATCHERS, "a=b", "alert_rules:Matcher"),
        (INHIBITIONS, "a=b", "alert_rules:Inhibition"),
    ],
)
def test_nothing_is_left_out_that_the_engine_knows(written: Written, text: str, model: str) -> None:
    """Otherwise a form would lose it with the first change."""
    assert written.read(text)[0].keys() == ModelRef(model).load().model_fields.keys()


@pytest.mark.parametrize(
    ("written", "text", "value"),
    [
        (SECONDS, "1h 30m", 5_400),
        (SECONDS, "90 s", 90),
        (MINUTES, "2d", 2_880),
        (NUMBER, "1,000.5", 1_000.5),
        (WHOLE, "-12,345,678", -12_345_678),
        (LIST, 'ops,on-call "night shift"', ["ops", "on-call", "night shift"]),
        (
            HOURS,
            "daily 9:00-17:00",
            [{"days": [str(day) for day in Weekday], "start": "09:00", "end": "17:00"}],
        ),
        (HOURS, "Fri-Mon 22:00-07:00", [{"days": ["mon", "fri", "sat", "sun"], "start": "22:00", "end": "07:00"}]),
        (TARGETS, "low - / 48h", [{"priority": "low", "first_response_minutes": None, "resolution_minutes": 2_880}]),
        (
            INHIBITIONS,
            "severity=info same cluster, site",
            [
                {
                    "matchers": [{"name": "severity", "value": "info", "is_regex": False, "is_equal": True}],
                    "equal": ["cluster", "site"],
                }
            ],
        ),
    ],
)
def test_people_write_it_so(written: Written, text: str, value: Any) -> None:
    assert written.read(text) == value
    assert written.read(written.write(value)) == value


@pytest.mark.parametrize(
    ("written", "text", "sentence"),
    [
        (SECONDS, "soon", "is no time such as 30s, 5m or 2h"),
        (SECONDS, "5", "is no time such as"),
        (COUNTED_MINUTES, "2d", "is no time such as 15m, 2h or 1h 30m"),
        (NUMBER, "nan", "is no number"),
        (NUMBER, "2,5", "is no number such as 20 or 2.5"),
        (NUMBER, "1000,000", "is no number"),
        (WHOLE, "10,00", "is no number"),
        (WHOLE, "1.000,5", "is no number"),
        (WHOLE, "2.5", "is no whole number"),
        (LIST, '"night', "has a quote that does not end"),
        (LABELS, "team", "cannot be read at 'team'"),
        (LABELS, "a=1 a=2", "names a twice"),
        (MATCHERS, 'host="x', "cannot be read at"),
        (HOURS, "mun 09:00-12:00", "has 'mun', which is no day; days are mon tue"),
        (HOURS, "mon 9-12", "has '9-12', which are no hours such as 09:00-17:30"),
        (HOURS, "mon", "needs days and hours in 'mon'"),
        (HOURS, "mon 09:00-12:00 tue 09:00-12:00", "write one line for days that are alike"),
        (STEPS, "75% shout", "cannot be read in '75% shout'"),
        (STEPS, "75% do raise priority ops", "cannot be read"),
        (TARGETS, "urgent 15m", "write it as urgent 15m / 2h"),
        (TARGETS, "urgent 1h / 2h\nlow 2d / 9h", "has '2d' for low, which is no time such as 15m, 2h or 1h 30m"),
        (times_after(0), "yesterday", "is no time to come"),
    ],
)
def test_what_cannot_be_read_says_how_it_is_written(written: Written, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        written.read(text)
