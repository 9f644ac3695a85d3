"""The engine itself."""

from __future__ import annotations

from quarterdeck.contract.enums import Role
from quarterdeck.contract.models.base import Answer, Json, Timestamp


class Principal(Answer):
    """Who is calling. `tenants` null means every tenant."""

    actor: str
    role: Role
    tenants: list[str] | None


class EngineInfo(Answer):
    version: str
    api: int
    pid: int
    home: str
    store: str
    started_at: Timestamp
    principal: Principal
    claim_minutes: int
    tenants: list[str]


class Stopped(Answer):
    pid: int


class Health(Answer):
    """`checks` maps what was looked at to `ok` or a sentence."""

    status: str
    checks: dict[str, str]


class FieldError(Answer):
    pointer: str
    detail: str


class ProblemDocument(Answer):
    """RFC 9457. `code` is stable; `detail` is a sentence for a person."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []
    instance: str | None = None
    extra: dict[str, Json] | None = None
