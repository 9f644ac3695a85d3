"""A file of JSON lines: good lines go, a bad one is named."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from quarterdeck.cli.exits import CommandError, Exit
from quarterdeck.cli.json_lines import MOST_BYTES, LineError, break_off, json_value, read_batches
from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.models.runs import NewRun


def run(number: int, **more: object) -> str:
    return json.dumps({"queue": "mail", "kind": "send", "payload": {"n": number}, **more})


def test_a_thousand_rows_a_batch(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(run(number) for number in range(2_500)) + "\n\n")
    batches = list(read_batches(path, NewRun))
    assert [len(batch.rows) for batch in batches] == [1_000, 1_000, 500]
    assert [(batch.lines_before, batch.last_line) for batch in batches] == [(0, 1_000), (1_000, 2_000), (2_000, 2_500)]


def test_a_batch_is_never_too_long_for_one_call(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(run(number, payload="x" * (MOST_BYTES // 3)) for number in range(7)))
    assert [len(batch.rows) for batch in read_batches(path, NewRun)] == [2, 2, 2, 1]


def test_zipped_with_defaults_and_going_on_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"payload": 1}\n\n{"payload": 2, "queue": "other"}\n{"payload": 3}\n'))
    (batch,) = read_batches(path, NewRun, defaults={"queue": "mail", "kind": "send"}, skip=1)
    assert [(row["queue"], row["payload"]) for row in batch.rows] == [("other", 2), ("mail", 3)]
    assert (batch.lines_before, batch.last_line) == (1, 4)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "line 3: it is not JSON"),
        (b"[1]", "line 3: it is no JSON object"),
        (b"\xff\xfe", "line 3: it is not UTF-8"),
        (b"[" * 200_000, "line 3: it is nested too deeply"),
        (b'{"queue": "mail"}', "line 3: kind: is missing"),
        (b'{"queue": "mail", "kind": "send", "payld": 1}', "line 3: payld: "),
        (b'{"queue": "mail", "kind": "send", "max_attempts": 0}', "line 3: max_attempts: must be at least 1"),
    ],
)
def test_what_stands_before_a_bad_line_is_good(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b"\n".join([run(1).encode(), run(2).encode(), line, run(4).encode()]))
    reading = read_batches(path, NewRun)
    assert len(next(reading).rows) == 2
    with pytest.raises(LineError, match=said) as found:
        next(reading)
    assert found.value.line == 3
    assert str(path) in str(found.value)


def test_a_file_that_is_not_there_or_broken(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        next(read_batches(tmp_path / "none", NewRun))
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(run(1).encode() * 500)[:-20])
    with pytest.raises(CommandError, match="cannot be read after line 0"):
        next(read_batches(torn, NewRun))


def test_a_text_that_is_no_json_hears_of_quotes() -> None:
    assert json_value('{"order": 7}', "--payload") == {"order": 7}
    with pytest.raises(CommandError, match=r"--payload is not JSON .* quotes of its own"):
        json_value("order 7", "--payload")
    with pytest.raises(CommandError, match="nested too deeply"):
        json_value("[" * 200_000, "--payload")


def test_whoever_breaks_off_says_how_to_go_on() -> None:
    with pytest.raises(Unreachable, match="gone"):
        break_off(Unreachable("The engine is gone."), "0 runs", 0)
    with pytest.raises(
        CommandError, match=r"gone\. Up to line 2000 all is done: 2,000 runs\. Go on with --skip 2000"
    ) as found:
        break_off(Unreachable("The engine is gone."), "2,000 runs", 2_000)
    assert found.value.exit_code == Exit.PARTIAL
    with pytest.raises(CommandError, match=r"Interrupted\. Up to line 7") as found:
        break_off(asyncio.CancelledError(), "7 runs", 7)
    assert found.value.exit_code == Exit.INTERRUPTED
