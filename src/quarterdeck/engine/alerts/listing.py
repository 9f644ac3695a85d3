"""Alerts that match a filter, as conditions."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from quarterdeck.contract.enums import Watched
from quarterdeck.contract.filters import Between, Compare, Condition, Equals
from quarterdeck.contract.filters.keys import FIELD_PREFIX, KeyKind, keys_for
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts.tables import alert_groups, alerts
from quarterdeck.engine.listing.declaration import Listing, Wrap
from quarterdeck.engine.listing.matching import OPERATORS, conditions, read_filter
from quarterdeck.engine.listing.paging import Order
from quarterdeck.engine.store.dialect import Dialect, contains, holds

_A = alerts.c
# It speaks about when it fired, or where it has not, about when it was first seen.
_BEGAN: ColumnElement[Any] = func.coalesce(_A.starts_at, _A.pending_at)
_IS: dict[str, ColumnElement[bool]] = {
    "acknowledged": _A.acked_until.is_not(None),
    "silenced": _A.silenced_by.is_not(None),
    "inhibited": _A.inhibited_by.is_not(None),
}


def _special(
    key: str, condition: Condition, _dialect: Dialect, _wrap: Wrap, _secret: tuple[str, ...]
) -> ColumnElement[bool] | None:
    if isinstance(condition, Compare):
        found: ColumnElement[bool] = OPERATORS[condition.op](_BEGAN, condition.instant.at)
        return found
    if isinstance(condition, Between):
        return and_(condition.start.at <= _BEGAN, condition.end.at > _BEGAN)
    assert isinstance(condition, Equals)
    value = condition.value
    if key == "is":
        return _IS[value]
    if key == "label":
        name, _, value = value.partition("=")
        return with_label(name, value)
    if key.startswith(FIELD_PREFIX):
        return with_label(key[len(FIELD_PREFIX) :], value)
    if key:
        return None
    written = json.dumps(value)[1:-1]  # labels and annotations are kept as JSON in ASCII; the name is one of the labels
    return or_(contains(_A.labels, written), contains(_A.annotations, written))


def with_label(name: str, value: str) -> ColumnElement[bool]:
    # As `JsonText` keeps it; a quotation mark inside a value has a backslash before it, so this stands for a label.
    return holds(_A.labels, json.dumps({name: value}, ensure_ascii=True, separators=(",", ":"))[1:-1])


def _word(key: str, value: str) -> Any:
    return int(value) if keys_for(Watched.ALERTS)[key].kind is KeyKind.NUMBER else value


_GROUP_KEY = select(alert_groups.c.key).where(alert_groups.c.id == _A.group_id).scalar_subquery().label("group_key")
ALERTS = Listing(
    resource=Watched.ALERTS,
    table=alerts,
    columns={
        "state": "state",
        "severity": "severity",
        "name": "name",
        "type": "type",
        "tenant": "tenant_id",
        "rule": "rule_id",
        "group": "group_id",
        "id": "id",
    },
    orders={"created": ("id",)},
    indexes={},
    by_equality=frozenset(),
    streams={},
    shown=(*alerts.c, _GROUP_KEY),
    facets={},
    newest=("id",),
    special=_special,
    word=_word,
)
NEWEST_FIRST = Order("created", ("id",), descending=True)


def matching(text: str, principal: Principal, dialect: Dialect) -> list[ColumnElement[bool]]:
    """Of the tenants of the principal. Raises Problem(FILTER_INVALID)."""
    return conditions(ALERTS, read_filter(text, Watched.ALERTS, principal), principal, dialect)
