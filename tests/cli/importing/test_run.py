"""Whole imports against an engine that only counts."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.cli.importing.mapping import Mapping, MappingError
from quarterdeck.cli.importing.readers import SourceFile
from quarterdeck.cli.importing.rejects import Rejects
from quarterdeck.cli.importing.run import MOST_EVENTS, Importer, Summary
from quarterdeck.contract.enums import Resource

TICKETS: dict[str, Any] = {
    "item": {
        "external_id": "id",
        "tenant_id": {"constant": "acme"},
        "title": "subject",
        "status": {"column": "state", "values": {"New": "open", "Done": "closed"}},
        "created_at": "made",
        "fields": {"amount": {"column": "amount", "type": "number"}},
    }
}
LOG: dict[str, Any] = {
    "item": {
        "external_id": "case",
        "tenant_id": {"constant": "acme"},
        "title": {"template": "{case}: {what}"},
        "status": {"column": "state", "values": {"New": "open", "Done": "closed"}},
        "created_at": {"column": "when", "take": "first"},
    },
    "events": {
        "group_by": "case",
        "order": "when",
        "at": "when",
        "actor": "who",
        "type": "what",
        "changes": {"status": {"column": "state"}},
    },
}


class Engine:
    """Takes batches and keeps them."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.batches: list[int] = []

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        self.items += body["items"]
        self.batches.append(len(body["items"]))
        events = sum(len(item["events"]) for item in body["items"])
        return {"created": len(body["items"]), "updated": 0, "unchanged": 0, "events": events, "rejected": []}


async def load(
    folder: Path, name: str, content: str, mapping: dict[str, Any], engine: Engine | None = None, **options: Any
) -> tuple[Summary, Engine, list[list[str]]]:
    path, rejects = folder / name, folder / "rejects.csv"
    path.write_text(content, encoding="utf-8", newline="")
    engine = engine or Engine()
    rules = Mapping.model_validate(mapping)
    importer = Importer(rules, Path("map.toml"), Resource.SUPPORT_TASKS, options.pop("tenant", None), Rejects(rejects))
    file = SourceFile(path, rules.source)
    try:
        summary = await importer.run(file, engine.send)
    finally:
        file.close()
    refused = list(csv.reader(rejects.read_text(encoding="utf-8").splitlines())) if rejects.exists() else []
    return summary, engine, refused


async def test_good_rows_are_kept_and_bad_ones_say_why(tmp_path: Path) -> None:
    content = (
        "id,subject,state,made,amount\n"
        "1,fine,New,2026-01-01T08:00:00Z,12.5\n"
        "2,bad date,New,tomorrow,\n"
        "3,bad state,Strange,2026-01-01,\n"
        "4,too few\n"
        "5,=cmd(),Done,2026-01-01,\n"
        ",no id,New,2026-01-01,\n"
        "1,again,New,2026-01-01,\n"
        "8,bad amount,New,2026-01-01,=1+1\n"
    )
    summary, engine, refused = await load(tmp_path, "t.csv", content, TICKETS)
    assert [item["external_id"] for item in engine.items] == ["1", "5"]
    assert engine.items[0]["fields"] == {"amount": 12.5}
    assert (summary.rows, summary.created, summary.rejected) == (8, 2, 6)
    assert summary.rejects_file == str(tmp_path / "rejects.csv")
    assert refused[0] == ["line", "record", "column", "value", "reason"]
    by_line = {row[0]: row[2:] for row in refused[1:]}
    assert by_line["3"][:2] == ["made", "tomorrow"]
    assert by_line["4"] == ["state", "Strange", "is not in the list of values; known are New, Done"]
    assert by_line["5"][2].startswith("too few cells")
    assert by_line["7"] == ["id", "", "is empty, and is needed"]
    assert "record 1 already" in by_line["8"][2]
    assert by_line["9"][:2] == ["amount", "'=1+1"]  # no spreadsheet runs it


async def test_nothing_rejected_makes_no_file(tmp_path: Path) -> None:
    summary, _, _ = await load(tmp_path, "t.csv", "id,subject,state,made,amount\n1,a,New,2026-01-01,\n", TICKETS)
    assert summary.rejects_file is None
    assert not (tmp_path / "rejects.csv").exists()


async def test_rows_of_a_case_are_joined_wherever_they_stand(tmp_path: Path) -> None:
    content = (
        "case,who,what,state,when\n"
        "B,ana,opened,New,2026-01-02T00:00:00Z\n"
        "A,ana,closed,Done,2026-01-03T01:00:00+01:00\n"
        "B,bob,tie one,New,2026-01-04T00:00:00Z\n"
        "A,bob,opened,New,2026-01-01T00:00:00Z\n"
        "B,bob,tie two,Done,2026-01-04T00:00:00Z\n"
        "A,,broken,New,nonsense\n"
    )
    summary, engine, refused = await load(tmp_path, "log.csv", content, LOG)
    b, a = engine.items
    assert (summary.rows, summary.events, summary.rejected) == (6, 5, 1)
    assert (a["external_id"], a["status"], a["title"]) == ("A", "closed", "A: closed")
    assert a["created_at"] == "2026-01-01T00:00:00Z"
    assert [event["type"] for event in b["events"]] == ["opened", "tie one", "tie two"]
    assert b["events"][0]["changes"] == {"status": [None, "New"]}
    assert "changes" not in b["events"][1]
    assert b["events"][2]["changes"] == {"status": ["New", "Done"]}
    assert refused[1][0] == "7"


