"""Which regular expressions people may give, and that none of them takes longer than a moment."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.contract.expressions import READ, fault_of
from quarterdeck.contract.models.alert_rules import Matcher

FOR_EVER = [
    "(a+)+", "(a*)*", "(a+a?)+$x", "((a|aa))+x", "(a|a)*x", "(a?a?)*x", "(?:a+?a?)+x", "(a{1,9}a?)*x", "((((a+)+)+)+)+",
    ".*.*.*.*.*.*.*.*x", ".*.*.*[xy]", "[a]*[a]*[a]*[a]*[a]*x", "(a|a)" * 40, "a?" * 40 + "a" * 40, "(?:a|a){30}x",
    "(?:a?){99}x", "(.*)\\1\\1x", "(a)?(?(1)b|c)", "(?=.*.*.*[xy])a", "(?!(a+)+x)a", "(?i)" + "(ſx|sx)" * 27,
    "x?abcdefgh" * 5 + ".*.*.*", ".*.*(?:aa){100}x", "(?:abcd)*abcd(?:abcd)*abcd(?:abcd)*abcd.*[xy]",
]  # fmt: skip
NONE_AT_ALL = ["(", "[", "a{99999999999}", "*", "(?P<a>x)(?P<a>y)", "a" * 201]
USED = [
    "web.*", "a|b|c", r"(db|web)-\d+", ".*timeout.*", "host-[0-9]{1,3}", "(?i)disk.*full", "", ".*", ".+", "w[12]",
    r"^web-\d+$", ".*disk.*full.*", ".*(timeout|refused|reset).*", "prod-(eu|us)-.*-[0-9]+", "(?!test).*", "a.*b.*",
    r"(\d{1,3}\.){3}\d{1,3}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "(foo|bar)+", "node[0-9]+(:[0-9]+)?",
    r"[a-z]+\.[a-z]+\.example\.(com|org)", "https?://.*", "(web|www|api)[0-9]*\\.(prod|stage)\\..*", "(.*-)?db-.*",
    r"(?:(?:db|web)-)?\w+", "(?-i:Disk).*", r"Host(Down|Slow)|Disk(Full|Failed)|.*Mail.*",
]  # fmt: skip
TEXTS = ["a" * READ, "a" * (READ - 1) + "!", "diskfull" * 62 + "\n", "1" * READ, "aaab" * 125, "abcd" * 125]


def took(expression: str) -> float:
    """Seconds, at the worst."""
    pattern, worst = re.compile(expression), 0.0
    for text in TEXTS:
        began = time.process_time()
        pattern.fullmatch(text)
        worst = max(worst, time.process_time() - began)
    return worst


@pytest.mark.parametrize("expression", FOR_EVER)
def test_what_may_take_for_ever_is_refused_and_what_to_do_is_said(expression: str) -> None:
    with pytest.raises(ValueError, match="take for ever; repeat nothing that repeats"):
        Matcher(name="host", value=expression, is_regex=True)
    assert Matcher(name="host", value=expression).value == expression  # a word like any other


@pytest.mark.parametrize("expression", NONE_AT_ALL)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"is no regular expression|more than 200 characters"):
        Matcher(name="host", value=expression, is_regex=True)


@pytest.mark.parametrize("expression", USED)
def test_what_people_use_is_taken_and_read_in_a_moment(expression: str) -> None:
    assert Matcher(name="host", value=expression, is_regex=True).fault is None
    assert took(expression) < 0.5


PIECES = st.sampled_from(["a", "b", ".", "[ab]", "ab", "aa", "disk", "a?", "a*", ".*", "a+?", "a{1,9}", "(?=a)"])
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
    if fault_of(expression + "[xy]") is None:
        assert took(expression + "[xy]") < 1
