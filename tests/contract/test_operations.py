"""The declarations of the API, before anything serves them."""

from __future__ import annotations

import re

import pytest

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import OPERATIONS, Operation
from quarterdeck.contract.operations.base import Answers
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import PROBLEMS, RETRYABLE, Code, Problem

EVERY = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)


@EVERY
def test_an_operation_names_models_that_exist(operation: Operation) -> None:
    for reference in (operation.request, operation.response, operation.query):
        if reference is not None:
            assert reference.load().__name__ == reference.name
    assert (operation.response is not None) == (operation.answers is Answers.JSON)
    assert operation.summary.endswith(".")
    assert operation.name.startswith(operation.tag)


def test_no_two_operations_share_verb_and_path() -> None:
    keys = [(operation.method, re.sub(r"\{\w+\}", "{}", operation.path)) for operation in OPERATIONS.values()]
    assert len(set(keys)) == len(keys)


@EVERY
def test_what_changes_something_needs_more_than_a_viewer(operation: Operation) -> None:
    reads = operation.method == "GET" or operation.name in ("items.select",)
    # Whole, with what is secret in the payloads; a day read through minute by minute.
    if operation.name in ("dead_letters.export", "alerts.test"):
        reads = False
    assert reads == (operation.role is Role.VIEWER) or operation.tag == "audit"


def test_a_path_is_filled_in_and_quoted() -> None:
    assert OPERATIONS["bulk.show"].url(id=7) == "/api/v1/bulk-operations/7"
    assert OPERATIONS["items.act"].url(resource="a/b", id=1, action="?x") == (
        "/api/v1/admin/a%2Fb/1/actions/%3Fx"
    )  # fmt: skip


def test_every_code_has_a_status_and_a_title() -> None:
    assert set(PROBLEMS) == set(Code)
    assert set(Code) >= RETRYABLE
    problem = Problem(Code.WRONG_STATE, "Item 1 is closed.")
    assert (problem.status, problem.title) == (409, "Not possible in this state")


@pytest.mark.parametrize("tenants", [None, frozenset(), frozenset({"acme", "ümläut \u202e"})])
def test_a_principal_survives_its_header(tenants: frozenset[str] | None) -> None:
    principal = Principal("ana \u0000 ø", Role.ADMIN, tenants)
    assert principal.header().isascii()
    assert Principal.from_header(principal.header()) == principal


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"actor": "", "role": "admin"}', '{"actor": "a", "role": "king"}',
             '{"actor": "a", "role": "admin", "tenants": [1]}', '{"actor": "a", "role": "admin", "tenants": "acme"}'],
)  # fmt: skip
def test_a_crooked_principal_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="must be JSON like"):
        Principal.from_header(text)
