"""The description holds every operation, every problem, and nothing that cannot be said in HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.contract.operations import OPERATIONS
from quarterdeck.contract.operations.base import Answers
from quarterdeck.contract.problems import PROBLEMS
from quarterdeck.engine.http.openapi import describe


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe()


def test_every_operation_is_described_with_all_it_can_answer(document: dict[str, Any]) -> None:
    for operation in OPERATIONS.values():
        if operation.answers is Answers.SOCKET:
            assert operation.path in document["info"]["description"]
            continue
        described = document["paths"][operation.path][operation.method.lower()]
        assert described["operationId"] == operation.name
        wanted = {str(operation.status), *(str(PROBLEMS[code][0]) for code in operation.all_problems)}
        assert set(described["responses"]) == wanted
        assert ("requestBody" in described) == (operation.request is not None)
        keys = [each["name"] for each in described["parameters"] if each["in"] == "header"]
        assert keys == (["Idempotency-Key"] if operation.idempotent else [])


def test_a_query_never_offers_null(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            assert "null" not in str([each for each in operation["parameters"] if each["in"] == "query"])


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = document["components"]["schemas"]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                assert value["$ref"].rpartition("/")[2] in known
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(document)
