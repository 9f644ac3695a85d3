"""Labels: what tells alerts apart, and what matches them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from quarterdeck.contract.models.alert_rules import Matcher


def canonical(labels: Mapping[str, str]) -> dict[str, str]:
    """In the order of names, without those that say nothing."""
    return {name: labels[name] for name in sorted(labels) if labels[name]}


def fingerprint(labels: Mapping[str, str], tenant: str | None, rule_id: int | None = None) -> str:
    """Sixteen hexadecimal digits: the same labels of the same tenant, the same alert."""
    content = json.dumps([tenant, rule_id, list(canonical(labels).items())], separators=(",", ":"))
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=2_000)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them do."""
    for each in matchers:
        value = labels.get(each.name, "")
        # What is matched is cut, so that no expression is given more than it can read in a moment.
        found = _pattern(each.value).fullmatch(value[:500]) is not None if each.is_regex else value == each.value
        if found is not each.is_equal:
            return False
    return True


def matchers_of(values: Sequence[Mapping[str, Any]]) -> list[Matcher]:
    return [Matcher.model_validate(each) for each in values]


def filled(texts: Mapping[str, str], labels: Mapping[str, str], value: str) -> dict[str, str]:
    """Annotations with `{name}` replaced by what a label says, and `{value}`; what is unknown stays as it stands."""

    def word(match: re.Match[str]) -> str:
        name = match.group(1)
        return value if name == "value" else labels.get(name, match.group(0))

    return {name: re.sub(r"\{(\w+)\}", word, text) for name, text in texts.items()}
