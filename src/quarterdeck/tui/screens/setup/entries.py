"""The fields of a form and the body that they make: what is written at which member, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quarterdeck.contract.operations import Operation
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.screens.setup.shapes import Schema, Shape, shape_at
from quarterdeck.tui.screens.setup.written import SWITCH, TEXT, Written
from quarterdeck.tui.tenants import unheard_of

Texts = Mapping[str, str]
_NO_LIMIT = 1e9  # nobody comes near


class TakenBack(Exception):
    """Somebody thought better of it before it was sent; the form is as it was."""


class Wrong(Exception):
    """What was typed cannot be sent. `errors`: name of an entry to a sentence about it."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` names the member: `settings/threshold`. `hint` stands under the form while the field has the focus.

    `many`: a line for each, as many as are needed. `known` completes what is typed. `choices` empty: those of the
    model. `of`: what the model says. `must`: needed, though the model does without. `remark`: on what was typed, where
    it is odd; it stands in place of the hint. `hint_by`: another hint, by what stands in all the fields.
    """

    at: str
    title: str
    hint: str
    written: Written = TEXT
    many: bool = False
    choices: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    example: str = ""
    of: Shape | None = None
    must: bool = False
    remark: Callable[[str], str] | None = None
    hint_by: Callable[[Texts], str] | None = None

    @property
    def path(self) -> str:
        """What is sent where it changes: a member of the body or of its `settings`."""
        return "/".join(self.at.split("/")[:2])

    @property
    def needed(self) -> bool:
        return self.must or (self.of is not None and self.of.required)

    def limits(self) -> str:
        """`1m to 1d`; empty where there is nothing to know."""
        shape = self.of
        if shape is None or shape.least is None or shape.most is None or self.written is TEXT:
            return ""
        if shape.most >= _NO_LIMIT:
            return ""
        return f"{self.written.write(shape.least)} to {self.written.write(shape.most)}"


def tenant_entry(hint: str, tenants: Sequence[str], example: str = "every tenant") -> Entry:
    """Whose it is; `tenants` are those that have items."""
    return Entry(
        "tenant_id",
        "Tenant",
        hint,
        known=tuple(tenants),
        example=example,
        remark=lambda text: unheard_of(text, tenants) if text else "",
    )


def shaped(entries: Iterable[Entry], *operations: Operation) -> list[Entry]:
    """With what is said of each by the first of their requests that has it. Loads pydantic."""
    schemas: list[Schema] = [each.request.load().model_json_schema() for each in operations if each.request]
    found = []
    for entry in entries:
        shape = _shape(schemas, entry.at)
        choices = entry.choices or (("on", "off") if entry.written is SWITCH else shape.choices)
        if entry.many or entry.written not in (TEXT, SWITCH):
            choices = ()
        found.append(replace(entry, of=shape, choices=choices))
    return found


def _shape(schemas: Sequence[Schema], path: str) -> Shape:
    *first, last = schemas
    for schema in first:
        try:
            return shape_at(schema, path)
        except KeyError:
            continue
    return shape_at(last, path)


def texts_of(entries: Iterable[Entry], row: Mapping[str, Any] | None) -> dict[str, str]:
    """What stands in the fields: the values of a row, or what the model takes where nothing is said."""
    found = {}
    for entry in entries:
        value = (entry.of.default if entry.of else None) if row is None else member_of(row, entry.at)
        if value is None:
            found[entry.at] = entry.choices[0] if entry.choices else ""  # as the field shows it
        else:
            found[entry.at] = entry.written.write(value)
    return found


def member_of(row: Mapping[str, Any], path: str) -> Any:
    value: Any = row
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def body_of(entries: Sequence[Entry], texts: Texts, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The whole body. `fixed`: members that have no field, by path; an empty group of fields gives None.

    Raises Wrong.
    """
    body: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for path, value in fixed.items():
        _put(body, path, value)
    for entry in entries:
        text = texts[entry.at].strip()
        if not text:
            if entry.needed:
                errors[entry.at] = "is needed"
            elif entry.of is not None and not _is_off(entry, entries, texts):
                _put(body, entry.at, entry.of.blank)
            continue
        try:
            _put(body, entry.at, entry.written.read(text))
        except ValueError as error:
            errors[entry.at] = str(error)
    for group in _groups(entries):
        mine = [entry for entry in entries if entry.at.startswith(f"{group}/")]
        if not any(texts[entry.at].strip() for entry in mine):
            for entry in mine:
                errors.pop(entry.at, None)
            _put(body, group, None)
    if errors:
        raise Wrong(errors)
    return body


def _groups(entries: Iterable[Entry]) -> list[str]:
    """Objects below `settings`, which may be absent as a whole: a calendar, quiet hours."""
    return sorted({entry.at.rpartition("/")[0] for entry in entries if entry.at.count("/") > 1})


def _is_off(entry: Entry, entries: Sequence[Entry], texts: Texts) -> bool:
    group = entry.at.rpartition("/")[0]
    return group in _groups(entries) and not any(
        texts[each.at].strip() for each in entries if each.at.startswith(f"{group}/")
    )


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split("/")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[name] = value


def changes_of(
    entries: Sequence[Entry], texts: Texts, before: Texts, row: Mapping[str, Any], fixed: Mapping[str, Any]
) -> dict[str, Any]:
    """Only the members of which something is different, of `settings` too. A group of fields in these is given whole,
    with what has no field as it was.

    Raises Wrong.
    """
    touched = {entry.path for entry in entries if texts[entry.at].strip() != before[entry.at].strip()}
    if not touched:
        return {}
    whole = body_of(entries, texts, fixed)
    body: dict[str, Any] = {}
    for path in sorted(touched):
        new, old = member_of(whole, path), member_of(row, path)
        is_group = any(entry.at.startswith(f"{path}/") for entry in entries)
        _put(body, path, {**old, **new} if is_group and new and old else new)
    for path, value in fixed.items():
        if path.partition("/")[0] in body:
            _put(body, path, value)
    return body


def placed(entries: Sequence[Entry], problem: Problem) -> tuple[dict[str, str], str]:
    """Where the engine's errors belong, and the sentence for what has no field."""
    errors: dict[str, str] = {}
    for pointer, sentence in problem.errors:
        path = pointer.strip("/")
        mine = [entry for entry in entries if path == entry.at or path.startswith(f"{entry.at}/")]
        below = [entry for entry in entries if entry.at.startswith(f"{path}/")]
        found = max(mine, key=lambda entry: len(entry.at), default=below[0] if below and path else None)
        if found is not None:
            errors.setdefault(found.at, sentence.rstrip("."))
    return errors, "" if errors else problem.detail
