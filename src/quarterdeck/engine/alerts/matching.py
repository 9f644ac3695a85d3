"""Labels: what tells alerts apart, and what matches them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring as _quoted_short
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from quarterdeck.contract.expressions import compiled
from quarterdeck.contract.models.alert_rules import AS_KEPT, Matcher


def canonical(labels: Mapping[str, str]) -> dict[str, str]:
    """In the order of names, without those that say nothing."""
    return {name: labels[name] for name in sorted(labels) if labels[name]}


def fingerprint(labels: Mapping[str, str], tenant: str | None, rule_id: int | None = None) -> str:
    """Sixteen hexadecimal digits: the same labels of the same tenant, the same alert."""
    return fingerprint_of(canonical(labels), tenant, rule_id)


def fingerprint_of(labels: Mapping[str, str], tenant: str | None, rule_id: int | None) -> str:
    """Of canonical labels."""
    # By hand what JSON would be, since this is asked for a hundred thousand at once.
    said = ",".join([f"[{_quoted(name)},{_quoted(value)}]" for name, value in labels.items()])
    whose = "null" if tenant is None else _quoted(tenant)
    content = f"[{whose},{'null' if rule_id is None else rule_id},[{said}]]"
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def as_text(labels: Mapping[str, str]) -> str:
    """As `JsonText` keeps it."""
    return "{" + ",".join([f"{_quoted(name)}:{_quoted(value)}" for name, value in labels.items()]) + "}"


def series_text(series: Sequence[str]) -> str:
    """What tells the alerts of a rule apart, as it is kept."""
    return "[" + ",".join(map(_quoted_short, series)) + "]"


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them do. Those whose expression is none match nothing."""
    for each in matchers:
        value = labels.get(each.name, "")
        if each.is_regex:
            expression = compiled(each.value)
            if isinstance(expression, str):
                return False
            found = expression.fullmatch(value) is not None
        else:
            found = value == each.value
        if found is not each.is_equal:
            return False
    return True


def matchers_of(values: Sequence[Mapping[str, Any]]) -> list[Matcher]:
    """As the store keeps them."""
    return [Matcher.model_validate(each, context=AS_KEPT) for each in values]


_NAMED = re.compile(r"\{(\w+)\}")


def filled(texts: Mapping[str, str], labels: Mapping[str, str], value: str) -> dict[str, str]:
    """Annotations with `{name}` replaced by what a label says, and `{value}`; what is unknown stays as it stands."""

    def word(match: re.Match[str]) -> str:
        name = match.group(1)
        return value if name == "value" else labels.get(name, match.group(0))

    return {name: _NAMED.sub(word, text) for name, text in texts.items()} if texts else {}
