"""A mistake in a mapping names the file, the line and the key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quarterdeck.cli.importing.mapping import MappingError, load_mapping

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
GOOD = '[item]\nexternal_id = "id"\ntitle = "t"\n'


def refusal(folder: Path, text: str | bytes) -> str:
    path = folder / "map.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MappingError) as refused:
        load_mapping(path)
    said = str(refused.value)
    assert str(path) in said
    assert "\n" not in said
    return said


# The others there are no mappings.
MAPPINGS = sorted(path.name for path in EXAMPLES.glob("*.toml") if path.name != "policy.toml")


@pytest.mark.parametrize("name", MAPPINGS)
def test_every_example_in_the_docs_loads(name: str) -> None:
    assert load_mapping(EXAMPLES / name).item.title.columns()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[item]\nexternal_id = "id"\n', ["item.title is missing"]),
        (GOOD + 'titel = "x"\n', ["line 4", "item.titel", "Did you mean 'title'?"]),
        (GOOD + '[item.status]\ncolum = "x"\n', ["line 5", "item.status.colum", "Did you mean 'column'?"]),
        (GOOD + 'status = { column = "s", template = "x" }\n', ["line 4", "item.status", "exactly one of"]),
        (GOOD + "[source]\ntimezone = 'Mars/Base'\n", ["line 5", "source.timezone", "Mars/Base"]),
        (GOOD + "[source]\nencoding = 'klingon'\n", ["line 5", "klingon", "latin-1"]),
        (GOOD + "[source]\ndelimiter = ';;'\n", ["line 5", "source.delimiter"]),
        (GOOD + "[events]\nat = 'x'\n", ["line 4", "group_by", "list"]),
        (GOOD + "[events]\ngroup_by = 'c'\n", ["events.at is missing"]),
        (GOOD + "[import]\nx = 1\n", ["line 4", "'import' means nothing", "source, item, events"]),
        ("[item\n", ["not valid TOML", "line 1"]),
        (GOOD + "[source]\nresource = 'tickets'\n", ["line 5", "source.resource", "support_tasks"]),
        (b"\xff\xfe", ["not UTF-8"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str | bytes, parts: list[str]) -> None:
    said = refusal(tmp_path, text)
    for part in parts:
        assert part in said


def test_a_missing_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.toml cannot be read: No such file"):
        load_mapping(tmp_path / "none.toml")


def test_short_forms() -> None:
    text = {"item": {"external_id": ["id", "number"], "title": "t", "fields": ["a", "b"]}}
    from quarterdeck.cli.importing.mapping import Mapping

    mapping = Mapping.model_validate(text)
    assert mapping.item.external_id.columns() == (("id", "number"),)
    assert mapping.item.fields["a"].columns() == (("a",),)


def test_the_mappings_in_the_page_load(tmp_path: Path) -> None:
    page = (EXAMPLES.parent / "importing.md").read_text(encoding="utf-8")
    first, events = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "map.toml"
    for text in (first, GOOD + events):
        path.write_text(text, encoding="utf-8")
        load_mapping(path)
