"""A small random world, and what a filter means in plain Python: the reference for both databases."""

from __future__ import annotations

import random
import string
from typing import Any

from hypothesis import strategies as st

from quarterdeck.contract.clock import HOUR, MINUTE, iso, now_ms
from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.filters import Between, Compare, Condition, Equals, Filter, Term, freeze, parse
from quarterdeck.contract.filters.ast import quoted
from quarterdeck.contract.transitions import statuses
from quarterdeck.engine.items.tables import NO_DUE, item_details, items
from quarterdeck.engine.store.store import Store

Row = dict[str, Any]

TENANTS = ("acme", "globex", "initech")
KINDS = ("refund", "billing", "Refund", "it's", "none")
CATEGORIES = ("spam", "vip", "a,b", "ünïcode", None)
ASSIGNEES = ("ana", "ben", "root", "me too", None, None)
WORDS = ("order", "ORDER", "100%", "a_b", "back\\slash", 'say "hi"', "x'y", "\u202eevil", "漢字", "colon: here")
AMOUNTS = ("12", 12, 19.9, True, None, "x y")


def make_rows(seed: int, count: int = 90) -> list[Row]:
    """Rows of items with `body` and `fields` beside the columns; ties in every sort key."""
    chance = random.Random(seed)
    now = now_ms() // MINUTE * MINUTE
    rows = []
    for number in range(1, count + 1):
        resource = chance.choice((Resource.SUPPORT_TASKS,) * 4 + tuple(Resource))
        # Half an hour off every full hour, so that no relative time falls on the edge.
        created = now - chance.randrange(-2, 30) * HOUR - 30 * MINUTE
        body = chance.choice((None, "", " ".join(chance.choices(WORDS, k=2))))
        rows.append(
            {
                "id": number,
                "tenant_id": chance.choice(TENANTS),
                "resource": str(resource),
                "external_id": f"T-{number}" if chance.random() < 0.7 else None,
                "kind": chance.choice(KINDS),
                "title": " ".join(chance.choices(WORDS, k=chance.randrange(3))),
                "status": chance.choice(statuses(resource)),
                "priority": chance.randrange(4),
                "category": chance.choice(CATEGORIES),
                "assignee": chance.choice(ASSIGNEES),
                "claimed_until": now + HOUR if chance.random() < 0.2 else None,
                "sla_due_at": NO_DUE if chance.random() < 0.3 else now + chance.randrange(-6, 6) * HOUR + 30 * MINUTE,
                "created_at": created,
                "updated_at": created + chance.randrange(3) * HOUR,
                "deleted_at": now if chance.random() < 0.15 else None,
                "has_body": bool(body),
                "comments": chance.choice((0, 0, 1, 5)),
                "version": 1,
                "body": body,
                "fields": {"amount": chance.choice(AMOUNTS), "a.b": "dotted"} if chance.random() < 0.7 else {},
            }
        )
    return rows


async def fill(store: Store, rows: list[Row]) -> None:
    async with store.write() as transaction:
        connection = transaction.connection
        await connection.execute(items.insert(), [{n: v for n, v in row.items() if n in items.c} for row in rows])
        await connection.execute(
            item_details.insert(),
            [{"item_id": row["id"], "body": row["body"], "fields": row["fields"]} for row in rows],
        )


# ----- the reference


def frozen(text: str, resource: Resource, me: str) -> Filter:
    return freeze(parse(text, resource), now=now_ms(), me=me)


def matching(rows: list[Row], filter_: Filter, resource: Resource, tenants: frozenset[str] | None = None) -> list[Row]:
    in_bin = any(
        term.key == "is" and not term.negated and Equals("deleted") in term.conditions for term in filter_.terms
    )
    return [
        row
        for row in rows
        if row["resource"] == str(resource)
        and (tenants is None or row["tenant_id"] in tenants)
        and (row["deleted_at"] is not None) == in_bin
        and all(_term(row, term) for term in filter_.terms)
    ]


def ordered(rows: list[Row], sort: str) -> list[int]:
    """Ids in the order of a sort key."""
    columns = {
        "priority": ("priority", "sla_due_at", "created_at", "id"),
        "due": ("sla_due_at", "id"),
        "created": ("created_at", "id"),
        "updated": ("updated_at", "id"),
    }[sort.lstrip("-")]
    found = sorted(rows, key=lambda row: tuple(row[name] for name in columns), reverse=sort.startswith("-"))
    return [row["id"] for row in found]


_COLUMNS = {"tenant": "tenant_id", "external": "external_id", "created": "created_at", "updated": "updated_at"}
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _term(row: Row, term: Term) -> bool:
    return any(_condition(row, term.key, each) for each in term.conditions) != term.negated


