"""JUnit XML of an evaluation for build servers: a case a requirement, or a case a question where none is made."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from etabli.certification.detectors.wording import in_language
from etabli.evaluation.requirements import Outcome
from etabli.evaluation.store import Report
from etabli.messages import language

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 (section 2.2) does not allow, however they are written."""


def junit_of(report: Report, outcomes: Sequence[Outcome] = ()) -> bytes:
    """The file.

    Args:
        report: what was found.
        outcomes: of the requirements. Where there are some, they alone can fail, and the questions that went wrong
            are told with the first of them; where there are none, every question is a case.
    """
    suite = Element("testsuite", {"name": _plain(f"etabli eval {report.run.assistant}")})
    suite.set("timestamp", report.run.created_at.isoformat(timespec="seconds"))
    properties = SubElement(suite, "properties")
    for name in ("id", "model", "bundle_root", "questions_digest"):
        SubElement(properties, "property", {"name": name, "value": _plain(str(getattr(report.run, name)))})
    counts = _requirements(suite, report, outcomes) if outcomes else _questions(suite, report)
    root = Element("testsuites", {"name": "etabli eval"})
    for element in (root, suite):
        for name, count in counts.items():
            element.set(name, str(count))
    root.append(suite)
    text: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text + b"\n"


def _requirements(suite: Element, report: Report, outcomes: Sequence[Outcome]) -> dict[str, int]:
    for place, one in enumerate(outcomes):
        name = f"{one.requirement.measure} >= {one.requirement.least:g}"
        case = SubElement(suite, "testcase", {"classname": "etabli.eval", "name": name})
        if not one.shown:
            SubElement(case, "failure", {"message": _plain(one.sentence()), "type": "requirement"})
        if place == 0:
            SubElement(case, "system-out").text = _plain("\n".join(_wrong(report)))
    return {
        "tests": len(outcomes), "failures": sum(not one.shown for one in outcomes), "errors": 0, "skipped": 0
    }  # fmt: skip


def _questions(suite: Element, report: Report) -> dict[str, int]:
    first = report.first()
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for item in report.run.asked:
        tried = first.get(item.key)
        name = {"classname": "etabli.eval", "name": _plain(f"{item.id} {item.question.question}")}
        case = SubElement(suite, "testcase", name)
        counts["tests"] += 1
        if tried is None:
            counts["skipped"] += 1
            SubElement(case, "skipped")
            continue
        case.set("time", f"{tried.total_ms / 1000:.3f}")
        if tried.error:
            counts["errors"] += 1
            SubElement(case, "error", {"message": _plain(tried.error), "type": "no answer"})
        elif not tried.right:
            counts["failures"] += 1
            detail = _plain(in_language(tried.detail, language()))
            told = SubElement(case, "failure", {"message": detail, "type": "wrong"})
            told.text = _plain(tried.text)
    return counts


def _wrong(report: Report) -> list[str]:
    first = report.first()
    return [
        f"{item.id}: {item.question.question} – {in_language(tried.detail, language())}"
        for item in report.run.asked
        if (tried := first.get(item.key)) is not None and not tried.right
    ]


def _plain(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
