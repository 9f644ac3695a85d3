"""Files to records, one at a time: CSV, JSON arrays, JSON lines, each plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from quarterdeck.cli.importing.mapping import SourcePart

# One field or one line; a quotation mark that is never closed must not swallow the rest of the file.
LONGEST_FIELD = 4 * 1024 * 1024


class UnreadableFile(Exception):
    """One sentence naming the file, and where it broke."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is None where the format has none (a JSON array); `number` counts records from 1.

    `fault` says why the row cannot be used at all; then `record` is empty.
    """

    number: int
    line: int | None
    record: dict[str, Any]
    fault: str | None = None
    raw: str = ""


class SourceFile:
    """One file being read. `done()` counts bytes as stored, for a progress bar."""

    def __init__(self, path: Path, source: SourcePart) -> None:
        self.path = path
        self.source = source
        self.columns: list[str] | None = None
        self._wrapper: io.TextIOWrapper | None = None
        try:
            self._raw: IO[bytes] = sys.stdin.buffer if str(path) == "-" else path.open("rb")
        except OSError as error:
            raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from error
        head = self._raw.peek(2)[:2] if isinstance(self._raw, io.BufferedReader) else b""
        zipped = head == b"\x1f\x8b"
        self._plain: IO[bytes] = cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw)) if zipped else self._raw
        try:
            self.format = source.format or self._guess()
            self._rows = self._open()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int | None:
        return self.path.stat().st_size if self._raw is not sys.stdin.buffer else None

    def done(self) -> int:
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return 0

    def close(self) -> None:
        if self._wrapper is not None:
            self._wrapper.detach()
        if self._raw is not sys.stdin.buffer:
            self._raw.close()

    def __iter__(self) -> Iterator[Row]:
        last = 0
        try:
            for row in self._rows:
                last = row.number
                yield row
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(f"{self.path} is a damaged or cut-off gzip file (after record {last}).") from error
        except UnicodeError as error:
            raise UnreadableFile(
                f"{self.path} is not {self.source.encoding} (after record {last}); set source.encoding in the mapping."
            ) from error
        except OSError as error:
            raise UnreadableFile(f"{self.path} cannot be read after record {last}: {error.strerror}.") from error

    def _guess(self) -> str:
        names = [suffix.lower() for suffix in self.path.suffixes if suffix.lower() != ".gz"]
        suffix = names[-1] if names else ""
        known = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
        if suffix not in known:
            raise UnreadableFile(
                f"The name of {self.path} does not say what it is; set source.format in the mapping (csv, json, jsonl)."
            )
        return known[suffix]

    def _open(self) -> Iterator[Row]:
        try:
            if self.format == "csv":
                return self._csv()
            return self._jsonl() if self.format == "jsonl" else self._json()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(f"{self.path} is a damaged or cut-off gzip file.") from error
        except UnicodeError as error:
            raise UnreadableFile(
                f"{self.path} is not {self.source.encoding}; set source.encoding in the mapping."
            ) from error
        except OSError as error:
            raise UnreadableFile(f"{self.path} cannot be read: {error.strerror}.") from error

    def _text(self) -> io.TextIOWrapper:
        encoding = "utf-8-sig" if self.source.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else ""
        # surrogateescape: one bad byte costs one row, not the file.
        errors = "surrogateescape" if encoding or self.source.encoding.lower() in ("ascii", "us-ascii") else "strict"
        self._wrapper = io.TextIOWrapper(self._plain, encoding or self.source.encoding, errors, newline="")
        return self._wrapper

    # ----- CSV (RFC 4180)

    def _csv(self) -> Iterator[Row]:
        csv.field_size_limit(LONGEST_FIELD)
        reader = csv.reader(_lines(self._text()), delimiter=self.source.delimiter, strict=True)
        try:
            header = next(reader, None)
        except csv.Error as error:
            raise UnreadableFile(f"{self.path}: the header cannot be read: {error}.") from error
        if not header or not any(name.strip() for name in header):
            raise UnreadableFile(f"{self.path} is empty; its first line must name the columns.")
        twice = {name for name in header if header.count(name) > 1}
        if twice:
            raise UnreadableFile(f"{self.path} has more than one column called '{sorted(twice)[0]}'; rename one.")
        self.columns = header
        return self._csv_rows(reader, header)

    def _csv_rows(self, reader: Any, header: list[str]) -> Iterator[Row]:
        width, number = len(header), 0
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield Row(number, line, {}, f"the line cannot be read: {error}")
                continue
            if not cells:
                continue
            number += 1
            if len(cells) == width:
                yield Row(number, line, dict(zip(header, cells, strict=True)))
            else:
                few = "few" if len(cells) < width else "many"
                yield Row(number, line, {}, f"too {few} cells: {len(cells)}, the header has {width}", ",".join(cells))

    # ----- JSON (RFC 8259) and JSON lines

    def _jsonl(self) -> Iterator[Row]:
        return self._jsonl_rows()

    def _jsonl_rows(self) -> Iterator[Row]:
        number = 0
        for line, text in enumerate(_lines(self._text()), 1):
            if not text.strip():
                continue
            number += 1
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                yield Row(number, line, {}, f"the line is not valid JSON: {error}", text.strip())
                continue
            yield _record(number, line, value)

    def _json(self) -> Iterator[Row]:
        import ijson

        buffered = io.BufferedReader(self._plain) if not isinstance(self._plain, io.BufferedReader) else self._plain  # type: ignore[type-var]
        first = buffered.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if self.source.records is None and first == b"{":
            self._plain = buffered
            return self._jsonl_rows()
        if self.source.records is None and first != b"[":
            raise UnreadableFile(f"{self.path} is not JSON: it starts neither with '[' nor with '{{'.")
        path = f"{self.source.records}.item" if self.source.records else "item"
        if buffered.peek(3)[:3] == b"\xef\xbb\xbf":
            buffered.read(3)
        return self._json_rows(ijson.items(buffered, path), ijson.JSONError)

    def _json_rows(self, values: Iterator[Any], broken: type[Exception]) -> Iterator[Row]:
        number = 0
        while True:
            try:
                value = next(values)
            except StopIteration:
                if number == 0 and self.source.records:
                    raise UnreadableFile(
                        f"{self.path} has no list at '{self.source.records}' (source.records of the mapping)."
                    ) from None
                return
            except (broken, ValueError) as error:
                reason = " ".join(str(error).split())[:200]
                raise UnreadableFile(f"{self.path} is not valid JSON after record {number}: {reason}.") from error
            number += 1
            yield _record(number, None, value)


def _record(number: int, line: int | None, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(number, line, value)
    return Row(number, line, {}, "is not an object", json.dumps(value, default=str))


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines as they are, long ones in pieces: a file without line ends does not fill the memory."""
    while piece := text.readline(LONGEST_FIELD):
        yield piece
