"""From checks in a row to a condition that holds still."""

from __future__ import annotations

import pytest

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Condition
from quarterdeck.engine.workers.attendance import type_of
from quarterdeck.engine.workers.judging import Check, Level, Rules, Standing, after, ago, heard, together

HEALTHY, DEGRADED, UNHEALTHY = Condition
RULES = Rules(unhealthy_after=3, healthy_after=2, silent_seconds=90)
LEVELS = {"+": Level.GOOD, "-": Level.DEAD, "r": Level.NOT_READY}


def conditions(checks: str) -> str:
    """H, D or U after each check: + good, - dead, r not ready."""
    standing = None
    found = ""
    for each in checks:
        standing = after(standing, Check(LEVELS[each], None if each == "+" else "It does not answer."), RULES)
        found += str(standing.condition)[0].upper()
    return found


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ("+++", "HHH"),
        ("+-++", "HDDH"),
        ("+---", "HDDU"),
        ("---", "DDU"),
        ("---+", "DDUU"),
        ("---++", "DDUUH"),
        ("+-+-+-+-", "HDDDDDDD"),  # flapping holds still
        ("---+--+--+", "DDUUUUUUUU"),
        ("+r++", "HDDH"),
        ("rrrrr", "DDDDD"),  # it lives, so it is not unhealthy
        ("+rr-", "HDDU"),
    ],
)
def test_conditions_change_after_checks_in_a_row(checks: str, expected: str) -> None:
    assert conditions(checks) == expected


def test_it_says_why_until_it_is_healthy_again() -> None:
    standing = after(None, Check(Level.DEAD, "Nobody takes connections there."), RULES)
    standing = after(standing, Check(Level.GOOD), RULES)
    assert (standing.condition, standing.why) == (DEGRADED, "Nobody takes connections there.")
    assert after(standing, Check(Level.GOOD), RULES).why is None


def shown(standing: Standing, silent: int, *, is_checked: bool) -> Standing:
    return heard(standing, 1_000_000, 1_000_000 + silent * SECOND, RULES, is_checked=is_checked)


def test_one_that_only_leases_is_judged_by_its_silence() -> None:
    assert shown(Standing(HEALTHY), 90, is_checked=False).condition is HEALTHY
    silent = shown(Standing(HEALTHY), 400, is_checked=False)
    assert silent.condition is UNHEALTHY
    assert "not been heard of for 6 minutes" in (silent.why or "")


def test_one_that_leases_is_not_unhealthy_whatever_its_address_says() -> None:
    found = shown(Standing(UNHEALTHY, 3, why="Nobody takes connections there."), 5, is_checked=True)
    assert found.condition is DEGRADED
    assert "It leases runs, but" in (found.why or "")
    assert shown(Standing(UNHEALTHY, 3), 100, is_checked=True).condition is UNHEALTHY
    assert shown(Standing(HEALTHY), 100, is_checked=True).condition is HEALTHY


def test_a_type_is_as_well_as_its_workers_together() -> None:
    assert together([HEALTHY, HEALTHY]) is HEALTHY
    assert together([HEALTHY, UNHEALTHY]) is DEGRADED
    assert together([UNHEALTHY, UNHEALTHY]) is UNHEALTHY


def test_silence_in_words() -> None:
    assert [ago(each) for each in (100, 119, 120, 7_199, 7_200, 200_000)] == [
        "100 seconds", "119 seconds", "2 minutes", "119 minutes", "2 hours", "2 days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"),
    [("refunds-1", "refunds"), ("refunds-2", "refunds"), ("refunds", "refunds"), ("mail_12-3", "mail"),
     ("mail.4f9a0c21", "mail"), ("4711", "4711"), ("w@17", "w"), ("feed", "feed")],
)  # fmt: skip
def test_the_type_is_the_name_without_its_number(name: str, kind: str) -> None:
    assert type_of(name) == kind
