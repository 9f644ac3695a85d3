"""What a cell becomes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quarterdeck.cli.importing.dates import date_parser
from quarterdeck.cli.importing.mapping import Origin, SourcePart
from quarterdeck.cli.importing.values import BadValue, extractor, look_up, show

SOURCE = SourcePart(nulls=["", "N/A"], timezone="America/New_York")


def value(record: dict[str, Any], target: str = "text", **origin: Any) -> Any:
    return extractor(Origin(**origin), SOURCE, target)(record)


@pytest.mark.parametrize(
    ("formats", "zone", "text", "expected"),
    [
        (["iso"], "UTC", "2010-03-31T16:59:42+02:00", "2010-03-31T14:59:42Z"),
        (["iso"], "America/New_York", "2024-04-16T03:03:15.000", "2024-04-16T07:03:15Z"),
        (["iso"], "Europe/Berlin", "2024-01-31", "2024-01-30T23:00:00Z"),
        (["iso"], "Europe/Berlin", "2024-10-27T02:30:00", "2024-10-27T00:30:00Z"),  # the earlier of the two
        (["%d/%m/%Y %H:%M"], "UTC", "31/01/2024 08:05", "2024-01-31T08:05:00Z"),
        (["iso", "%d.%m.%Y"], "UTC", "31.01.2024", "2024-01-31T00:00:00Z"),
        (["unix"], "Asia/Tokyo", "0", "1970-01-01T00:00:00Z"),
        (["unix_ms"], "UTC", "1700000000500", "2023-11-14T22:13:20.500Z"),
    ],
)
def test_dates_become_utc(formats: list[str], zone: str, text: str, expected: str) -> None:
    assert date_parser(formats, zone)(text) == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "2024-02-30", "", "9999999999999999", "0001-01-01T00:00:00+14:00", "nan"]
)
def test_what_is_no_date_is_refused_with_the_formats(text: str) -> None:
    with pytest.raises(ValueError, match="is no date in the format iso or unix"):
        date_parser(["iso", "unix"], "UTC")(text)


def test_the_first_column_with_a_value_is_taken() -> None:
    assert value({"id": "N/A", "number": "7"}, column=["id", "number"]) == "7"
    assert value({"id": " ", "number": ""}, column=["id", "number"]) is None
    assert value({"number": 7}, column=["id", "number"]) == "7"


def test_dotted_paths_reach_into_objects_and_lists() -> None:
    record = {"a.b": "flat", "a": {"c": {"d": 1}}, "products": [{"title": "X"}, {"title": "Y"}, {"other": 1}]}
    assert look_up(record, "a.b") == "flat"
    assert look_up(record, "a.c.d") == 1
    assert look_up(record, "a.c.d.e") is None
    assert look_up(record, "products.1.title") == "Y"
    assert look_up(record, "products.9.title") is None
    assert value(record, column="products.title") == "X, Y"
    assert value(record, "any", column="products.title") == ["X", "Y"]


def test_values_are_mapped_or_refused_by_name() -> None:
    states = {"Open": "open", "Done": "closed", "": "waiting"}
    assert value({"s": " Open "}, column="s", values=states) == "open"
    assert value({"s": ""}, column="s", values=states) == "waiting"
    assert value({}, column="s", values=states) == "waiting"
    assert value({"s": "Odd"}, column="s", values=states, default="open") == "open"
    with pytest.raises(BadValue) as refused:
        value({"s": "Odd"}, column="s", values=states)
    assert (refused.value.column, refused.value.value) == ("s", "Odd")
    assert "known are Open, Done" in refused.value.reason


def test_templates_leave_out_what_is_empty_and_keep_doubled_braces() -> None:
    text = value({"a": "1", "b": "N/A", "c": "3"}, template="{a}/{b|c} {{x}} {b}!")
    assert text == "1/3 {x} !"


def test_constants_defaults_and_cuts() -> None:
    assert value({}, constant="acme") == "acme"
    assert value({"t": ""}, column="t", default="none") == "none"
    assert value({"t": "abcdef"}, column="t", cut=4) == "abc…"


@pytest.mark.parametrize(("cell", "number"), [("12", 12), ("-3.5", -3.5), (Decimal("1.25"), 1.25), (7, 7)])
def test_numbers(cell: Any, number: float) -> None:
    assert value({"n": cell}, "any", column="n", type="number") == number


@pytest.mark.parametrize("cell", ["twelve", "1_000", "inf", True, "1,5"])
def test_what_is_no_number_is_refused(cell: Any) -> None:
    with pytest.raises(BadValue, match="number"):
        value({"n": cell}, "any", column="n", type="number")


@pytest.mark.parametrize(("cell", "reason"), [("a\x00b", "NUL"), ("a\udcffb", "not valid text"), ({"x": 1}, "object")])
def test_what_no_store_takes_is_refused(cell: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        value({"t": cell}, column="t")


def test_a_nul_deep_inside_a_kept_field_is_found() -> None:
    with pytest.raises(BadValue, match="NUL"):
        value({"t": {"a": ["ok", "\x00"]}}, "any", column="t")


def test_bad_bytes_are_shown_as_escapes() -> None:
    assert show("caf\udce9 \x00 \ud800") == "caf\\xe9 \\x00 \\ud800"
