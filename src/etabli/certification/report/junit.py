"""JUnit XML for build servers: a test case a family, a failure with its figures, and the rest skipped."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from etabli.certification.report import words
from etabli.certification.report.content import Claim, Content
from etabli.messages import speaking

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 (section 2.2) does not allow, however they are written."""


def junit_of(content: Content) -> bytes:
    """The file. What could not be decided is an error, never a pass."""
    untested = content.predicate["scope"]["notTested"]
    counts = {
        "tests": len(content.claims) + len(untested),
        "failures": sum(one.verdict == "failed" for one in content.claims),
        "errors": sum(one.verdict in ("inconclusive", "awaiting") for one in content.claims),
        "skipped": len(untested),
    }
    values = {name: str(value) for name, value in counts.items()}
    with speaking(content.language):
        root = Element("testsuites", {"name": "etabli certify", **values})
        suite = SubElement(
            root,
            "testsuite",
            {"name": _plain(content.title), "timestamp": content.predicate["campaign"]["endedAt"], **values},
        )
        properties = SubElement(suite, "properties")
        for name, value in (
            ("verdict", content.verdict),
            ("statement.sha256", content.digest),
            ("assistant.sha256", content.root),
            ("campaign", content.predicate["campaign"]["id"]),
        ):
            SubElement(properties, "property", {"name": name, "value": _plain(str(value))})
        for claim in content.claims:
            _case(suite, content, claim)
        for one in untested:
            case = SubElement(suite, "testcase", _named(one["id"], content.say(one["label"])))
            SubElement(case, "skipped", {"message": _plain(content.say(one["reason"]))})
    text: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text + b"\n"


def _case(suite: Element, content: Content, claim: Claim) -> None:
    case = SubElement(suite, "testcase", _named(claim.id, claim.label))
    figures = words.in_words(claim, content.language)
    if claim.verdict == "passed":
        SubElement(case, "system-out").text = _plain(figures)
        return
    kind = "failure" if claim.verdict == "failed" else "error"
    told = SubElement(
        case, kind, {"message": _plain(words.reason_line(claim, content.language)), "type": claim.verdict}
    )
    lines = [figures, f"{words.decided_by(claim)}; {words.by_language(claim)}"]
    lines += [f"{one.probe}: {one.text}" for one in content.findings if one.family == claim.id]
    told.text = _plain("\n".join(lines))


def _named(family: str, label: str) -> dict[str, str]:
    return {"classname": f"etabli.{family}", "name": _plain(f"{family} {label}")}


def _plain(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
