import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from etabli.errors import DownloadError, IntegrityError
from etabli.images.pictograms import sources
from etabli.images.pictograms.sources import LICENCES, fetch, read_json, read_ledger
from images.tiny_set import write_ledger


def test_the_shipped_ledger_holds_no_licence_that_binds_what_is_made_with_it() -> None:
    ledger = read_ledger()
    assert {source.licence for source in ledger} <= set(LICENCES)
    assert {source.role for source in ledger} == {"generator", "evaluator", "labels"}
    assert not [source for source in ledger if "openmoji" in source.package]


def test_a_licence_that_is_not_listed_is_refused() -> None:
    row = (
        "[{package: a, version: '1', role: labels, licence: CC-BY-SA-4.0, author: b, home: c, integrity: d}]"
    )
    with pytest.raises(ValidationError, match="licence"):
        read_ledger(row)


def test_archives_that_are_there_are_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = write_ledger(tmp_path)
    monkeypatch.setattr(sources.shutil, "which", lambda name: pytest.fail("npm was looked for"))
    fetch(tmp_path, ledger)
    assert read_json(tmp_path / ledger[0].archive, "icons.json")["width"] == 32
    assert read_json(tmp_path / ledger[0].archive, "nothing.json") is None


def test_an_archive_that_differs_from_the_ledger_is_refused(tmp_path: Path) -> None:
    ledger = write_ledger(tmp_path)
    path = tmp_path / ledger[0].archive
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(IntegrityError, match="tiny-shapes"):
        fetch(tmp_path, ledger)


def test_without_npm_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = write_ledger(tmp_path)
    (tmp_path / ledger[1].archive).unlink()
    monkeypatch.setattr(sources.shutil, "which", lambda name: None)
    with pytest.raises(DownloadError, match="npm is not installed.*tiny-turned-1.0.0.tgz"):
        fetch(tmp_path, ledger)


def test_npm_is_asked_for_the_exact_version_without_running_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = write_ledger(tmp_path)
    path = tmp_path / ledger[1].archive
    content = path.read_bytes()
    path.unlink()
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        path.write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sources.shutil, "which", lambda name: "npm")
    monkeypatch.setattr(sources.subprocess, "run", run)
    fetch(tmp_path, ledger)
    assert len(asked) == 1 and asked[0][-1] == "@tiny/turned@1.0.0" and "--ignore-scripts" in asked[0]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tgz"
    path.write_bytes(b"nothing")
    with pytest.raises(IntegrityError, match="a.tgz"):
        read_json(path, "icons.json")
