"""What goes wrong is one sentence on standard error and an exit code that says what kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.cli import checks
from quarterdeck.client.errors import Unreachable
from quarterdeck.config.home import Home
from tests.cli.lines import Shell
from tests.support.engines import end_engine


def one_sentence(text: str) -> str:
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["items", "lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["items", "list", "tickets"], "'tickets' is not one of 'support_tasks'"),
        (["items", "list", "returns", "--limit", "many"], "'--limit' / '-n': must be a whole number. See"),
        (["bulk", "list", "--limit", "0"], "'--limit' / '-n': must be at least 1. See"),
        (["bulk", "show", "abc"], "'ID': must be a whole number."),
        (["import"], "Missing argument 'resource'. Choose from: support_tasks, returns, exceptions."),
        (["items", "assign", "returns", "1"], "--assignee"),
        (["items", "resolve", "returns", "1"], "returns have no action 'resolve'; it is for support_tasks."),
        (["items", "assign", "returns", "1", "2", "--assignee", "ana", "--version", "3"], "one id only"),
        (["items", "add", "returns"], "--title and --tenant"),
        (["bulk", "run", "returns", "explode", "-q", ""], "returns have no bulk action 'explode'. Valid: claim"),
        (["bulk", "run", "returns", "assign"], "Say what to act on"),
        (["bulk", "run", "returns", "assign", "-q", "", "--set", "assignee"], "--set takes key=value"),
        (
            ["bulk", "run", "returns", "assign", "-q", "", "--set", "asignee=x"],
            "no parameter 'asignee'. Valid: assignee",
        ),
        (["bulk", "run", "returns", "assign", "-q", ""], "Assign needs assignee"),
        (
            ["bulk", "run", "returns", "set-priority", "--id", "1", "--set", "priority=huge"],
            "priority: must be 'urgent'",
        ),
        (["bulk", "run", "returns", "release", "--id", "1", "--run-at", "soon"], "--run-at takes a time like"),
        (["bulk", "run", "rans", "retry", "-q", ""], "'rans' is not one of 'support_tasks', 'returns', 'exceptions'"),
        (["bulk", "run", "runs", "explode", "-q", ""], "runs have no bulk action 'explode'. Valid: retry"),
        (["bulk", "run", "dead_letters", "discard", "-q", ""], "Discard needs reason"),
        (["queues", "change", "mail"], "Say what to change"),
        (["queues", "change", "mail", "--concurrency", "0"], "--concurrency must be at least 1."),
        (["queues", "create", "mail", "--handler", "carrier-pigeon"], "'carrier-pigeon' is not one of 'http'"),
        (["runs", "enqueue"], "A run needs a QUEUE and a KIND"),
        (["runs", "enqueue", "mail", "send", "--skip", "2"], "--key and --skip go with --file."),
        (["runs", "enqueue", "mail", "send", "--payload", "1", "--payload-file", "x"], "not both"),
        (["runs", "enqueue", "mail", "send", "--run-at", "soon"], "--run-at takes a time like"),
        (["runs", "cancel"], "Say what to act on: ids, or -q FILTER."),
        (["runs", "cancel", "1", "-q", "status:failed"], "Give ids or a filter, not both."),
        (["dlq", "retry", "1", "--rate", "fast"], "Retry, rate: must be a number"),
        (["dlq", "retry", "1", "2", "--payload", "{}"], "A changed payload goes with one id."),
        (["dlq", "discard", "1"], "--reason"),
        (["sla", "change", "1"], "Say what to change"),
        (["sla", "compliance", "--period", "year"], "'year' is not one of 'day', 'week', 'month'"),
        (["sla", "compliance", "--end", "soon"], "--end takes a time like"),
        (["workers", "errors", "--window", "2h"], "'2h' is not one of '5m', '1h', '24h'"),
    ],
)
def test_a_mistyped_command_needs_no_engine(shell: Shell, words: list[str], part: str) -> None:
    said = shell(*words, code=2)
    assert part in one_sentence(said.err)
    assert not shell.home.lock.exists()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "is empty"),
        ("name,other\n1,2\n", "has no column 'id'; name the one with the ids: --column NAME"),
        ("id\n1\nx\n", "line 3: 'x' is no id"),
        ("id\n", "names no items"),
        ("id\n0\n", "line 2: '0' is no id"),
    ],
)
def test_a_file_of_ids_is_refused_by_line(shell: Shell, tmp_path: Path, content: str, part: str) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(content)
    said = shell("bulk", "run", "returns", "release", "--ids-file", str(path), code=1)
    assert part in one_sentence(said.err)
    assert str(path) in said.err


def test_a_payload_that_is_no_json(shell: Shell, tmp_path: Path) -> None:
    said = shell("runs", "enqueue", "mail", "send", "--payload", "{order: 1}", code=1)
    assert "--payload is not JSON" in one_sentence(said.err)
    path = tmp_path / "payload.json"
    path.write_bytes(b'{"a": \xff}')
    assert "is not UTF-8" in one_sentence(shell("dlq", "retry", "1", "--payload-file", str(path), code=1).err)
    assert "cannot be read: No such file" in shell("dlq", "import", "/none.jsonl", code=1).err
    assert not shell.home.lock.exists()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ('name = "x"', "resource: is missing."),
        ("name = ", "is not TOML: "),
        ('name = "x"\nresource = "returns"\nsettings.targets = []', "settings.targets: "),
        (
            'name = "x"\nresource = "returns"\n[[settings.targets]]\npriority = "high"\nresolution_minutes = 0',
            "settings.targets.0.resolution_minutes: must be at least 1.",
        ),
    ],
)
def test_a_policy_is_refused_by_what_is_wrong_in_its_file(
    shell: Shell, tmp_path: Path, content: str, part: str
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(content)
    said = shell("sla", "create", str(path), code=None)
    assert part in one_sentence(said.err)
    assert said.code in (1, 2)
    assert str(path) in said.err
    assert not shell.home.lock.exists()


def test_a_file_of_ids_that_is_not_there(shell: Shell) -> None:
    said = shell("bulk", "run", "returns", "release", "--ids-file", "/none.csv", code=1)
    assert one_sentence(said.err) == "/none.csv: No such file or directory.\n"


def test_imports_are_refused_before_an_engine_starts(shell: Shell, tmp_path: Path) -> None:
    file, mapping = tmp_path / "a.csv", tmp_path / "map.toml"
    words = ("import", "returns", str(file), "--mapping", str(mapping))
    assert "cannot be read" in one_sentence(shell(*words, code=1).err)
    mapping.write_text('[item]\nexternal_id = "id"\ntitle = "t"\n')
    assert "give --tenant" in one_sentence(shell(*words, code=1).err)
    assert "a.csv cannot be read: No such file" in one_sentence(shell(*words, "--tenant", "x", code=1).err)
    file.write_text("id,name\n1,x\n")
    assert "item.title names the column 't'" in one_sentence(shell(*words, "--tenant", "x", code=1).err)
    assert "choose another" in shell(*words, "--tenant", "x", "--rejects", str(file), code=2).err
    assert not shell.home.lock.exists()


def test_a_broken_config_is_named_by_the_engine(shell: Shell) -> None:
    shell.home.config.write_text("[engine]\nidle_minutes = 'never'\n")
    said = shell("items", "list", "returns", code=3)
    assert "engine.idle_minutes" in one_sentence(said.err)


@pytest.mark.parametrize(
    "words",
    [
        ("items", "list", "returns"),
        ("items", "show", "returns", "1"),
        ("bulk", "list"),
        ("bulk", "show", "1"),
        ("bulk", "export", "1"),
        ("audit", "list"),
        ("audit", "verify"),
        ("queues", "list"),
        ("queues", "show", "mail"),
        ("runs", "list"),
        ("runs", "logs", "1", "--follow"),
        ("dlq", "groups"),
        ("dlq", "export"),
        ("workers",),
        ("export", "returns"),
        ("engine", "health"),
        ("engine", "metrics"),
    ],
)
def test_looking_into_a_home_that_is_not_there_does_not_make_it(
    shell: Shell, tmp_path: Path, words: tuple[str, ...]
) -> None:
    typo = tmp_path / "hoem"
    said = shell(*words, "--home", str(typo), code=3)
    assert one_sentence(said.err) == f"There is no home at {typo}; correct it, or make one with: qd engine start.\n"
    assert not typo.exists()


def test_stopping_and_the_doctor_make_no_home_either(shell: Shell, tmp_path: Path) -> None:
    typo = tmp_path / "hoem"
    for words in (("engine", "status"), ("engine", "stop"), ("engine", "logs"), ("doctor",)):
        shell(*words, "--home", str(typo), code=None)
        assert not typo.exists(), words


def test_a_new_home_is_announced(shell: Shell, tmp_path: Path) -> None:
    place = Home(tmp_path / "new")
    try:
        said = shell("items", "add", "returns", "--title", "a", "--tenant", "acme", "--home", str(place.path))
        assert f"Made a new home at {place.path}.\n" in said.err
        assert "new home" not in shell("items", "list", "returns", "--home", str(place.path)).err
    finally:
        end_engine(place)


def test_no_engine_answers(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Unreachable("Nobody is there; start it.")

    monkeypatch.setattr("quarterdeck.client.local.connect", refuse)
    assert shell("items", "count", "returns", code=3).err == "Nobody is there; start it.\n"


def test_a_mistake_of_ours_is_one_sentence_with_the_details_in_a_file(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(checks, "LOCAL", (broken,))
    said = shell("doctor", code=1)
    assert "This is a mistake in qd (KeyError: 'surprise')" in one_sentence(said.err)
    assert "KeyError" in (shell.home.path / "qd-errors.log").read_text()


def test_ctrl_c_is_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "LOCAL", (interrupted,))
    assert shell("doctor", code=130).err == "Interrupted.\n"


def test_what_the_engine_refuses(shell: Shell) -> None:
    assert "'statu' is no key" in one_sentence(shell("items", "list", "returns", "-q", "statu:open", code=2).err)
    assert "42" in one_sentence(shell("items", "show", "returns", "42", code=4).err)
    one_sentence(shell("items", "claim-next", "returns", code=4).err)
    one_sentence(shell("bulk", "show", "9", code=4).err)
    assert one_sentence(shell("items", "list", "returns", "--sort", "foo", code=2).err) == (
        "sort: must be priority, due, created or updated, with - before it for the other way round.\n"
    )
    assert "no template 'x'" in one_sentence(shell("bulk", "template", "run", "x", code=4).err)
    assert "nothing was started" in shell("bulk", "run", "returns", "release", "-q", "", "--yes", code=4).err

    made = shell.json("items", "add", "returns", "--title", "a", "--tenant", "acme")
    (item,) = made["ids"]
    some = shell("items", "set-priority", "returns", str(item), "999", "--priority", "high", code=5)
    assert "999" in some.err
    refused = shell("items", "refund", "returns", str(item), "--yes", code=1)
    assert "requested" in one_sentence(refused.err)
    assert "give --yes" in one_sentence(shell("items", "delete", "returns", str(item), code=1).err)

    words = ("bulk", "run", "returns", "delete", "-q", "")
    assert "Give --confirm-count 1" in one_sentence(shell(*words, "--yes", code=1).err)
    assert "--confirm-count says 7, but 1 item would change" in shell(*words, "--confirm-count", "7", code=1).err
    left = shell.json("bulk", "list", "--status", "draft")
    assert left["items"] == []
    assert shell.json(*words, "--confirm-count", "1", "--wait")["succeeded"] == 1
