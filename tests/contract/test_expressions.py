"""Which regular expressions people may give, and that none of them takes longer than a moment."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.contract.expressions import compiled
from quarterdeck.contract.models.alert_rules import Matcher

NONE_AT_ALL = ["(", "[", "*", "(a{999}){999}", "(.*)\\1", "(?=a)b", "(?!a).*"]
FOR_EVER_ELSEWHERE = [
    "(a+)+", "(a*)*", "(a+a?)+$x", "((a|aa))+x", "(a|a)*x", "(?:a+?a?)+x", "((((a+)+)+)+)+", ".*.*.*.*.*.*.*.*x",
    "(a|a)" * 40, "a?" * 40 + "a" * 40, "(?:a?){99}x", "(?i)" + "(ſx|sx)" * 27, "(?:abcd)*abcd(?:abcd)*abcd.*[xy]",
]  # fmt: skip
USED = {
    "web.*": "web-1", "a|b|c": "b", r"(db|web)-\d+": "db-12", ".*timeout.*": "a timeout", "": "", ".+": "ö",
    "(?i)disk.*full": "Disk is FULL", r"(\d{1,3}\.){3}\d{1,3}": "10.0.0.1", "(.*-)?db-.*": "eu-db-1",
    r"[a-z]+\.example\.(com|org)": "a.example.org", r"Host(Down|Slow)|.*Mail.*": "HostSlow", "[[:alpha:]]+": "abc",
}  # fmt: skip


def took(expression: str, text: str) -> float:
    """Seconds of this process."""
    began = time.process_time()
    Matcher(name="host", value=expression, is_regex=True)
    found = compiled(expression)
    assert not isinstance(found, str)
    found.fullmatch(text)
    return time.process_time() - began


@pytest.mark.parametrize("expression", NONE_AT_ALL)
def test_what_is_no_expression_is_refused_with_the_reason(expression: str) -> None:
    with pytest.raises(ValueError, match=r"is no regular expression: \w+"):
        Matcher(name="host", value=expression, is_regex=True)
    assert Matcher(name="host", value=expression).value == expression  # a word like any other


@pytest.mark.parametrize("expression", FOR_EVER_ELSEWHERE)
def test_what_takes_others_for_ever_takes_a_moment(expression: str) -> None:
    assert took(expression, "a" * 2_000) < 0.5


@pytest.mark.parametrize("expression", USED)
def test_what_people_use_is_taken_and_matches_the_whole_value(expression: str) -> None:
    found = compiled(expression)
    assert not isinstance(found, str)
    assert found.fullmatch(USED[expression])
    assert not found.fullmatch(USED[expression] + "\n!")


PIECES = st.sampled_from(["a", "b", ".", "[ab]", "ab", "aa", "disk", "a?", "a*", ".*", "a+?", "a{1,9}", "(?i)", "\\b"])
EXPRESSIONS = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"({'|'.join(each)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2,5}", "{30}", "*?"])).map(lambda of: f"({of[0]}){of[1]}"),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS)
def test_whatever_is_taken_is_read_in_a_moment(expression: str) -> None:
    if not isinstance(compiled(expression + "[xy]"), str):
        assert took(expression + "[xy]", "a" * 2_000) < 0.5