async def test_a_list_inside_each_record_becomes_its_timeline(tmp_path: Path) -> None:
    mapping = {
        "item": {"external_id": ["id", "number"], "title": "t", "tenant_id": {"constant": "acme"}},
        "events": {"list": "updates", "order": "when", "newest_first": True, "at": "when", "body": "text"},
    }
    content = (
        '[{"id": "x", "t": "one", "updates": ['
        '{"when": "2026-01-02", "text": "third"}, {"when": "2026-01-02", "text": "second"},'
        '{"when": "2026-01-01", "text": "first"}, {"when": "?", "text": "lost"}]},'
        ' {"number": 7, "t": "two"}, {"t": "no id"}, 5]'
    )
    summary, engine, refused = await load(tmp_path, "i.json", content, mapping)
    assert [event["body"] for event in engine.items[0]["events"]] == ["first", "second", "third"]
    assert engine.items[1]["external_id"] == "7"
    assert engine.items[1]["events"] == []
    assert summary.rejected == 3
    assert [row[1:3] for row in refused[1:]] == [["1", "updates[3].when"], ["3", "id|number"], ["4", ""]]


async def test_batches_stay_small_when_cases_are_long(tmp_path: Path) -> None:
    lines = [f"{case},ana,step,New,2026-01-01T00:00:{step % 60:02}Z" for case in range(30) for step in range(400)]
    random.Random(1).shuffle(lines)
    _, engine, _ = await load(tmp_path, "log.csv", "case,who,what,state,when\n" + "\n".join(lines) + "\n", LOG)
    assert len(engine.items) == 30
    assert all(len(item["events"]) == 400 for item in engine.items)
    assert max(engine.batches) * 400 <= MOST_EVENTS


async def test_what_the_engine_refuses_is_found_again_by_line(tmp_path: Path) -> None:
    class Strict(Engine):
        async def send(self, body: dict[str, Any]) -> dict[str, Any]:
            answer = await super().send(body)
            refusal = {"index": 1, "column": "tenant_id", "value": "acme", "reason": "is not yours"}
            return answer | {"created": 1, "rejected": [refusal]}

    content = "id,subject,state,made,amount\n1,a,New,2026-01-01,\n2,b,New,2026-01-01,\n"
    summary, _, refused = await load(tmp_path, "t.csv", content, TICKETS, Strict())
    assert summary.rejected == 1
    assert refused[1] == ["3", "2", "tenant_id", "acme", "is not yours"]


async def test_an_engine_that_goes_away_leaves_a_true_count(tmp_path: Path) -> None:
    class Mortal(Engine):
        async def send(self, body: dict[str, Any]) -> dict[str, Any]:
            if len(self.batches) == 2:
                raise ConnectionError("gone")
            return await super().send(body)

    engine = Mortal()
    content = "id,subject,state,made,amount\n" + "".join(f"{n},a,New,2026-01-01,\n" for n in range(5_000))
    with pytest.raises(ConnectionError):
        await load(tmp_path, "t.csv", content, TICKETS, engine)
    assert len(engine.items) == 2_000


async def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"map.toml: item.title names the column 'subject'.*Did you mean 'subjekt'"):
        await load_checked(tmp_path, "id,subjekt,state,made,amount\n")
    with pytest.raises(MappingError, match=r"source.delimiter"):
        await load_checked(tmp_path, "id;subject;state;made;amount\n")


async def load_checked(folder: Path, header: str) -> None:
    path = folder / "t.csv"
    path.write_text(header)
    rules = Mapping.model_validate(TICKETS)
    file = SourceFile(path, rules.source)
    try:
        Importer(rules, Path("map.toml"), Resource.SUPPORT_TASKS, None, Rejects(folder / "r.csv")).check_columns(file)
    finally:
        file.close()


async def test_the_tenant_of_the_command_line_wins_and_one_is_needed(tmp_path: Path) -> None:
    content = "id,subject,state,made,amount\n1,a,New,2026-01-01,\n"
    _, engine, _ = await load(tmp_path, "t.csv", content, TICKETS, tenant="other")
    assert engine.items[0]["tenant_id"] == "other"
    without = {"item": {**TICKETS["item"]}}
    del without["item"]["tenant_id"]
    with pytest.raises(MappingError, match="--tenant"):
        await load(tmp_path, "t.csv", content, without)


_MEASURE = """
import asyncio, resource, sys
from pathlib import Path
from quarterdeck.cli.importing.mapping import Mapping
from quarterdeck.cli.importing.readers import SourceFile
from quarterdeck.cli.importing.rejects import Rejects
from quarterdeck.cli.importing.run import Importer
from quarterdeck.contract.enums import Resource

path = Path(sys.argv[1])
with path.open("w") as file:
    file.write("id,subject,body\\n")
    for number in range(int(sys.argv[2])):
        file.write(f"{number},ticket {number},{'x' * 200}\\n")
rules = Mapping.model_validate(
    {"item": {"external_id": "id", "title": "subject", "body": "body", "tenant_id": {"constant": "acme"}}}
)

async def send(body):
    return {"created": len(body["items"]), "updated": 0, "unchanged": 0, "events": 0, "rejected": []}

importer = Importer(rules, path, Resource.SUPPORT_TASKS, None, Rejects(path.with_suffix(".rejects")))
file = SourceFile(path, rules.source)
assert asyncio.run(importer.run(file, send)).created == int(sys.argv[2])
file.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        command = [sys.executable, "-c", _MEASURE, str(tmp_path / "big.csv"), str(rows)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there
    few, many = peak(10_000), peak(60_000)
    assert (many - few) * unit < 12 * 1024**2
