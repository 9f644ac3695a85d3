"""What holds for every filter, and for every text that is none."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from quarterdeck.contract.clock import DAY, from_iso
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.filters import (
    Between,
    Compare,
    Equals,
    Filter,
    FilterError,
    Instant,
    complete,
    freeze,
    parse,
)
from tests.contract.strategies import crooked, filters, words

NOW = from_iso("2026-03-10T12:34:56.789Z")
RELATIVE = {Equals(word) for word in ("today", "yesterday", "tomorrow", "overdue", "me")}


@given(filters)
def test_a_filter_written_down_reads_back_as_itself(found: Filter) -> None:
    again = parse(found.text)
    assert again == found
    assert again.text == found.text


@given(st.one_of(crooked, st.text()), st.sampled_from([None, *Resource]))
@example("created:5\u017f", None)
@example("id:" + "1" * 5_000, None)
@example("created:0001-01-01T00:00+23:59", None)
@example("due:9999-12-31", None)
def test_any_text_is_a_filter_or_a_mistake_with_a_column(text: str, resource: Resource | None) -> None:
    found, mistake = _parse(text, resource)
    if mistake is not None:
        assert 1 <= mistake.column <= len(text) + 1
        assert str(mistake).startswith(f"Column {mistake.column}: ")
    if found is not None:
        assert parse(found.text, resource) == found
        for term in found.terms:
            assert 1 <= term.column <= len(text)


def _parse(text: str, resource: Resource | None) -> tuple[Filter | None, FilterError | None]:
    try:
        return parse(text, resource), None
    except FilterError as error:
        return None, error


@given(filters, words, st.integers(from_iso("1971-01-01"), from_iso("9998-01-01")))
def test_a_frozen_filter_means_the_same_for_ever(found: Filter, me: str, now: int) -> None:
    frozen = freeze(found, now=now, me="ana")
    for term in frozen.terms:
        if term.key in ("created", "updated", "due", "is", "assignee"):
            assert not RELATIVE & set(term.conditions)
        for condition in term.conditions:
            for instant in _instants(condition):
                assert instant.at is not None
                assert instant.offset is None
    assert freeze(frozen, now=now + 400 * DAY, me=me) == frozen
    assert parse(frozen.text) == frozen


def _instants(condition: object) -> tuple[Instant, ...]:
    if isinstance(condition, Compare):
        return (condition.instant,)
    if isinstance(condition, Between):
        return condition.start, condition.end
    return ()


@given(st.one_of(crooked, st.text()), st.data())
def test_completion_never_fails_and_replaces_only_what_is_before_the_cursor(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    for offer in complete(text, cursor, Resource.RETURNS, {"kind": [text[:3], "x y"]}):
        assert 0 <= offer.start <= cursor
        assert offer.text
        assert offer.hint


@given(st.lists(words.filter(bool), min_size=1, max_size=3))
@example(["<1 day", ">"])
def test_a_completed_value_is_taken_by_the_parser(values: list[str]) -> None:
    typed = "kind:"
    for offer in complete(typed, len(typed), None, {"kind": values}):
        found = parse(typed[: offer.start] + offer.text)
        assert found.terms[0].conditions[0] in {Equals(value) for value in values}
