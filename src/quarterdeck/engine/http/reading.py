"""Reading a request into the models of the contract. Every mistake names its place."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from quarterdeck.config.wording import plain
from quarterdeck.contract.enums import AnyResource, read_resource
from quarterdeck.contract.problems import Code, Problem

LARGEST_BODY = 64 * 1024 * 1024
LARGEST_ID = 2**63 - 1
_NUL = "The character U+0000 cannot be kept; leave it out."


def read_path(values: dict[str, Any], resources: Sequence[AnyResource]) -> dict[str, Any]:
    """`resource` as one of `resources`, ids as int, the rest as text. Raises Problem."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name == "resource":
            if value not in resources:
                raise Problem(Code.NOT_FOUND, f"There is no resource {value!r} here; there are {', '.join(resources)}.")
            found[name] = read_resource(value)
        elif name == "id" or name.endswith("_id"):
            number = int(value)
            if not 1 <= number <= LARGEST_ID:
                sentence = f"must be from 1 to {LARGEST_ID}"
                raise Problem(Code.INVALID_INPUT, f"{name} {sentence}.", errors=((f"/path/{name}", sentence),))
            found[name] = number
        else:
            found[name] = value
    return found


def read_query(model: type[BaseModel] | None, raw: bytes, *, strict: bool) -> Any:
    """The query as the operation's model. Without a model, members are refused where `strict`."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Problem(Code.BAD_REQUEST, "The query could not be read; it must be URL-encoded UTF-8.") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise _invalid(((f"/query/{name}", "is given twice"),))
        if "\0" in value:
            raise _invalid(((f"/query/{name}", _NUL),))
        values[name] = value
    if model is None:
        if values and strict:
            raise _invalid(tuple((f"/query/{name}", "is not known here") for name in values))
        return None
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise _invalid(_pointers(error, "/query")) from error


async def read_body(request: Request) -> bytes:
    """The whole body. Raises Problem(TOO_LARGE) without having read more than is allowed."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LARGEST_BODY:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def parse_body(model: type[BaseModel], body: bytes, media_type: str, others: Container[str] = ()) -> Any:
    """The body as a model of the operation; an empty one counts as `{}`. Raises Problem.

    Only JSON is taken, and has to say that it is, or which of the `others`: a form on some web page cannot.
    """
    if body and media_type != "application/json" and media_type not in others:
        raise Problem(Code.BAD_REQUEST, "The body must be JSON, sent with Content-Type: application/json.")
    try:
        # NaN and Infinity are no JSON, but the parser lets them through.
        if b"NaN" in body or b"Infinity" in body:
            from_json(body, allow_inf_nan=False)
        parsed = model.model_validate_json(body or b"{}", strict=True)
    except ValidationError as error:
        if error.errors(include_url=False, include_context=False)[0]["type"] == "json_invalid":
            reason = error.errors(include_url=False)[0].get("ctx", {}).get("error", "")
            raise Problem(Code.BAD_REQUEST, f"The body is not valid JSON: {reason}.") from error
        raise _invalid(_pointers(error, "")) from error
    except ValueError as error:
        raise Problem(Code.BAD_REQUEST, f"The body is not valid JSON: {error}.") from error
    if b"\\u0000" in body and _holds_nul(from_json(body), ""):
        raise _invalid(((_holds_nul(from_json(body), "") or "/", _NUL),))
    return parsed


def invalid(error: ValidationError, prefix: str = "") -> Problem:
    """The problem for a model that did not validate; `prefix` is the JSON pointer of where it stood."""
    return _invalid(_pointers(error, prefix))


def _holds_nul(value: Any, pointer: str) -> str | None:
    """The JSON pointer of the first U+0000, or None."""
    if isinstance(value, str):
        return pointer if "\0" in value else None
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        if isinstance(key, str) and "\0" in key:
            return pointer
        found = _holds_nul(part, f"{pointer}/{_escape(key)}")
        if found is not None:
            return found
    return None


def _invalid(errors: tuple[tuple[str, str], ...]) -> Problem:
    pointer, sentence = errors[0]
    more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    place = pointer.removeprefix("/query").removeprefix("/path").lstrip("/").replace("/", ".") or "The body"
    return Problem(Code.INVALID_INPUT, f"{place}: {sentence.rstrip('.')}.{more}", errors=errors)


def _pointers(error: ValidationError, prefix: str) -> tuple[tuple[str, str], ...]:
    """(JSON pointer, sentence) for each mistake, RFC 6901."""
    return tuple(
        (prefix + "".join(f"/{_escape(part)}" for part in each["loc"]), _sentence(each))
        for each in error.errors(include_url=False)[:50]
    )


def _sentence(each: Any) -> str:
    if each["type"] == "extra_forbidden":
        return "is not known here"
    if each["type"] == "missing":
        return "is missing"
    if each["type"] == "value_error":
        return str(each["ctx"]["error"])
    return plain(str(each["msg"]))


def _escape(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _too_large() -> Problem:
    return Problem(Code.TOO_LARGE, f"The body is larger than {LARGEST_BODY // 1024 // 1024} MiB; send it in parts.")
