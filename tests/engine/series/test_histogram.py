"""A percentile from a histogram is the exact one to within a quarter."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.series.histogram import FLOOR, GROWTH, LAST, bounds, bucket_of, percentile

# From what nobody waits for up to what the last bucket ends with.
durations = st.floats(min_value=0, max_value=bounds(LAST)[1], allow_nan=False)


@given(durations)
def test_a_duration_lies_in_its_bucket(duration: float) -> None:
    low, high = bounds(bucket_of(duration))
    assert low <= duration * (1 + 1e-9) + 1e-12
    assert duration <= high * (1 + 1e-9)


@given(st.lists(durations, min_size=1, max_size=300), st.sampled_from((50, 90, 95, 99, 100)))
def test_percentiles_are_right_to_within_a_quarter(found: list[float], percent: int) -> None:
    numbers = Counter(bucket_of(each) for each in found)
    exact = sorted(found)[max(1, math.ceil(len(found) * percent / 100)) - 1]
    said = percentile(numbers, percent)
    assert said is not None
    assert max(said, FLOOR) <= max(exact, FLOOR) * GROWTH * (1 + 1e-9)
    assert max(said, FLOOR) >= max(exact, FLOOR) / GROWTH * (1 - 1e-9)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 50) is None


def test_what_takes_longer_than_the_last_bucket_is_counted_there() -> None:
    assert bucket_of(1e15) == LAST
