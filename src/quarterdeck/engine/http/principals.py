"""Who is calling."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.contract.enums import Role
from quarterdeck.contract.principal import ACT_AS_HEADER, Principal
from quarterdeck.contract.problems import Code, Problem


def resolve(local: Principal, headers: Mapping[str, str]) -> Principal:
    """The caller on the local socket, or whom it acts as.

    Raises Problem: BAD_REQUEST for a header that cannot be read, FORBIDDEN for one that may not be used.
    """
    text = headers.get(ACT_AS_HEADER.lower())
    if text is None:
        return local
    if local.role is not Role.SUPER_ADMIN:
        raise Problem(Code.FORBIDDEN, f"Only a super_admin may act as somebody else; you are {local.role}.")
    try:
        return Principal.from_header(text)
    except ValueError as error:
        raise Problem(Code.BAD_REQUEST, str(error)) from error


def require(principal: Principal, role: Role, what: str) -> None:
    """Raises Problem(FORBIDDEN) unless the principal has `role` or a higher one."""
    if not principal.role.covers(role):
        raise Problem(Code.FORBIDDEN, f"{what} needs the role {role}; {principal.actor} is {principal.role}.")
