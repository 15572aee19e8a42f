"""`etabli certify` and the reports of what it signed, over a scripted engine."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import parse

from typer.testing import Result

from etabli.errors import InvalidInputError

Run = Callable[..., Result]
SMOKE = ("certify", "office", "--tier", "smoke", "--family", "T1", "--family", "T3")


def test_certify_writes_reports_and_a_repeat_comes_to_the_same_verdict(
    in_office: Run, office: Path, tmp_path: Path
) -> None:
    assert (
        in_office("documents", "add", str(office / "documents" / "general"), "-c", "general").exit_code == 0
    )
    done = in_office(
        *SMOKE, "--report", "out/report.html", "--junit", "out/junit.xml", "--sarif", "out/results.sarif"
    )
    assert done.exit_code == 5, done.output
    assert "Asked again: 1 of 1 replies were the same." in done.output
    assert "Report: out/report.html" in done.output
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    suite = parse(tmp_path / "out" / "junit.xml").getroot()
    assert suite.get("errors") == "2", "what smoke cannot show is no pass"
    sarif = json.loads((tmp_path / "out" / "results.sarif").read_text(encoding="utf-8"))
    assert sarif["version"] == "2.1.0"

    campaign = sarif["runs"][0]["automationDetails"]["id"].rpartition("/")[2]
    later = in_office("certificate", "report", campaign, "--report", "later")
    assert later.exit_code == 0, later.output
    made = sorted(path.name for path in (tmp_path / "later").iterdir())
    assert made == ["junit.xml", "report.html", "report.pdf", "results.sarif"]
    assert (tmp_path / "later" / "report.pdf").read_bytes().startswith(b"%PDF")

    again = in_office("certify", "office", "--again", campaign, "--json")
    assert again.exit_code == 0, again.output
    told = json.loads(again.stdout)
    assert told["sameVerdict"] and told["same"] == told["replies"] == 8


def test_a_report_of_an_unknown_kind_is_refused_before_the_campaign(in_office: Run) -> None:
    done = in_office(*SMOKE, "--report", "report.docx")
    assert isinstance(done.exception, InvalidInputError)
    assert "end its name in .pdf or .html" in str(done.exception)


def test_a_report_needs_something_to_write(in_office: Run) -> None:
    done = in_office("certificate", "report", "cmp_0")
    assert "Say what to write" in str(done.exception)
    missing = in_office("certificate", "report", "cmp_0", "--report", "r.pdf")
    assert "There is no certificate cmp_0" in str(missing.exception)
