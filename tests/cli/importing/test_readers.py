"""Files as they come: plain, gzipped, cut off, badly encoded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from quarterdeck.cli.importing.mapping import SourcePart
from quarterdeck.cli.importing.readers import Row, SourceFile, UnreadableFile

CUT_OFF = gzip.compress(b"id\n" + b"1\n" * 50_000)[:-30]


def read(folder: Path, name: str, content: str | bytes, **source: object) -> list[Row]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    file = SourceFile(path, SourcePart.model_validate(source))
    try:
        return list(file)
    finally:
        file.close()


def test_csv_rows_know_the_line_they_begin_on(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.csv", 'id,text\r\n1,"two\nlines"\r\n\r\n2,x\r\n')
    assert [(row.number, row.line, row.record) for row in rows] == [
        (1, 2, {"id": "1", "text": "two\nlines"}),
        (2, 5, {"id": "2", "text": "x"}),
    ]


def test_a_row_with_too_few_or_too_many_cells_is_one_fault(tmp_path: Path) -> None:
    few, good, many = read(tmp_path, "a.csv", "a,b\n1\n1,2\n1,2,3\n")
    assert few.fault == "too few cells: 1, the header has 2"
    assert good.fault is None
    assert many.fault == "too many cells: 3, the header has 2"


def test_bad_bytes_cost_a_row_and_not_the_file(tmp_path: Path) -> None:
    first, second = read(tmp_path, "a.csv", b"a,b\n1,caf\xe9\n2,ok\n")
    assert "\udce9" in first.record["b"]
    assert second.record["b"] == "ok"


def test_a_quotation_mark_that_is_never_closed_is_a_fault(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.csv", 'a,b\n1,"never closed\n2,x\n')
    assert [row.fault for row in rows] == ["the line cannot be read: unexpected end of data"]


def test_byte_order_mark_other_encodings_and_delimiters(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", b"\xef\xbb\xbfid\n1\n")[0].record == {"id": "1"}
    assert read(tmp_path, "b.csv", "id\n\u00e9\n".encode("latin-1"), encoding="latin-1")[0].record == {"id": "\u00e9"}
    assert read(tmp_path, "c.csv", "id\nx\n".encode("utf-16"), encoding="utf-16")[0].record == {"id": "x"}
    assert read(tmp_path, "d.tsv", "a\tb\n1\t2\n", delimiter="\t")[0].record == {"a": "1", "b": "2"}


def test_gzip_is_seen_by_its_content(tmp_path: Path) -> None:
    packed = gzip.compress(b"id\n1\n")
    assert read(tmp_path, "a.csv.gz", packed)[0].record == {"id": "1"}
    assert read(tmp_path, "a.csv", packed)[0].record == {"id": "1"}


def test_a_json_array_a_list_inside_and_json_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "a.json", '[{"a": 1}, {"a": 2.5}]')[0].record == {"a": 1}
    assert read(tmp_path, "b.json", '{"data": {"rows": [{"a": 1}]}}', records="data.rows")[0].record == {"a": 1}
    lines = read(tmp_path, "c.jsonl", '{"a": 1}\n\nnonsense\n[1]\n')
    assert [(row.line, bool(row.fault)) for row in lines] == [(1, False), (3, True), (4, True)]
    assert read(tmp_path, "d.json", '{"a": 1}\n{"a": 2}\n')[1].record == {"a": 2}


def test_large_numbers_and_gzipped_json(tmp_path: Path) -> None:
    content = gzip.compress(json.dumps([{"n": 2**80}]).encode())
    assert read(tmp_path, "a.json.gz", content)[0].record == {"n": 2**80}


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "a,a\n1,2\n", "more than one column called 'a'"),
        ("a.xlsx", "x", "does not say what it is"),
        pytest.param("a.csv.gz", CUT_OFF, "damaged or cut-off gzip", id="cut-off gzip"),
        ("a.json", "not json", "neither with"),
        ("a.json", '[{"a": 1}, {"a"', "not valid JSON after record 1"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, content: str | bytes, part: str) -> None:
    with pytest.raises(UnreadableFile, match=part) as refused:
        read(tmp_path, name, content)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_files_folders_and_lists(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        SourceFile(tmp_path / "none.csv", SourcePart())
    with pytest.raises(UnreadableFile, match="Is a directory"):
        SourceFile(tmp_path, SourcePart(format="csv"))
    with pytest.raises(UnreadableFile, match=r"no list at 'rows'"):
        read(tmp_path, "a.json", "{}", records="rows")
    with pytest.raises(UnreadableFile, match=r"set source\.encoding"):
        read(tmp_path, "b.csv", b"id\n\xff\xff\xff", encoding="utf-16")
