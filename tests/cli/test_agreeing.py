"""Nothing is changed before somebody has agreed to exactly that."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.cli import bulk_flow as flow
from quarterdeck.cli.exits import CommandError
from quarterdeck.cli.runtime import Cli
from quarterdeck.config.home import Home


class Person(Cli):
    """Somebody at a terminal who types `answer`."""

    def __init__(self, home: Home, answer: str | None) -> None:
        super().__init__(home, False)
        self.answer = answer
        self.asked = ""

    @property
    def interactive(self) -> bool:
        return self.answer is not None

    def ask(self, question: str) -> str:
        self.asked = question
        assert self.answer is not None
        return self.answer


def operation(risk: str = "low") -> dict[str, Any]:
    return {"id": 3, "label": "Refund", "resource": "returns", "risk": risk, "eligible": 1_234}


@pytest.mark.parametrize(
    ("risk", "answer", "yes", "confirm_count"),
    [
        ("low", "y", False, None),
        ("medium", "YES", False, None),
        ("low", None, True, None),
        ("high", "1234", False, None),
        ("high", "1,234", True, None),  # --yes alone is not enough: it was asked
        ("high", None, False, 1_234),
    ],
)
def test_agreed(engine_home: Home, risk: str, answer: str | None, yes: bool, confirm_count: int | None) -> None:
    person = Person(engine_home, answer)
    assert flow.agree(person, operation(risk), yes=yes, confirm_count=confirm_count) == 1_234
    if answer is not None:
        assert "1234" in person.asked or "1,234 items" in person.asked


@pytest.mark.parametrize(
    ("risk", "answer", "yes", "confirm_count", "said"),
    [
        ("low", "", False, None, "Nothing was started."),
        ("low", "n", False, None, "Nothing was started."),
        ("high", "yes", False, None, "Nothing was started."),
        ("high", "1235", False, None, "Nothing was started."),
        ("low", None, False, None, "Nothing was started. Give --yes"),
        ("high", None, True, None, "Give --confirm-count 1234"),
        ("low", "y", True, 7, "--confirm-count says 7"),
    ],
)
def test_not_agreed(
    engine_home: Home, risk: str, answer: str | None, yes: bool, confirm_count: int | None, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        flow.agree(Person(engine_home, answer), operation(risk), yes=yes, confirm_count=confirm_count)
