"""Hypothesis strategies for what the contract can say."""

from __future__ import annotations

from hypothesis import strategies as st

from quarterdeck.contract.clock import iso
from quarterdeck.contract.filters import KEYS, Equals, Filter, Key, KeyKind, Term
from quarterdeck.contract.filters.ast import Condition
from quarterdeck.contract.filters.times import time_condition

# Short enough that a filter of several terms stays within the longest that is read.
words = st.text(max_size=40)
instants = st.one_of(
    st.integers(0, 4_102_444_800_000).map(iso),
    st.dates().map(lambda day: day.isoformat()),
    st.tuples(st.integers(0, 999_999), st.sampled_from("smhdwSMHDW")).map(lambda pair: f"{pair[0]}{pair[1]}"),
)


def _times(key: Key) -> st.SearchStrategy[Condition]:
    one = st.tuples(st.sampled_from(["", "<", "<=", ">", ">="]), instants).map("".join)
    same_kind = st.one_of(
        st.tuples(st.dates(), st.dates()).map(lambda pair: "..".join(day.isoformat() for day in sorted(pair))),
        st.tuples(instants.filter(lambda text: text[-1].isalpha() and text[-1] != "Z"), st.just("3d")).map("..".join),
    )
    return st.one_of(one, same_kind, st.sampled_from(key.choices)).map(lambda text: time_condition(key, text, 1))


def _conditions(key: Key) -> st.SearchStrategy[tuple[Condition, ...]]:
    one: st.SearchStrategy[Condition]
    if key.kind in (KeyKind.PAST, KeyKind.FUTURE):
        one = _times(key)
    elif key.kind is KeyKind.CHOICE:
        one = st.sampled_from([choice for choice in key.choices if choice != "overdue"]).map(Equals)
    elif key.kind is KeyKind.NUMBER:
        one = st.integers(0, 2**63 - 1).map(lambda number: Equals(str(number)))
    else:
        one = st.one_of(
            words.filter(lambda text: text.lower() not in key.choices), st.sampled_from([*key.choices, "x"])
        ).map(Equals)
    several = st.lists(one, min_size=1, max_size=4).map(tuple)
    return st.one_of(several, st.just((Equals("overdue"),))) if key.name == "is" else several


_fields = st.from_regex(r"field\.[A-Za-z_][A-Za-z0-9_.\-]{0,20}", fullmatch=True).map(
    lambda name: Key(name, KeyKind.WORD, "a field")
)
terms = st.one_of(
    st.builds(lambda text, negated: Term("", (Equals(text),), negated), words, st.booleans()),
    st.one_of(st.sampled_from(list(KEYS.values())), _fields).flatmap(
        lambda key: st.builds(lambda found, negated: Term(key.name, found, negated), _conditions(key), st.booleans())
    ),
)
filters = st.lists(terms, max_size=6).map(lambda found: Filter(tuple(found)))

# Text that is nearly a filter, which finds more than text from the whole of Unicode does.
crooked = st.lists(
    st.one_of(
        st.sampled_from(
            [*(f"{name}:" for name in KEYS), "field.x:", "-", ",", '"', "\\", " ", "..", "<", ">=", "open", "me"]
        ),
        instants,
        st.text(max_size=5),
    ),
    max_size=20,
).map("".join)
