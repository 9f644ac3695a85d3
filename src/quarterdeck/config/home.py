"""Where an instance lives: one folder for store, log, config and state; one socket."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "QUARTERDECK_HOME"


class HomeError(Exception):
    """One sentence that names the path and what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one instance. Two instances never share a folder."""

    path: Path

    @classmethod
    def find(cls, given: str | os.PathLike[str] | None = None) -> Home:
        """`--home`, else QUARTERDECK_HOME, else the user's data folder."""
        chosen = given or os.environ.get(ENVIRONMENT)
        if not chosen:
            from platformdirs import user_data_dir

            chosen = user_data_dir("quarterdeck", appauthor=False)
        return cls(Path(chosen).expanduser().absolute())

    def create(self) -> bool:
        """Make the folder, readable by its owner only; whether it was not there before. Raises HomeError."""
        new = not self.path.exists()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(f"Cannot make the home folder {self.path}: {error.strerror}.") from error
        return new

    def typed(self, command: str) -> str:
        """A `qd` command as one types it for this home, short: without `--home` where that is the usual one."""
        if Home.find().path == self.path:
            return f"qd {command}"
        import shlex

        user = Path.home()
        if self.path.is_relative_to(user):
            return f"qd --home ~/{shlex.quote(str(self.path.relative_to(user)))} {command}"
        return f"qd --home {shlex.quote(str(self.path))} {command}"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def store(self) -> Path:
        return self.path / "quarterdeck.db"

    @property
    def copies(self) -> Path:
        return self.path / "copies"

    @property
    def log(self) -> Path:
        return self.path / "engine.log"

    @property
    def lock(self) -> Path:
        return self.path / "engine.lock"

    @property
    def console_state(self) -> Path:
        return self.path / "console.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "audit-checkpoints.jsonl"

    @property
    def key(self) -> Path:
        """Signs audit checkpoints."""
        return self.path / "audit.key"

    @property
    def themes(self) -> Path:
        return self.path / "themes"

    @property
    def socket(self) -> Path:
        """Short whatever the home is called: the kernel takes at most 107 bytes."""
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return runtime_folder() / f"{digest}.sock"


def runtime_folder() -> Path:
    """A folder of this user's, 0700, for sockets. Raises HomeError if somebody else owns it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and len(base) <= 60 and os.access(base, os.W_OK | os.X_OK):
        folder = Path(base) / "quarterdeck"
    else:
        folder = Path(tempfile.gettempdir()) / f"quarterdeck-{os.getuid()}"
        if len(os.fsencode(folder)) > 80:
            folder = Path("/tmp") / f"quarterdeck-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise HomeError(f"{folder} belongs to somebody else; remove it or set XDG_RUNTIME_DIR.")
        if found.st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise HomeError(f"Cannot make the runtime folder {folder}: {error.strerror}.") from error
    return folder
