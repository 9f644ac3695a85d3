"""Where an instance lives."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from quarterdeck.client.transport import LocalAddress
from quarterdeck.config.home import ENVIRONMENT, Home, HomeError, runtime_folder


def test_the_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "two"))
    assert Home.find(tmp_path / "one").path == tmp_path / "one"
    assert Home.find().path == tmp_path / "two"
    monkeypatch.delenv(ENVIRONMENT)
    assert Home.find().path.name == "quarterdeck"


def test_a_home_is_for_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home")
    assert home.create()
    assert not home.create()
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="Cannot make the home folder"):
        Home(tmp_path / "file" / "home").create()


def test_the_socket_path_is_short_however_long_the_home_is(tmp_path: Path) -> None:
    long = Home(tmp_path / ("x" * 200) / "home")
    assert len(os.fsencode(long.socket)) <= 100
    assert long.socket != Home(tmp_path).socket
    assert stat.S_IMODE(long.socket.parent.stat().st_mode) == 0o700


def test_a_long_or_missing_runtime_folder_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 90)))
    assert len(os.fsencode(runtime_folder())) <= 90


def test_a_runtime_folder_open_to_others_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    import tempfile

    base = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
    try:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
        (base / "quarterdeck").mkdir()
        (base / "quarterdeck").chmod(0o755)
        assert stat.S_IMODE(runtime_folder().stat().st_mode) == 0o700
        (base / "quarterdeck").rmdir()
        (base / "quarterdeck").symlink_to("/tmp")
        with pytest.raises(HomeError, match="belongs to somebody else"):
            runtime_folder()
    finally:
        shutil.rmtree(base)


def test_a_command_is_said_as_one_types_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "usual"))
    assert Home(tmp_path / "usual").typed("engine start") == "qd engine start"
    assert Home(tmp_path / "my ship").typed("engine start") == "qd --home ~/'my ship' engine start"
    assert LocalAddress(Home(Path("/srv/qd"))).remedy == "start it with: qd --home /srv/qd engine start"
