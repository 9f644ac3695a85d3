"""The house rules: who may import whom, what is served, and that the papers are true."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from quarterdeck.client.client import Client
from quarterdeck.config.settings import Settings
from quarterdeck.contract.operations import OPERATIONS, Operation
from quarterdeck.contract.operations.base import Answers
from quarterdeck.contract.problems import Code, Problem
from tools import generate

TOP = Path(__file__).resolve().parent.parent
SOURCE = TOP / "src" / "quarterdeck"
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (TOP / "requirements.lock").read_text(encoding="utf-8")
LONGEST_FILE = 450

IMPORT_ALL = """
import importlib, pathlib, sys
top = pathlib.Path(sys.argv[1])
for package in ("contract", "config", "client", "tui"):
    for path in sorted((top / package).rglob("*.py")):
        parts = path.relative_to(top).with_suffix("").parts
        if "models" not in parts:
            importlib.import_module(".".join(("quarterdeck", *parts)).removesuffix(".__init__"))
import quarterdeck.cli.main
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_import_rules_hold() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    found = subprocess.run([command, "--no-cache"], cwd=TOP, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_console_starts_without_the_engine_and_without_pydantic() -> None:
    found = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, SOURCE], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    loaded = set(found.stdout.split())
    heavy = {"sqlalchemy", "fastapi", "starlette", "apscheduler", "alembic", "aiosqlite", "uvicorn"}
    assert not loaded & (heavy | {"pydantic", "pydantic_core", "typer", "httpx_ws", "plotille"})


def served() -> list[Operation]:
    """The operations that the assembled application serves."""
    from quarterdeck.engine.app import create_app

    app = create_app(cast(Any, SimpleNamespace(activity=None)))
    return [route.operation for route in app.router.routes if hasattr(route, "operation")]


def test_every_declared_operation_is_served_once_and_nothing_else_is() -> None:
    from quarterdeck.engine.app import create_app
    from quarterdeck.engine.http import openapi

    found = served()
    assert sorted(operation.name for operation in found) == sorted(OPERATIONS)
    assert all(OPERATIONS[operation.name] is operation for operation in found)
    app = create_app(cast(Any, SimpleNamespace(activity=None)))
    others = {getattr(route, "path", "?") for route in app.router.routes if not hasattr(route, "operation")}
    assert others == {openapi.PATH}


@pytest.mark.timeout(60)
async def test_every_operation_is_reached_by_the_client(running_engine: Client) -> None:
    path: dict[str, object] = {
        "resource": "support_tasks",
        "id": 4_242,
        "event_id": 1,
        "action": "assign",
        "queue": "mail",
    }
    for operation in OPERATIONS.values():
        if operation.name == "system.stop":
            continue
        wanted = {name: value for name, value in path.items() if f"{{{name}}}" in operation.path}
        try:
            match operation.answers:
                case Answers.JSON:
                    await running_engine.call(operation, **wanted)
                case Answers.TEXT:
                    assert await running_engine.text(operation)
                case Answers.STREAM:
                    async for _ in running_engine.stream(operation, **wanted):
                        break
                case Answers.SOCKET:
                    watches = {"bulk.watch": running_engine.watch, "runs.watch": running_engine.watch_run}
                    watch = watches.get(operation.name)
                    messages = running_engine.events() if watch is None else watch(4_242)
                    async for _ in messages:
                        break
                    await messages.aclose()
        except Problem as problem:
            # An empty engine refuses most of these, each for a reason of its own and none for the address.
            expected = {*operation.all_problems, Code.INVALID_INPUT}
            assert problem.code in expected, f"{operation.name}: {problem.detail}"  # noqa: PT017
            assert problem.code not in (Code.METHOD_NOT_ALLOWED, Code.INTERNAL)  # noqa: PT017


@pytest.mark.parametrize("path", generate.files(), ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.files()[path], "run: python3 dev.py generate"


@pytest.mark.parametrize("section", [section.name for section in fields(Settings) if section.name != "queues"])
def test_every_setting_changes_something(section: str) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in SOURCE.rglob("*.py")
        if "config" not in path.relative_to(SOURCE).parts
    )
    unused = [each.name for each in fields(getattr(Settings(), section)) if not re.search(rf"\.{each.name}\b", code)]
    assert not unused


def requirements() -> list[Requirement]:
    project = PROJECT["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return [Requirement(line) for line in lines if not line.startswith("quarterdeck")]


def test_every_dependency_has_its_line_saying_why() -> None:
    page = (TOP / "docs" / "dependencies.md").read_text(encoding="utf-8")
    named = {canonicalize_name(name) for name in re.findall(r"^\| `([^`\[]+)", page, re.MULTILINE)}
    assert named == {canonicalize_name(requirement.name) for requirement in requirements()}


def test_the_lock_file_holds_every_dependency_and_no_place_to_get_it_from() -> None:
    locked = {
        canonicalize_name(line.partition("==")[0]): line.partition("==")[2].split()[0]
        for line in LOCK.splitlines()
        if line and not line.startswith("#")
    }
    for requirement in requirements():
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"
    assert "://" not in LOCK
    assert not re.search(r"^-", LOCK, re.MULTILINE)


def test_the_wheel_carries_themes_and_migrations(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=TOP, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for theme in (TOP / "themes").glob("*.toml"):
        assert f"quarterdeck/themes/{theme.name}" in names
    assert any(re.fullmatch(r"quarterdeck/engine/store/migrations/versions/\w+\.py", name) for name in names)
    assert "quarterdeck/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("test" in name.split("/")[0] for name in names)


def test_no_file_holds_two_ideas() -> None:
    long = {
        str(path.relative_to(TOP)): lines
        for path in SOURCE.rglob("*.py")
        if "versions" not in path.parts  # a migration is written once and never changed
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert not long


def pages() -> list[Path]:
    return sorted([TOP / "README.md", TOP / "CHANGELOG.md", *(TOP / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(TOP)))
def test_links_of_the_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (TOP / "README.md").read_text(encoding="utf-8")
    first = re.findall(r"^ {4}(\S.*)$|^```\w*\n(.+?)\n```", text, re.MULTILINE | re.DOTALL)
    commands = " ".join("".join(block) for block in first[:2])
    assert "python3 dev.py demo" in commands
    assert "python3 dev.py test" in commands


def test_the_pages_name_commands_that_exist() -> None:
    """Every `qd …` in the pages is known to the command line."""
    from typer.main import get_command

    from quarterdeck.cli.app import app

    top = cast(Any, get_command(app))
    for page in pages():
        for line in re.findall(r"(?:^ {4}|`)qd ([a-z][a-z -]*)", page.read_text(encoding="utf-8"), re.MULTILINE):
            words, command = line.split(), top
            for word in words:
                if not hasattr(command, "commands") or word.startswith("-"):
                    break
                assert word in command.commands, f"{page.name}: qd {line}"
                command = command.commands[word]
