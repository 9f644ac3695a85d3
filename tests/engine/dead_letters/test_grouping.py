"""Messages that differ only in what differs between runs say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.dead_letters.grouping import LONGEST, group_of, normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 7 not found", "order 4711 not found"),
        ("timeout after 1.5 s", "timeout after 30,000 s"),
        ("no run 3f2b8c1e-aaaa-bbbb-cccc-0123456789ab", "no run 00000000-AAAA-BBBB-CCCC-0123456789ab"),
        ('unknown field "amount"', "unknown field 'sum'"),
        ("at 2026-01-31T08:00:00Z the line broke", "at 2025-12-01 09:11 the line broke"),
        ("see https://a.example/1?x=2", "see https://b.example/"),
        ("object at 0x7f3a", "object at 0xdeadbeef"),
        ("commit 9f8e7d6c5b is gone", "commit 0a1b2c3d4e5f is gone"),
        ("customer evt_1a2b3c", "customer evt_9"),
        ("mail to ana@acme.example bounced", "mail to ben.b+x@globex.example bounced"),
        ("line  one\n two", "line one two"),
    ],
)
def test_these_are_the_same(one: str, other: str) -> None:
    assert group_of("q", "503", one) == group_of("q", "503", other)


@pytest.mark.parametrize(
    ("one", "other"), [("order not found", "customer not found"), ("refused", "refunded"), ("", "empty")]
)
def test_these_are_not(one: str, other: str) -> None:
    assert group_of("q", "503", one) != group_of("q", "503", other)


def test_queue_and_code_tell_groups_apart() -> None:
    assert len({group_of(queue, code, "x")[0] for queue in "ab" for code in ("503", "422")}) == 4


@given(st.text(max_size=5_000))
def test_any_text_has_a_group_and_is_not_long(text: str) -> None:
    group, words = group_of("q", "c", text)
    assert len(group) == 12
    assert len(words) <= LONGEST
    assert normalised(text) == words


def test_a_long_message_takes_no_time() -> None:
    for text in ("a" * 100_000, "1" * 100_000, '"' * 100_000, "a-" * 50_000, "a@" * 50_000, "_" * 100_000):
        normalised(text)
