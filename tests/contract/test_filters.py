"""What a person types into the filter bar, and what it means."""

from __future__ import annotations

import pytest

from quarterdeck.contract.clock import DAY, HOUR, from_iso
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.filters import (
    Between,
    Compare,
    Equals,
    FilterError,
    complete,
    freeze,
    parse,
)
from quarterdeck.contract.filters.ast import Condition

NOW = from_iso("2026-03-10T12:00:00Z")


def only(text: str) -> Condition:
    """The one condition of the one term, frozen at NOW for ana."""
    (term,) = freeze(parse(text), now=NOW, me="ana").terms
    (condition,) = term.conditions
    return condition


def at(condition: Condition) -> int:
    assert isinstance(condition, Compare)
    assert condition.instant.at is not None
    return condition.instant.at


def span(condition: Condition) -> tuple[int, int]:
    assert isinstance(condition, Between)
    assert condition.start.at is not None
    assert condition.end.at is not None
    return condition.start.at, condition.end.at


def test_the_example_of_the_grammar_reads_back() -> None:
    text = (
        "status:open,waiting priority:urgent assignee:me kind:refund tenant:acme "
        'created:>=2026-01-01 due:<2h has:comment -category:spam "free text"'
    )
    found = parse(text)
    assert found.text == text
    assert [term.key for term in found.terms] == [
        "status", "priority", "assignee", "kind", "tenant", "created", "due", "has", "category", "",
    ]  # fmt: skip
    assert found.terms[0].conditions == (Equals("open"), Equals("waiting"))
    assert found.terms[-2].negated


def test_nothing_typed_matches_everything() -> None:
    assert parse("").terms == parse("  \t ").terms == ()


def test_an_age_counts_backwards_and_a_due_time_forwards() -> None:
    younger = only("created:<2h")
    assert (younger.op, at(younger)) == (">", NOW - 2 * HOUR)  # type: ignore[union-attr]
    soon = only("due:<2h")
    assert (soon.op, at(soon)) == ("<", NOW + 2 * HOUR)  # type: ignore[union-attr]
    assert at(only("updated:7d")) == NOW - 7 * DAY


def test_a_day_is_the_whole_day() -> None:
    midnight = from_iso("2026-01-31")
    assert span(only("created:2026-01-31")) == (midnight, midnight + DAY)
    assert span(only("created:20260131")) == (midnight, midnight + DAY)
    assert span(only("created:2026-01-30..2026-01-31")) == (midnight - DAY, midnight + DAY)
    after = only("created:>2026-01-31")
    assert (after.op, at(after)) == (">=", midnight + DAY)  # type: ignore[union-attr]
    through = only("created:<=2026-01-31")
    assert (through.op, at(through)) == ("<", midnight + DAY)  # type: ignore[union-attr]


def test_days_by_name_are_fixed_when_frozen() -> None:
    midnight = from_iso("2026-03-10")
    assert span(only("created:today")) == (midnight, midnight + DAY)
    assert span(only("created:yesterday")) == (midnight - DAY, midnight)
    assert span(only("due:tomorrow")) == (midnight + DAY, midnight + 2 * DAY)
    assert at(only("due:overdue")) == at(only("is:overdue")) == NOW


def test_a_date_and_an_age_that_cross_match_nothing() -> None:
    start, end = span(only("created:2026-03-01..30d"))
    assert start == end


def test_an_age_beyond_the_calendar_ends_at_its_edge() -> None:
    assert at(only("created:<999999w")) == from_iso("0001-01-01")
    assert at(only("due:<999999w")) == from_iso("9999-12-31T23:59:59")


def test_me_becomes_a_name_and_words_ignore_case() -> None:
    assert only("assignee:ME") == Equals("ana")
    assert only("assignee:None") == Equals("none")
    assert only('assignee:"None"') == Equals("None", exact=True)
    assert only("status:OPEN") == Equals("open")
    assert only("assignee:Bo") == Equals("Bo")


def test_states_are_those_of_the_resource() -> None:
    assert parse("status:approved", Resource.RETURNS).text == "status:approved"
    with pytest.raises(FilterError, match="'approved' is no status") as caught:
        parse("priority:low status:approved", Resource.SUPPORT_TASKS)
    assert caught.value.column == 21
    assert caught.value.valid == ("open", "in_progress", "waiting", "resolved", "closed", "cancelled")


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("statsu:open", 1, "Did you mean 'status'"),
        ("kind:a nonsense:b", 8, "put it in quotes"),
        ("status:open,", 13, "needs a value"),
        ("status:", 8, "needs a value"),
        ('kind:x "never closed', 8, "never closed"),
        ("priority:huge", 10, "Valid: urgent, high, normal, low"),
        ("id:12a", 4, "no number"),
        ("id:" + "9" * 19, 4, "no number"),
        ("id:" + "9" * 6_000, 4, "no number"),
        ("created:soon", 9, "no date and no duration"),
        ("created:>=2026-13-01", 11, "no date"),
        ("created:2026-02-01..2026-01-01", 9, "ends before it begins"),
        ("created:2026-01-01..never", 21, "no date"),
        ("created:5\u017f", 9, "no date"),  # a long s is no second
        ("due:<", 6, "needs a date or a duration"),
        ("is:overdue,deleted", 1, "by itself"),
        ("kind:a -", 8, "something to exclude"),
        ("status:opne", 8, "'opne' is no status. Did you mean 'open'?"),
        ("has:coment", 5, "'coment' does not go with has:. Did you mean 'comment'?"),
        ("kind:a OR kind:b", 8, "terms are joined by AND, and the values of one term by commas"),
        ("AND", 1, "put it in quotes"),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, column: int, sentence: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.column == column
    assert sentence in str(caught.value)


def test_a_joiner_in_quotes_or_small_is_text() -> None:
    assert parse('"OR" and').text == '"OR" and'
    assert parse("kind:OR").values("kind") == (Equals("OR"),)


def test_a_filter_of_any_length_is_refused_in_a_sentence() -> None:
    with pytest.raises(FilterError, match="shorten it"):
        parse("x" * 100_000)


def completions(text: str, **known: list[str]) -> list[str]:
    return [text[: offer.start] + offer.text for offer in complete(text, len(text), Resource.SUPPORT_TASKS, known)]


def test_keys_and_values_complete() -> None:
    assert completions("st") == ["status:"]
    assert completions("kind:refund -ca") == ["kind:refund -category:"]
    assert completions("status:w") == ["status:waiting"]
    assert completions("status:open,in") == ["status:open,in_progress"]
    assert "status:open,open" not in completions("status:open,")
    assert "created:<7d" in completions("created:<")
    assert completions("nonsense:") == []
    assert completions('kind:"two wo', kind=["two words", "one"]) == ['kind:"two words"']
    assert completions("tenant:", tenant=["acme", "a b"]) == ["tenant:acme", 'tenant:"a b"']


def test_completion_stays_quick_on_a_long_and_crooked_line() -> None:
    crooked = 'a"b c"' * 3_000 + " st"
    assert [offer.text for offer in complete(crooked, len(crooked))] == ["status:"]
