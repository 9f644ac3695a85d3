"""Problems on their way out: RFC 9457 documents."""

from __future__ import annotations

import json
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from quarterdeck.contract.problems import Code, Problem

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_OF_STATUS = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.TOO_LARGE}


class BrokenOff(Exception):
    """A file ended early; why has been logged, so the server need not."""

    already_logged = True


def document(problem: Problem, instance: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": f"urn:quarterdeck:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": str(problem.code),
        "detail": problem.detail,
        "errors": [{"pointer": pointer, "detail": sentence} for pointer, sentence in problem.errors],
        "instance": instance,
    }
    if problem.extra:
        found["extra"] = problem.extra
    return found


def answer(problem: Problem, instance: str) -> Response:
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else None
    body = json.dumps(document(problem, instance), ensure_ascii=True, default=str)
    return Response(body, problem.status, headers, media_type=MEDIA_TYPE)


def explain(error: BaseException, what: str) -> Problem:
    """The problem for whatever was raised. What nobody foresaw is logged whole and told in one sentence."""
    if isinstance(error, Problem):
        if error.status >= 500:
            log.warning("%s: %s", what, error.detail)
        return error
    if isinstance(error, ClientDisconnect):
        return Problem(Code.BAD_REQUEST, "The connection was closed before the request had arrived.")
    log.error("%s failed", what, exc_info=error)
    return Problem(
        Code.INTERNAL, f"{what} failed for a reason nobody foresaw; the engine log has it. Please report it."
    )


async def http_exception(request: Request, error: Exception) -> Response:
    """What the router itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    code = _OF_STATUS.get(error.status_code, Code.BAD_REQUEST)
    path = request.url.path
    if code is Code.NOT_FOUND:
        problem = Problem(code, f"There is nothing at {path}; /api/v1/openapi.json lists what there is.")
    elif code is Code.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        problem = Problem(code, f"{request.method} is not possible at {path}; use {allowed}.")
    else:
        problem = Problem(code, str(error.detail))
    response = answer(problem, path)
    response.headers.update(error.headers or {})
    return response


async def unforeseen(request: Request, error: Exception) -> Response:
    return answer(explain(error, f"{request.method} {request.url.path}"), request.url.path)
