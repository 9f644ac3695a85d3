"""The description of the API (OpenAPI 3.1), made from the contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from quarterdeck import __version__
from quarterdeck.contract.actions import ACTIONS
from quarterdeck.contract.operations import API, OPERATIONS, Operation
from quarterdeck.contract.operations.base import Answers
from quarterdeck.contract.problems import PROBLEMS
from quarterdeck.contract.reference import ModelRef
from quarterdeck.engine.http.failures import MEDIA_TYPE

PATH = f"{API}/openapi.json"
_REF = "#/components/schemas/{model}"
_PROBLEM = ModelRef("system:ProblemDocument")
_TEXT_TYPES = {Answers.TEXT: ("text/plain",), Answers.STREAM: ("text/csv", "application/json", "application/x-ndjson")}

JsonObject = dict[str, Any]


def describe() -> JsonObject:
    """The whole document. Takes some tenths of a second: keep what it returns."""
    from pydantic.json_schema import models_json_schema

    served = [operation for operation in OPERATIONS.values() if operation.answers is not Answers.SOCKET]
    wanted: dict[Any, None] = {(_PROBLEM.load(), "serialization"): None}
    for operation in served:
        taken = [operation.request, *(model for _, model in operation.forms)]
        for ref, mode in (*((each, "validation") for each in taken), (operation.response, "serialization")):
            if ref:
                wanted[ref.load(), mode] = None
    by_model, definitions = models_json_schema(list(wanted), ref_template=_REF)
    schemas = {model.__name__: by_model[model, mode] for model, mode in wanted}
    paths: dict[str, JsonObject] = {}
    for operation in served:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quarterdeck",
            "version": __version__,
            "description": "Errors are RFC 9457 problem documents with a stable `code`. WebSockets: "
            + ", ".join(f"`{each.path}`" for each in OPERATIONS.values() if each.answers is Answers.SOCKET),
        },
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _operation(operation: Operation, schemas: Mapping[str, JsonObject]) -> JsonObject:
    found: JsonObject = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "description": f"Needs the role `{operation.role}`.",
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_headers(operation)],
        "responses": _responses(operation, schemas),
    }
    if operation.request:
        model = operation.request.load()
        found["requestBody"] = {
            "required": any(field.is_required() for field in model.model_fields.values()),
            "content": {
                kind: {"schema": schemas[ref.name]}
                for kind, ref in (("application/json", operation.request), *operation.forms)
            },
        }
    return found


def _path_parameters(operation: Operation) -> list[JsonObject]:
    found = []
    for name in re.findall(r"\{(\w+)\}", operation.path):
        if name == "resource":
            schema: JsonObject = {"type": "string", "enum": [str(each) for each in operation.resources]}
        elif name == "action":
            schema = {
                "type": "string",
                "enum": sorted({a.verb for a in ACTIONS.values() if a.resource in operation.resources}),
            }
        elif name == "id" or name.endswith("_id"):
            schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        else:
            schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _query_parameters(operation: Operation) -> list[JsonObject]:
    if operation.query is None:
        return []
    schema = operation.query.load().model_json_schema(ref_template=_REF)
    known = schema.get("$defs", {})
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _flat(member, known)}
        for name, member in schema["properties"].items()
    ]


def _flat(schema: JsonObject, known: Mapping[str, JsonObject]) -> JsonObject:
    """A query cannot say null: leave that choice out. Enumerations are written in place."""
    if "$ref" in schema:
        return known[schema["$ref"].rpartition("/")[2]]
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        return {**rest, **_flat(choices[0], known)}
    return schema


def _headers(operation: Operation) -> list[JsonObject]:
    found: list[JsonObject] = []
    if operation.idempotent:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "The same key with the same request gets the same answer for 24 hours.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*[!#-~][ -~]*$"},
            }
        )
    return found


def _responses(operation: Operation, schemas: Mapping[str, JsonObject]) -> JsonObject:
    success: JsonObject = {"description": "Done."}
    if operation.response:
        success["content"] = {"application/json": {"schema": schemas[operation.response.name]}}
    else:
        success["content"] = {kind: {"schema": {}} for kind in _TEXT_TYPES[operation.answers]}
    found: JsonObject = {str(operation.status): success}
    by_status: dict[int, list[str]] = {}
    for code in operation.all_problems:
        by_status.setdefault(PROBLEMS[code][0], []).append(f"`{code}`")
    for status, codes in sorted(by_status.items()):
        found[str(status)] = {
            "description": ", ".join(codes),
            "content": {MEDIA_TYPE: {"schema": schemas[_PROBLEM.name]}},
        }
    return found
