"""Write requirements.lock from what is installed: every dependency, exact, with the markers it came by.

Run it with the lowest Python that is supported, on Linux (`python3 dev.py lock`): what only that Python
or only Linux needs carries its marker, so the same file installs on newer ones and on macOS.
"""

from __future__ import annotations

import sys
from collections import deque
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).resolve().parent.parent
HEADER = """\
# Every dependency at an exact version, for running, testing, PostgreSQL and benchmarks.
# Made by `python3 dev.py lock` from pyproject.toml; do not edit.
"""
# To build the package itself without fetching anything unpinned.
BUILD = ("hatchling",)


def conditions(requirement: Requirement, extra: str) -> str | None:
    """What must hold for the requirement, without its extra. Empty: nothing. None: it is not wanted here."""
    marker = requirement.marker
    if marker is None:
        return ""
    if not marker.evaluate({"extra": extra}):
        return None
    text = str(marker)
    return " and ".join(part for part in text.split(" and ") if "extra ==" not in part)


def closure() -> dict[str, set[str]]:
    """Name -> the markers under which it is wanted; an empty marker wins over all others."""
    found: dict[str, set[str]] = {}
    queue: deque[tuple[str, str, str]] = deque(
        [("quarterdeck", "test", ""), ("quarterdeck", "bench", ""), *((name, "", "") for name in BUILD)]
    )
    seen: set[tuple[str, str, str]] = set()
    while queue:
        name, extra, marker = queue.popleft()
        if (name, extra, marker) in seen:
            continue
        seen.add((name, extra, marker))
        found.setdefault(name, set()).add(marker)
        for line in distribution(name).requires or ():
            requirement = Requirement(line)
            condition = conditions(requirement, extra)
            if condition is None:
                continue
            wanted = canonicalize_name(requirement.name)
            combined = " and ".join(part for part in (marker, condition) if relevant(part))
            for wanted_extra in ("", *sorted(requirement.extras)):
                queue.append((wanted, wanted_extra, combined))
    del found["quarterdeck"]
    return found


def relevant(marker: str) -> bool:
    """Whether a marker can be false on a supported system (CPython 3.11 or newer on Linux or macOS)."""
    if not marker:
        return False
    systems = [
        {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": platform}
        for version in ("3.11", "3.12", "3.13", "3.14")
        for platform in ("linux", "darwin")
    ]
    return not all(Marker(marker).evaluate(dict(system)) for system in systems)


def line(name: str, markers: set[str]) -> str:
    text = f"{name}=={distribution(name).version}"
    if "" in markers:
        return text
    return f"{text} ; {' or '.join(f'({marker})' if len(markers) > 1 else marker for marker in sorted(markers))}"


def main() -> int:
    try:
        lines = [line(name, markers) for name, markers in sorted(closure().items())]
    except PackageNotFoundError as error:
        print(f"{error.name} is not installed; run `python3 dev.py setup`, then this again.", file=sys.stderr)
        return 1
    (TOP / "requirements.lock").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"requirements.lock: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
