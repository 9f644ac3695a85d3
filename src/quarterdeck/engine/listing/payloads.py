"""What the listings of machine work share: text and fields are looked for in payloads."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, case, false, or_, type_coerce

from quarterdeck.contract.enums import MachineResource, Priority
from quarterdeck.contract.filters import Condition, Equals
from quarterdeck.contract.filters.keys import FIELD_PREFIX, KeyKind, keys_for
from quarterdeck.contract.masking import mask, pattern
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.listing.declaration import Special, Wrap
from quarterdeck.engine.store.dialect import Dialect, contains


def holds(*columns: str) -> frozenset[str]:
    """What an index holds."""
    return frozenset({"id", *columns})


def word_of(resource: MachineResource, key: str, value: str) -> Any:
    """A word of the grammar as the column holds it."""
    if key == "priority":
        return Priority(value).rank
    return int(value) if keys_for(resource)[key].kind is KeyKind.NUMBER else value


def in_payload(table: Table) -> Special:
    """Free text is looked for in the payload and the message of the error, `field.NAME` in the payload.

    Never in a value under a secret name: whether it is found would tell what it is.
    """
    payload: ColumnElement[Any] = type_coerce(table.c.payload, Text)

    def special(
        key: str, condition: Condition, dialect: Dialect, _wrap: Wrap, secret: tuple[str, ...]
    ) -> ColumnElement[bool] | None:
        if not isinstance(condition, Equals):
            return None
        value = condition.value
        if key.startswith(FIELD_PREFIX):
            return _field(dialect, payload, key[len(FIELD_PREFIX) :], value, secret)
        if key:
            return None
        if not value:
            found: ColumnElement[bool] = table.c.id > 0
            return found
        # Payloads are kept as JSON in ASCII.
        written = json.dumps(value)[1:-1]
        inside: ColumnElement[bool] = contains(payload, written)
        if secret:  # only what is found is read a second time
            inside = case((inside, contains(dialect.open_text(payload, secret), written)), else_=false())
        return or_(contains(table.c.error_message, value), inside)

    return special


def _field(
    dialect: Dialect, payload: ColumnElement[Any], name: str, value: str, secret: tuple[str, ...]
) -> ColumnElement[bool]:
    if secret and pattern(secret).fullmatch(name):
        raise Problem(
            Code.FORBIDDEN,
            f"The values of {name} are secret, so only an admin may filter by {FIELD_PREFIX}{name}; leave it out.",
        )
    if secret and _has_secrets(value, secret):
        return false()
    found: ColumnElement[bool] = dialect.part(payload, name) == value
    return found


def _has_secrets(value: str, secret: tuple[str, ...]) -> bool:
    """Whether it is JSON, as an object in a payload is compared, that says what is under a secret name."""
    try:
        said = json.loads(value) if value[:1] in ("{", "[") else None
        return bool(mask(said, secret) != said)
    except ValueError:
        return False
    except RecursionError:
        return True
