"""Private files are private, whole or absent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etabli.processes import is_process_alive, read_private_json, write_private, write_private_json


def test_a_private_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run" / "engine.json"
    write_private_json(path, {"clé": "é"})
    write_private_json(path, {"clé": 2})
    assert read_private_json(path) == {"clé": 2}
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["engine.json"]


def test_an_interrupted_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_private(path, "{}")

    def full(source: str, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_private(path, '{"new": 1}')
    assert path.read_text() == "{}" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\udcff".encode("utf-8", "surrogateescape")])
def test_broken_files_are_none(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    assert read_private_json(path) is None
    assert read_private_json(tmp_path / "missing") is None


def test_a_file_that_others_may_read_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"url": "http://127.0.0.1"}))
    path.chmod(0o644)
    assert read_private_json(path) is None


def test_processes_alive_and_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert is_process_alive(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_process_alive(child.pid)  # a zombie is dead
    assert not is_process_alive(child.pid) and not is_process_alive(0) and not is_process_alive(-1)
    assert is_process_alive(os.getpid()) and is_process_alive(1)
