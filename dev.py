#!/usr/bin/env python3
"""Everything a fresh clone needs, with Python 3.11 or newer and pip, and without root.

    python3 dev.py demo              open the console on a living demo
    python3 dev.py qd ARGS           any qd command, where .venv/bin is not on the PATH
    python3 dev.py test [ARGS]       run all tests; ARGS go to pytest
    python3 dev.py check             lint, format, types, import rules
    python3 dev.py setup             only make or refresh .venv
    python3 dev.py lock              write requirements.lock from what is installed in .venv
    python3 dev.py generate          rewrite config.example.toml and docs/actions.md from the code
    python3 dev.py picture [NAME]    take the pictures of README and docs from the real console

Each makes .venv in this folder from requirements.lock when it is missing or out of date.
"""
# Runs on any Python 3, so that an old one can be told so in a sentence.

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

TOP = Path(__file__).resolve().parent
VENV = TOP / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "quarterdeck-setup"
BUILD = TOP / "build"
SETUP_LOG = BUILD / "setup.log"
LOWEST = (3, 11)


class SetupError(Exception):
    """One sentence: what failed and what to do."""


def wanted_stamp() -> str:
    """Changes when the environment has to be made again."""
    digest = hashlib.sha256("{}.{}".format(*sys.version_info[:2]).encode())
    for name in ("pyproject.toml", "requirements.lock"):
        digest.update((TOP / name).read_bytes())
    # The package is installed in place, so a folder that was moved needs a new environment.
    digest.update(os.fsencode(str(TOP)))
    return digest.hexdigest()


def setup() -> None:
    """Make .venv from requirements.lock, unless it is there and current."""
    import fcntl

    stamp = wanted_stamp()
    if is_current(stamp):
        return
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "setup.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once: the second waits, then finds it made
        if is_current(stamp):
            return
        say(f"Setting up .venv (once; a minute or two; details in {SETUP_LOG.relative_to(TOP)}):")
        with open(SETUP_LOG, "w", encoding="utf-8") as log:
            say("  making a virtual environment for Python {}.{} …".format(*sys.version_info[:2]))
            make_environment(log)
            say(f"  installing {packages()} packages from requirements.lock …")
            install(log, "-r", str(TOP / "requirements.lock"))
            say("  installing quarterdeck itself …")
            install(log, "--no-deps", "--no-build-isolation", "-e", str(TOP))
        STAMP.write_text(stamp, encoding="utf-8")
        say("Ready.")


def packages() -> int:
    """How many requirements.lock names."""
    lines = (TOP / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return sum("==" in line and not line.startswith("#") for line in lines)


def is_current(stamp: str) -> bool:
    try:
        return PYTHON.exists() and STAMP.read_text(encoding="utf-8") == stamp
    except OSError:
        return False


def make_environment(log: IO[str]) -> None:
    command = [sys.executable, "-m", "venv", str(VENV)]
    if PYTHON.exists() and version_of(PYTHON) != version_of(sys.executable):
        command.insert(3, "--clear")
    if importlib.util.find_spec("ensurepip") is None:  # Debian without python3-venv
        command.insert(3, "--without-pip")
    run_logged(command, log, "The virtual environment could not be made")


def version_of(python: str | Path) -> str:
    """`3.11`, or an empty text where it does not run."""
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(
        [python, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    ).stdout


def install(log: IO[str], *what: str) -> None:
    """With the environment's own pip, or with this Python's where the environment has none."""
    if any(VENV.glob("lib/python*/site-packages/pip/__init__.py")):
        pip = [str(PYTHON), "-m", "pip", "install"]
    elif importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install"]
    else:
        raise SetupError(f"This Python has no pip; install pip for {sys.executable} and run this again.")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    run_logged([*pip, *quiet, *what], log, "The dependencies could not be installed")


def run_logged(command: list[str], log: IO[str], sentence: str) -> None:
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if finished.returncode:
        log.flush()
        lines = SETUP_LOG.read_text(encoding="utf-8").strip().splitlines()
        tail = "\n".join("    " + line for line in lines[-8:])
        raise SetupError(f"{sentence}. The end of {SETUP_LOG}:\n{tail}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(*command: str, folder: str = str(TOP)) -> int:
    """Run in the environment, in `folder`; the exit code.

    The PATH finds `qd`, and PYTHON settings from outside stay out.
    """
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV))
    environment["PATH"] = str(VENV / "bin") + os.pathsep + environment.get("PATH", "")
    # The last of them would have every process compile all it imports.
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    # What qd says to type next is what works here.
    environment["QUARTERDECK_CALLED"] = f"python3 {shlex.quote(sys.argv[0])} qd"
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def qd(args: list[str]) -> int:
    """Where it was called, because files are named from there."""
    return run(str(VENV / "bin" / "qd"), *args, folder=os.getcwd())


def demo(args: list[str]) -> int:
    return qd(["demo", *args])


def test(args: list[str]) -> int:
    # All cores make sense only for the whole suite; a hand-picked test starts faster alone.
    if not args and (os.cpu_count() or 1) > 1:
        # More than there are cores: many tests wait for another process.
        args = ["-n", str(min((os.cpu_count() or 1) * 2, 8)), "--dist", "worksteal"]
    return run(str(PYTHON), "-m", "pytest", *args)


def check(args: list[str]) -> int:
    """Every check runs, so that one round shows everything; the exit code says whether all held."""
    checks = (
        ("ruff check", [str(PYTHON), "-m", "ruff", "check", "."]),
        ("ruff format", [str(PYTHON), "-m", "ruff", "format", "--check", "."]),
        ("mypy", [str(PYTHON), "-m", "mypy"]),
        ("import rules", [str(VENV / "bin" / "lint-imports")]),
    )
    failed = []
    for name, command in checks:
        say("── " + name)
        if run(*command):
            failed.append(name)
    say("All checks hold." if not failed else f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


def lock(args: list[str]) -> int:
    return run(str(PYTHON), str(TOP / "tools" / "lock.py"))


def generate(args: list[str]) -> int:
    return run(str(PYTHON), str(TOP / "tools" / "generate.py"), *args)


def picture(args: list[str]) -> int:
    return run(str(PYTHON), str(TOP / "tools" / "picture.py"), *args)


COMMANDS = {
    "demo": demo,
    "qd": qd,
    "test": test,
    "check": check,
    "setup": lambda args: 0,
    "lock": lock,
    "generate": generate,
    "picture": picture,
}


def newer_python() -> str | None:
    """Another Python of this machine that is new enough, newest first."""
    for minor in range(19, LOWEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            probe = f"import sys; sys.exit(sys.version_info < {LOWEST!r})"
            if subprocess.run([found, "-c", probe], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return found
    return None


def main(arguments: list[str]) -> int:
    if sys.version_info < LOWEST:
        found = newer_python()
        if found:
            os.execv(found, [found, *sys.argv])
        say("Quarterdeck needs Python 3.11 or newer; {} is {}.{}.".format(sys.executable, *sys.version_info[:2]))
        return 1
    if not arguments or arguments[0] not in COMMANDS:
        say(__doc__.strip())
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        setup()
    except (SetupError, OSError) as error:
        say(str(error))
        return 1
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
