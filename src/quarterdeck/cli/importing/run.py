"""An import from file to engine: read, build, send in batches, account for every row."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from quarterdeck.cli.importing.build import Builder
from quarterdeck.cli.importing.grouping import CaseRow, CaseStore, SeenIds
from quarterdeck.cli.importing.mapping import Mapping, MappingError
from quarterdeck.cli.importing.readers import SourceFile
from quarterdeck.cli.importing.rejects import Reject, Rejects
from quarterdeck.cli.importing.values import BadValue, columns_of, look_up
from quarterdeck.contract.enums import Resource

MOST_ITEMS, MOST_EVENTS, MOST_BYTES = 1_000, 5_000, 8 * 1024 * 1024
_CASE_CHUNK = 2_000


@dataclass(slots=True)
class Summary:
    """`rows` are records of the file; `events` timeline rows that came with created or updated items.
    `never_found`: keys of the mapping with names that no record of a JSON file has."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    events: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    import_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    dry_run: bool = False
    never_found: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Progress(Protocol):
    """What a progress bar is told. `part` names the phase; `total` is None where it is not known."""

    def __call__(self, part: str, done: int, total: int | None, summary: Summary) -> None: ...


Send = Callable[[dict[str, Any]], Any]  # a coroutine function: the body of items.import to its answer


@dataclass(slots=True)
class _Built:
    item: dict[str, Any]
    number: int
    line: int | None


