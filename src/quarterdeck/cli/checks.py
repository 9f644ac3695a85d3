"""What qd doctor looks at. Each check looks at one thing, says what it found, and what to do about it."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from quarterdeck import __version__
from quarterdeck.config.home import Home, HomeError, runtime_folder
from quarterdeck.config.load import ConfigError, load


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is one sentence, empty where nothing needs doing."""

    name: str
    level: Level
    found: str
    advice: str = ""


def ok(name: str, found: str) -> Finding:
    return Finding(name, Level.OK, found)


def warning(name: str, found: str, advice: str) -> Finding:
    return Finding(name, Level.WARNING, found, advice)


def problem(name: str, found: str, advice: str) -> Finding:
    return Finding(name, Level.PROBLEM, found, advice)


SMALLEST = (80, 24)
_LITTLE_SPACE = 1024**3
_LEAST_SPACE = 100 * 1024**2
_NEEDED_SQLITE = (3, 35, 0)  # RETURNING


def versions() -> Iterator[Finding]:
    found = [f"qd {__version__}", f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for package in ("textual", "sqlalchemy", "httpx"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            yield problem("versions", f"{package} is not installed", "Install quarterdeck again.")
    if sqlite3.sqlite_version_info < _NEEDED_SQLITE:
        yield problem("versions", ", ".join(found), "SQLite 3.35 or newer is needed; use a newer Python.")
    else:
        yield ok("versions", ", ".join(found))


def terminal() -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield warning("terminal", "the output is no terminal", "Run qd doctor in the terminal you want to work in.")
        return
    if term in ("", "dumb"):
        yield problem("terminal", f"TERM is '{term}'", "Set TERM to what your terminal is, for example xterm-256color.")
    else:
        yield ok("terminal", term)
    columns, lines = shutil.get_terminal_size()
    if columns < SMALLEST[0] or lines < SMALLEST[1]:
        yield warning("size", f"{columns}×{lines}", "Make the window at least 80×24.")
    else:
        yield ok("size", f"{columns}×{lines}")
    yield _colours(term)


def _colours(term: str) -> Finding:
    if os.environ.get("NO_COLOR"):
        return ok("colours", "off (NO_COLOR)")
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return ok("colours", "16 million")
    if "256" in term:
        return ok("colours", "256; themes are shown in the nearest ones. COLORTERM=truecolor gives them all.")
    return warning("colours", "few", "Use the theme `terminal`, or set COLORTERM=truecolor if your terminal can.")


def unicode() -> Iterator[Finding]:
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    charset = locale.nl_langinfo(locale.CODESET)
    if encoding == "utf8" and charset.lower().replace("-", "") == "utf8":
        yield ok("unicode", charset)
    else:
        yield warning(
            "unicode", f"the locale's encoding is {charset}", "Set LANG=C.UTF-8, or console.ascii = true in the config."
        )


def clipboard() -> Iterator[Finding]:
    """OSC 52 cannot be asked for; what stands between us and the terminal can."""
    if "TMUX" in os.environ:
        setting = _tmux("set-clipboard")
        if setting in ("on", "external"):
            passes = _tmux("allow-passthrough")
            if setting == "external" and passes not in ("on", "all"):
                yield warning(
                    "clipboard",
                    "tmux keeps OSC 52 to itself",
                    "In tmux: set -g set-clipboard on, or allow-passthrough on.",
                )
            else:
                yield ok("clipboard", f"OSC 52 through tmux (set-clipboard {setting})")
        else:
            yield warning(
                "clipboard", f"tmux set-clipboard is {setting or 'unknown'}", "In tmux: set -g set-clipboard on."
            )
    elif os.environ.get("TERM", "").startswith("screen") or "STY" in os.environ:
        yield ok("clipboard", "OSC 52 wrapped for screen; the terminal around it must allow it")
    else:
        yield ok("clipboard", "OSC 52; if copying does nothing, allow it in your terminal's settings")


def _tmux(option: str) -> str:
    try:
        done = subprocess.run(["tmux", "show", "-gv", option], capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def home_folder(home: Home) -> Iterator[Finding]:
    path = home.path
    if not path.exists():
        yield warning("home", f"{path} does not exist", "Correct --home, or make it with: qd engine start")
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield problem("home", f"{path} is not yours to write", "Correct its owner or mode, or choose another --home.")
    elif path.stat().st_mode & 0o077:
        yield warning("home", f"{path} can be read by others", f"chmod 700 {path}")
    else:
        yield ok("home", str(path))
    yield from _space(path)


def _space(path: Path) -> Iterator[Finding]:
    there = path
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    found = f"{free / 1024**3:.1f} GiB free"
    if free < _LEAST_SPACE:
        yield problem("disk", found, "Make room: the engine stops writing when the disk is full.")
    elif free < _LITTLE_SPACE:
        yield warning("disk", found, "Make room before the next large import.")
    else:
        yield ok("disk", found)


def config(home: Home) -> Iterator[Finding]:
    try:
        load(home.config)
    except ConfigError as error:
        yield problem("config", str(error), "Correct the file; config.example.toml has every setting.")
    else:
        yield ok("config", str(home.config) if home.config.exists() else "defaults (no config.toml)")


def socket(home: Home) -> Iterator[Finding]:
    try:
        folder = runtime_folder()
    except HomeError as error:
        yield problem("socket", str(error), "The engine cannot listen without it.")
        return
    length = len(os.fsencode(home.socket))
    if length > 107:
        yield problem("socket", f"{home.socket} is {length} bytes long", "Set XDG_RUNTIME_DIR to a short path.")
    else:
        yield ok("socket", f"{folder} (0700)")


def store(home: Home) -> Iterator[Finding]:
    """The SQLite file as it lies there; a PostgreSQL store is the engine's to judge."""
    try:
        url = load(home.config).store.url
    except ConfigError:
        return  # said already
    if url:
        yield ok("store", "PostgreSQL; the engine says whether it answers")
        return
    if not home.store.exists():
        yield ok("store", "none yet (made at the first start)")
        return
    # What was written last lies in the log beside it.
    parts = (home.store, home.store.with_name(f"{home.store.name}-wal"))
    size = sum(part.stat().st_size for part in parts if part.exists()) / 1024**2
    try:
        connection = sqlite3.connect(f"{home.store.as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        yield problem("store", f"{home.store}: {error}", f"Put a copy from {home.copies} in its place.")
    else:
        yield ok("store", f"{home.store}, {size:,.1f} MiB, {tables} tables")


_WITHOUT_KEYRING = "Secrets can stand in variables instead: store.password_env, and --secret-env of a channel."


def keyring_backend() -> Iterator[Finding]:
    """Holds the PostgreSQL password and secrets of channels; environment variables stand in for it."""
    try:
        import keyring

        backend = keyring.get_keyring()
    except Exception as error:  # noqa: BLE001 - backends raise whatever their system does
        yield warning("keyring", f"cannot be used ({error})", _WITHOUT_KEYRING)
        return
    name = f"{type(backend).__module__}.{type(backend).__name__}"
    if getattr(backend, "priority", 0) <= 0 or "fail" in name or "null" in name:
        yield warning("keyring", "none here", _WITHOUT_KEYRING)
    else:
        yield ok("keyring", name.removeprefix("keyring.backends."))


LOCAL: tuple[Callable[[], Iterator[Finding]], ...] = (versions, terminal, unicode, clipboard, keyring_backend)
OF_HOME: tuple[Callable[[Home], Iterator[Finding]], ...] = (home_folder, config, socket, store)
