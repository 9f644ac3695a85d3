"""Statements that are built once for each shape."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, create_engine, literal, select

from quarterdeck.engine.store.shapes import Shapes


class Sums:
    """`a + b` for any expressions a and b, and how often a statement was built for it."""

    def __init__(self, most: int = 10) -> None:
        self.built = 0
        self.shapes: Shapes[Select[Any]] = Shapes(most)
        self.connection = create_engine("sqlite://").connect()

    def of(self, *parts: ColumnElement[Any], fixed: str = "") -> Any:
        def build(parts: list[ColumnElement[Any]]) -> Select[Any]:
            self.built += 1
            return select(parts[0] + parts[1])

        statement, values = self.shapes.of(fixed, parts, build)
        return self.connection.execute(statement, values).scalar_one()


def test_one_statement_serves_all_values() -> None:
    sums = Sums()
    assert [sums.of(literal(number), literal(10)) for number in range(3)] == [10, 11, 12]
    assert sums.built == 1


def test_another_shape_is_another_statement() -> None:
    sums = Sums()
    assert sums.of(literal(1), literal(2)) == 3
    assert sums.of(literal(1) * literal(5), literal(2)) == 7
    assert sums.of(literal(1), literal(2), fixed="else") == 3
    assert sums.built == 3
    assert sums.of(literal(2) * literal(5), literal(2)) == 12
    assert sums.built == 3


def test_a_list_of_another_length_is_another_shape() -> None:
    sums = Sums()
    one, two, other = ([1], [1, 2], [2])
    assert sums.of(literal(1).in_(one).cast(literal(1).type), literal(0)) == 1
    assert sums.of(literal(2).in_(two).cast(literal(1).type), literal(0)) == 1
    assert sums.of(literal(1).in_(other).cast(literal(1).type), literal(0)) == 0


def test_there_is_an_end_to_what_is_kept() -> None:
    sums = Sums(most=2)
    for name in ("a", "b", "c", "a"):
        sums.of(literal(1), literal(1), fixed=name)
    assert sums.built == 4
