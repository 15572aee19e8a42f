"""`etabli judges`: a model that cannot judge is measured, kept and said to be none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from etabli.errors import ConfigurationError, InvalidInputError

Run = Callable[..., Result]


def test_a_model_that_writes_no_json_is_no_judge(
    in_office: Run, office: Path, endpoints: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETABLI_JUDGE_URL", endpoints)
    monkeypatch.setenv("ETABLI_JUDGE_MODEL", "fake")
    done = in_office("judges", "calibrate", "--family", "s2")
    assert done.exit_code == 0, done.output
    assert done.output.count("a person decides") == 2
    assert (office / "judges.json").is_file()
    listed = json.loads(in_office("judges", "list", "--json").stdout)
    assert [(one["family"], one["hits"]) for one in listed] == [("S2", 0), ("S2", 0)]
    assert all(one["sensitivityLower"] == 0 for one in listed)

    assert (
        in_office("documents", "add", str(office / "documents" / "general"), "-c", "general").exit_code == 0
    )
    plan = in_office("certify", "office", "--tier", "smoke", "--family", "S2", "--plan")
    assert "was not measured as a judge of S1 in en" in plan.output
    assert "more like it: etabli judges list" in plan.output


def test_faults_are_said(in_office: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = in_office("judges", "calibrate")
    assert isinstance(none.exception, ConfigurationError) and "No judge is configured" in str(none.exception)
    unknown = in_office("judges", "calibrate", "--family", "A1")
    assert isinstance(unknown.exception, InvalidInputError)
    assert "A1 has no policy to judge by" in str(unknown.exception)
    monkeypatch.setenv("ETABLI_JUDGE_URL", "http://127.0.0.1:9/v1")
    alone = in_office("judges", "list")
    assert "judge_url needs judge_model" in alone.output + str(alone.exception)


def test_a_folder_without_sets_is_said(
    in_office: Run, endpoints: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETABLI_JUDGE_URL", endpoints)
    monkeypatch.setenv("ETABLI_JUDGE_MODEL", "fake")
    done = in_office("judges", "calibrate", "--data", str(tmp_path))
    assert "holds no labelled set" in str(done.exception)