def _condition(row: Row, key: str, condition: Condition) -> bool:
    value = row.get("sla_due_at" if key == "due" else _COLUMNS.get(key, key))
    if isinstance(condition, Between):
        return bool(condition.start.at <= value < condition.end.at)  # type: ignore[operator]
    if isinstance(condition, Compare):
        at = condition.instant.at
        assert at is not None
        if key == "due" and value == NO_DUE:
            return False
        return bool({"<": value < at, "<=": value <= at, ">": value > at, ">=": value >= at}[condition.op])
    word = condition.value
    if not key:
        return _holds(row, word)
    if key.startswith("field."):
        return key[6:] in row["fields"] and _as_text(row["fields"][key[6:]]) == word
    if key == "priority":
        return bool(Priority.of_rank(row["priority"]) == word)
    if key == "id":
        return str(row["id"]) == word
    if key in ("has", "is"):
        return _quality(row, word)
    if key == "due":
        return bool((row["sla_due_at"] == NO_DUE) == (word == "none"))
    if key in ("assignee", "category") and word in ("none", "any"):
        return (value is None) == (word == "none")
    return bool(value == word)


def _holds(row: Row, word: str) -> bool:
    texts = [row["title"], row["body"] or ""] if row["has_body"] else [row["title"]]
    return any(word.translate(_LOWER) in text.translate(_LOWER) for text in texts) or row["external_id"] == word


def _as_text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _quality(row: Row, word: str) -> bool:
    return {
        "comment": row["comments"] > 0,
        "assignee": row["assignee"] is not None,
        "category": row["category"] is not None,
        "due": row["sla_due_at"] != NO_DUE,
        "body": row["has_body"],
        "deleted": row["deleted_at"] is not None,
        "claimed": row["claimed_until"] is not None,
    }[word]


# ----- filters that find something in such a world


def _words(key: str, values: Any) -> st.SearchStrategy[str]:
    one = st.sampled_from([value if value in ("me", "none", "any") else quoted(value) for value in values])
    return st.lists(one, min_size=1, max_size=3, unique=True).map(lambda each: f"{key}:{','.join(each)}")


def _times(key: str, words: tuple[str, ...]) -> st.SearchStrategy[str]:
    now = now_ms() // HOUR * HOUR
    relative = st.tuples(st.sampled_from(("", "<", "<=", ">", ">=")), st.integers(0, 30)).map(
        lambda pair: f"{pair[0]}{pair[1]}h"
    )
    absolute = st.tuples(st.sampled_from(("<", ">=", ">")), st.integers(-30, 30)).map(
        lambda pair: f"{pair[0]}{iso(now + pair[1] * HOUR)}"
    )
    between = st.tuples(st.integers(-30, 30), st.integers(0, 12)).map(
        lambda pair: f"{iso(now + pair[0] * HOUR)}..{iso(now + (pair[0] + pair[1]) * HOUR)}"
    )
    one = st.one_of(relative, absolute, between, st.sampled_from(words))
    return st.lists(one, min_size=1, max_size=2).map(lambda each: f"{key}:{','.join(each)}")


def terms(resource: Resource) -> st.SearchStrategy[str]:
    """One term of a filter, negated or not, by every key there is."""
    positive = st.one_of(
        _words("status", statuses(resource)),
        _words("priority", [str(each) for each in Priority]),
        _words("assignee", ["ana", "ben", "me", "none", "any", "nobody"]),
        _words("kind", [*KINDS, "unknown"]),
        _words("category", ["spam", "vip", "a,b", "ünïcode", "none", "any"]),
        _words("tenant", [*TENANTS, "unknown"]),
        st.lists(st.integers(1, 100), min_size=1, max_size=3).map(lambda ids: f"id:{','.join(map(str, ids))}"),
        st.integers(1, 100).map(lambda number: f"external:T-{number}"),
        _times("created", ("today", "yesterday")),
        _times("updated", ("today", "yesterday")),
        _times("due", ("overdue", "none", "any", "today", "tomorrow")),
        _words("has", ["comment", "assignee", "due", "body", "category"]),
        _words("is", ["deleted", "claimed"]),
        st.just("is:overdue"),
        st.sampled_from([quoted(word) for word in (*WORDS, "rder", "%", "_", "\\", "", "T-5")]),
        st.sampled_from(["field.amount:12", "field.amount:19.9", "field.amount:true", "field.a.b:dotted", "field.z:1"]),
    )
    return st.tuples(positive, st.booleans()).map(lambda pair: f"-{pair[0]}" if pair[1] else pair[0])


def filters(resource: Resource) -> st.SearchStrategy[str]:
    return st.lists(terms(resource), max_size=4).map(" ".join)
