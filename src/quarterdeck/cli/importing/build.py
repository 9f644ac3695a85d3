"""From records to items as the engine takes them, with their timelines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from quarterdeck.cli.importing.grouping import CaseRow
from quarterdeck.cli.importing.mapping import EventsPart, Mapping, Origin
from quarterdeck.cli.importing.values import BadValue, Extract, Record, extractor, look_up
from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.models.items import ImportedItem
from quarterdeck.contract.transitions import statuses

_DATES = ("sla_due_at", "created_at", "updated_at", "at")


class Builder:
    """Applies one mapping. `tenant` given on the command line wins over the mapping's."""

    def __init__(self, mapping: Mapping, resource: Resource, tenant: str | None) -> None:
        self.mapping = mapping
        self.statuses = statuses(resource)
        self.resource = resource
        self.tenant = tenant
        self._columns: dict[str, str] = {}
        self._first: set[str] = set()
        self._item = self._extracts("item", mapping.item, skip={"tenant_id"} if tenant else set())
        self._fields = {name: self._one(f"fields.{name}", each, "any") for name, each in mapping.item.fields.items()}
        events = mapping.events
        self._event = self._extracts("events", events, skip={"order"}) if events else {}
        self._states = {
            name: self._one(f"changes.{name}", each, "any") for name, each in (events.changes if events else {}).items()
        }
        self._group_by = (events.group_by if events else None) or ""
        self._order = self._order_extract(events)
        self._adapter: TypeAdapter[ImportedItem] = TypeAdapter(ImportedItem)

    def _one(self, name: str, origin: Origin, target: str) -> Extract:
        self._columns[name] = " / ".join("|".join(group) for group in origin.columns()) or name
        if origin.take == "first":
            self._first.add(name)
        return extractor(origin, self.mapping.source, target)

    def _extracts(self, section: str, part: Any, skip: set[str]) -> dict[str, Extract]:
        return {
            name: self._one(
                name if section == "item" else f"events.{name}", value, "date" if name in _DATES else "text"
            )
            for name, value in part
            if isinstance(value, Origin) and name not in skip
        }

    def _order_extract(self, events: EventsPart | None) -> Extract | None:
        if events is None or events.order is None:
            return None
        self._columns["events.order"] = str(events.order.column)
        return extractor(events.order, self.mapping.source, events.order.type or "date")

    # ----- one record

    def item_values(self, record: Record) -> dict[str, Any]:
        """What the record says about its item. Raises BadValue."""
        values = {name: extract(record) for name, extract in self._item.items()}
        self._check(values, "status", self.statuses, f"is no status of {self.resource}")
        self._check(values, "priority", tuple(Priority), "is no priority")
        values.update({f"fields.{name}": extract(record) for name, extract in self._fields.items()})
        return values

    def _check(self, values: dict[str, Any], name: str, valid: Sequence[str], reason: str) -> None:
        value = values.get(name)
        if value is not None and value not in valid:
            raise BadValue(self._columns[name], value, f"{reason}; valid: {', '.join(valid)}")

    def event_values(self, record: Record) -> dict[str, Any]:
        """What the record says about one event, before it is compared with the one before. Raises BadValue."""
        values = {name: extract(record) for name, extract in self._event.items()}
        if values.get("at") is None:
            raise BadValue(self._columns["events.at"], "", "is empty; an event needs its time")
        values["state"] = {name: extract(record) for name, extract in self._states.items()}
        return values

    def case(self, record: Record) -> str:
        """Which case a row belongs to. Raises BadValue."""
        name = self._group_by
        value = look_up(record, name)
        if value is None or not str(value).strip():
            raise BadValue(name, "", "is empty; the row belongs to no case")
        return str(value)

    def order(self, record: Record) -> Any:
        """What rows of a case are sorted by; None for the order of the file. Raises BadValue."""
        if self._order is None:
            return None
        value = self._order(record)
        if value is None:
            raise BadValue(self._columns["events.order"], "", "is empty; rows are ordered by it")
        return value

    # ----- whole items

    def plain(self, record: Record, on_bad_event: Callable[[BadValue], None]) -> dict[str, Any]:
        """An item from one record, with the list inside it as its timeline. Raises BadValue for the item; an
        event that cannot be used is reported and left out."""
        values = self.item_values(record)
        events = self.mapping.events
        if events is None:
            return self._whole(values, [])
        entries = look_up(record, events.list or "")
        if not isinstance(entries, list):
            if entries is not None:
                raise BadValue(events.list or "", entries, "is no list")
            entries = []
        rows: list[tuple[Any, dict[str, Any]]] = []
        for index, entry in enumerate(entries):
            place = f"{events.list}[{index}]"
            try:
                if not isinstance(entry, dict):
                    raise BadValue("", entry, "is not an object")
                rows.append((self.order(entry), self.event_values(entry)))
            except BadValue as error:
                column = f"{place}.{error.column}" if error.column else place
                on_bad_event(BadValue(column, error.value, error.reason))
        if events.newest_first:
            rows.reverse()
        if self._order is not None:
            rows.sort(key=lambda row: row[0])
        return self._whole(values, [event for _, event in rows])

    def from_case(self, rows: Sequence[CaseRow]) -> dict[str, Any]:
        """An item from the rows of one case, in their order; each row is an event. Raises BadValue."""
        first, last = rows[0].item, rows[-1].item
        values = {name: (first if name in self._first else last)[name] for name in last}
        return self._whole(values, [row.event for row in rows])

    def _whole(self, values: dict[str, Any], events: Sequence[dict[str, Any]]) -> dict[str, Any]:
        fields = {name[7:]: value for name, value in values.items() if name.startswith("fields.") and value is not None}
        item = {name: value for name, value in values.items() if value is not None and not name.startswith("fields.")}
        if self.tenant:
            item["tenant_id"] = self.tenant
        item["fields"] = fields
        item["events"] = _timeline(events)
        self._validate(item)
        return item

    def _validate(self, item: dict[str, Any]) -> None:
        try:
            self._adapter.validate_python(item, strict=False)
        except ValidationError as error:
            first = error.errors()[0]
            place = [str(part) for part in first["loc"]]
            if place[0] == "events" and len(place) > 2:
                column = self._columns.get(f"events.{place[2]}", place[2])
            else:
                column = self._columns.get(place[0], place[0])
            missing = first["type"] == "missing"
            value = "" if missing else str(first["input"])
            raise BadValue(column, value, "is empty, and is needed" if missing else _plain(first["msg"])) from error


def _timeline(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events with what each changed: [before, after] against the one before."""
    out: list[dict[str, Any]] = []
    known: dict[str, Any] = {}
    for event in events:
        state = event["state"]
        changes = {name: [known.get(name), value] for name, value in state.items() if known.get(name) != value}
        known = state
        line = {"at": event["at"], "actor": event.get("actor") or "import", "type": event.get("type") or "imported"}
        if event.get("body") is not None:
            line["body"] = event["body"]
        if changes:
            line["changes"] = changes
        out.append(line)
    return out


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:].removesuffix(".")
