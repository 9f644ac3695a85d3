"""What an operation declares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from quarterdeck.contract.enums import AnyResource, MachineResource, Resource, Role
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

API = "/api/v1"
API_NUMBER = 1
# The version that is meant, for what has no body.
SEEN = ModelRef("base:Seen")


class Answers(StrEnum):
    """What comes back."""

    JSON = "json"
    STREAM = "stream"  # a file, sent as it is read
    TEXT = "text"
    SOCKET = "socket"  # WebSocket


_ALWAYS = (
    Code.BAD_REQUEST,
    Code.FORBIDDEN,
    Code.STORE_BUSY,
    Code.STORE_FULL,
    Code.STORE_BROKEN,
    Code.STOPPING,
    Code.INTERNAL,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """Verb, path, request, query, response. `problems` are the codes it can answer with, besides those
    that any operation can. `idempotent` operations need an Idempotency-Key.

    `{resource}` in a path is an item queue; with `machines`, also runs and dead letters.
    """

    name: str
    method: str
    path: str
    summary: str
    response: ModelRef | None = None
    request: ModelRef | None = None
    query: ModelRef | None = None
    status: int = 200
    role: Role = Role.VIEWER
    problems: tuple[Code, ...] = ()
    answers: Answers = Answers.JSON
    idempotent: bool = False
    machines: bool = False
    # Other forms that the request may have: (media type, model).
    forms: tuple[tuple[str, ModelRef], ...] = ()

    @property
    def resources(self) -> tuple[AnyResource, ...]:
        """What `{resource}` in the path may be."""
        return (*Resource, *MachineResource) if self.machines else tuple(Resource)

    @property
    def all_problems(self) -> tuple[Code, ...]:
        found = [*self.problems, *_ALWAYS]
        if self.request or self.query or "{" in self.path:
            found.append(Code.INVALID_INPUT)
        if self.request:
            found.append(Code.TOO_LARGE)
        if self.idempotent:
            found += [
                Code.IDEMPOTENCY_KEY_MISSING,
                Code.IDEMPOTENCY_KEY_REUSED,
                Code.IDEMPOTENCY_IN_FLIGHT,
            ]
        return tuple(dict.fromkeys(found))

    @property
    def tag(self) -> str:
        return self.name.partition(".")[0]

    def url(self, **parts: object) -> str:
        """The path with its parameters filled in."""
        return re.sub(r"\{(\w+)\}", lambda m: quote(str(parts[m.group(1)]), safe=""), self.path)
