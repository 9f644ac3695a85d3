"""A channel as somebody may see it. An address often is the secret, and people's addresses are theirs: only those who
could set the channel up see all of it; the audit log, which others read, never does."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import Role
from quarterdeck.contract.models.channels import Channel
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.channels.secrets import HIDDEN

_SECRETS = ("secret_env", "secret_keyring")


def shown_to(principal: Principal, row: Row[Any]) -> Channel:
    """A row of `notification_channels`."""
    values = {**row._mapping, "updated_at": to_datetime(row.updated_at)}
    answers_for_all = principal.tenants is None or (row.tenant_id is not None and principal.sees(row.tenant_id))
    if not (answers_for_all and principal.role.covers(Role.ADMIN)):
        values |= {"settings": without_address(row.settings), **dict.fromkeys(_SECRETS)}
    return Channel.model_validate(values)


def without_address(settings: dict[str, Any]) -> dict[str, Any]:
    """Where it leads, without what lets anybody go there."""
    shown = dict(settings)
    if "url" in shown:
        parts = urlsplit(shown["url"])
        bare = parts.path in ("", "/") and not parts.query
        shown["url"] = f"{parts.scheme}://{parts.netloc}/{'' if bare else HIDDEN}"
    if "to" in shown:
        shown["to"] = [_at_host(each) for each in shown["to"]]
        shown["sender"] = _at_host(shown["sender"])
        shown["username"] = None if shown["username"] is None else HIDDEN
    return shown


def _at_host(address: str) -> str:
    return f"{HIDDEN}@{address.rpartition('@')[2]}"