class Importer:
    """One import. Raises MappingError, UnreadableFile, OSError, and what `send` raises."""

    def __init__(
        self,
        mapping: Mapping,
        mapping_path: Path,
        resource: Resource,
        tenant: str | None,
        rejects: Rejects,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> None:
        if tenant is None and mapping.item.tenant_id is None:
            raise MappingError(f"{mapping_path} has no item.tenant_id; add it, or give --tenant.")
        meant = mapping.source.resource
        if meant not in (None, resource):
            raise MappingError(f"{mapping_path} is for {meant} (source.resource), not for {resource}.")
        self.mapping = mapping
        self.mapping_path = mapping_path
        self.builder = Builder(mapping, resource, tenant)
        self.rejects = rejects
        self.summary = Summary(dry_run=dry_run)
        self._unfound: list[tuple[str, tuple[str, ...]]] = []
        self.progress = progress or (lambda part, done, total, summary: None)

    async def run(self, file: SourceFile, send: Send) -> Summary:
        """Import the whole file; memory does not grow with it."""
        self.check_columns(file)
        batches = self._batches(file)
        making: asyncio.Future[list[_Built] | None] | None = None
        sending: asyncio.Future[Any] | None = None
        sent: list[_Built] = []
        try:
            while True:
                # The next batch is made while the engine works on the one before.
                making = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
                batch = await asyncio.shield(making)
                if sending is not None:
                    self._account(await asyncio.shield(sending), sent)
                    sending = None
                if batch is None:
                    break
                sent = batch
                sending = asyncio.ensure_future(send(self._body(batch)))
        finally:
            # What the engine has been given it finishes; count it, so that the summary is true.
            await asyncio.gather(*(each for each in (making, sending) if each is not None), return_exceptions=True)
            if sending is not None and not sending.cancelled() and sending.exception() is None:
                self._account(sending.result(), sent)
            batches.close()
            self.rejects.close()
            self._finish()
        return self.summary

    def _finish(self) -> None:
        self.summary.rejected = self.rejects.count
        self.summary.never_found = [(key, names[0]) for key, names in self._unfound] if self.summary.rows else []
        self.summary.rejects_file = str(self.rejects.path) if self.rejects.count else None

    def _body(self, batch: list[_Built]) -> dict[str, Any]:
        return {
            "import_id": self.summary.import_id,
            "items": [built.item for built in batch],
            "dry_run": self.summary.dry_run,
        }

    def _account(self, answer: dict[str, Any], batch: list[_Built]) -> None:
        summary = self.summary
        summary.created += answer["created"]
        summary.updated += answer["updated"]
        summary.unchanged += answer["unchanged"]
        summary.events += answer["events"]
        for reject in answer["rejected"]:
            built = batch[reject["index"]]
            self.rejects.add(Reject(built.line, built.number, reject["column"], str(reject["value"]), reject["reason"]))

    def check_columns(self, file: SourceFile) -> None:
        """CSV names its columns at once; what the mapping names must be among them."""
        if file.columns is None:
            self._unfound = columns_of(list(self.mapping.origins()))
            return
        wanted = columns_of(list(self.mapping.origins()))
        if self.mapping.events is not None and self.mapping.events.group_by:
            wanted.append(("events.group_by", (self.mapping.events.group_by,)))
        for key, names in wanted:
            if not any(name in file.columns for name in names):
                close = get_close_matches(names[0], file.columns, n=1)
                guess = f" Did you mean '{close[0]}'?" if close else f" It has {', '.join(file.columns)}."
                if len(file.columns) == 1 and file.source.delimiter not in file.columns[0]:
                    guess = f" Its header is the single column '{file.columns[0][:80]}'; is source.delimiter right?"
                raise MappingError(
                    f"{self.mapping_path}: {key} names the column '{names[0]}', which {file.path} does not have.{guess}"
                )

    # ----- batches

    def _batches(self, file: SourceFile) -> Generator[list[_Built], None, None]:
        batch: list[_Built] = []
        events = size = 0
        for built in self._items(file):
            its_events, its_size = len(built.item["events"]), len(json.dumps(built.item))
            full = len(batch) >= MOST_ITEMS or events + its_events > MOST_EVENTS or size + its_size > MOST_BYTES
            if batch and full:
                yield batch
                batch, events, size = [], 0, 0
            batch.append(built)
            events, size = events + its_events, size + its_size
        if batch:
            yield batch

    def _items(self, file: SourceFile) -> Iterator[_Built]:
        events = self.mapping.events
        if events is not None and events.group_by is not None:
            return self._grouped(file)
        return self._one_by_one(file)

    def _one_by_one(self, file: SourceFile) -> Iterator[_Built]:
        size = file.size
        with SeenIds() as seen:
            for row in file:
                self.summary.rows += 1
                if row.number % 200 == 1:
                    self.progress("reading", file.done(), size, self.summary)
                if row.fault:
                    self._reject(row.line, row.number, BadValue("", row.raw, row.fault))
                    continue
                self._note_found(row.record)
                try:
                    item = self.builder.plain(row.record, partial(self._reject, row.line, row.number))
                    before = seen.first_use(item["tenant_id"], item["external_id"], row.number)
                    if before is not None:
                        reason = f"is the id of record {before} already; events.group_by would join them"
                        raise BadValue("external_id", item["external_id"], reason)
                except BadValue as error:
                    self._reject(row.line, row.number, error)
                    continue
                yield _Built(item, row.number, row.line)
            self.progress("reading", size or file.done(), size, self.summary)

    def _grouped(self, file: SourceFile) -> Iterator[_Built]:
        assert self.mapping.events is not None
        size = file.size
        try:
            with CaseStore() as store, SeenIds() as seen:
                chunk: list[CaseRow] = []
                for row in file:
                    self.summary.rows += 1
                    if row.number % 200 == 1:
                        self.progress("reading", file.done(), size, self.summary)
                    if row.fault:
                        self._reject(row.line, row.number, BadValue("", row.raw, row.fault))
                        continue
                    self._note_found(row.record)
                    try:
                        chunk.append(self._case_row(row.record, row.number, row.line))
                    except BadValue as error:
                        self._reject(row.line, row.number, error)
                    if len(chunk) >= _CASE_CHUNK:
                        store.add(chunk)
                        chunk = []
                store.add(chunk)
                self.progress("reading", size or file.done(), size, self.summary)
                total = store.count()
                for index, rows in enumerate(store.cases(self.mapping.events.newest_first)):
                    if index % 50 == 0:
                        self.progress("importing", index, total, self.summary)
                    built = self._case_item(rows, seen)
                    if built is not None:
                        yield built
                self.progress("importing", total, total, self.summary)
        except sqlite3.Error as error:
            raise OSError(0, f"the temporary file for grouping failed ({error}); is the disk full?") from error

    def _case_row(self, record: dict[str, Any], number: int, line: int | None) -> CaseRow:
        build = self.builder
        return CaseRow(
            build.case(record), build.order(record), number, line, build.item_values(record), build.event_values(record)
        )

    def _case_item(self, rows: list[CaseRow], seen: SeenIds) -> _Built | None:
        last = rows[-1]
        try:
            item = self.builder.from_case(rows)
            before = seen.first_use(item["tenant_id"], item["external_id"], last.number)
            if before is not None:
                raise BadValue("external_id", item["external_id"], f"is the id of the case at record {before} already")
        except BadValue as error:
            self._reject(last.line, last.number, error)
            return None
        return _Built(item, last.number, last.line)

    def _note_found(self, record: dict[str, Any]) -> None:
        """JSON names what it has record by record; what the mapping names should turn up in one of them."""
        if self._unfound:
            self._unfound = [
                (key, names) for key, names in self._unfound if all(look_up(record, name) is None for name in names)
            ]

    def _reject(self, line: int | None, number: int, error: BadValue) -> None:
        self.rejects.add(Reject(line, number, error.column, error.value, error.reason))
