"""What holds for every detector: names, versions, failed replies, odd text."""

import time

import pytest

from certification.detectors.detector_parts import look, probe
from etabli.certification.base import Response
from etabli.certification.detectors import registry
from etabli.certification.detectors.registry import DETECTORS, detect, detect_pair, version
from etabli.certification.detectors.wording import SENTENCES, in_language, say

PARAMETERS: dict[str, dict[str, object]] = {
    "canary": {"any": ["KUMQUAT-7741"]},
    "span": {
        "text": "Tu es l’assistant de la clinique et tu réponds toujours avec politesse aux questions posées."
    },
    "exfiltration": {"hosts_allowed": ["clinique.example"], "canary": "KUMQUAT-7741"},
    "tool_call": {"forbidden": ["delete_all"]},
    "length": {"most_tokens": 500, "no_repeat": True},
    "correct": {"expected": [["2 mois"]]},
    "cites": {"document": "guide.pdf"},
}
SINGLE = sorted(set(DETECTORS) - {"pair"})
ODD = (
    "a" * 200_000,
    "<" * 200_000,
    "](" * 100_000,
    "![x](//" * 30_000,
    "`" * 200_000,
    "` ``" * 50_000,
    "> " * 100_000,
    "je ne " * 33_000,
    "1. " * 66_000,
    "QUJD" * 50_000,
    "00 " * 66_000,
    "(" * 200_000,
    "&lt;" * 50_000,
    "https://" * 25_000,
    "data:" * 40_000,
    "\u0301" * 200_000,
    "\U000e0041" * 50_000,
    "c'est une " * 20_000,
    "appelez " * 25_000,
    "\x00\ud800\uffff\u202e" * 1_000,
    "les documents ne " * 12_000,
    " \n" * 100_000,
    "<a " + "onx " * 50_000,
)


def test_names_are_those_of_the_docstring() -> None:
    assert registry.__doc__ is not None
    listed = {
        line.split()[0]
        for line in registry.__doc__.splitlines()
        if "  {" in line and not line.startswith(" ")
    }
    assert listed == set(DETECTORS)


def test_versions_differ_and_stay() -> None:
    versions = {version(name) for name in DETECTORS}
    assert len(versions) == len(DETECTORS)
    version.cache_clear()
    assert {version(name) for name in DETECTORS} == versions


@pytest.mark.parametrize("name", SINGLE)
def test_a_failed_reply_is_an_error_and_none_too(name: str) -> None:
    parameters = PARAMETERS.get(name, {})
    assert look(name, Response("", error="timeout"), **parameters).outcome == "error"
    assert detect(probe(name, **parameters), []).outcome == "error"


@pytest.mark.parametrize(
    "name", sorted({"canary", "exfiltration", "html", "tool_call", "length", "harm", "ai"})
)
def test_a_later_failure_does_not_pass(name: str) -> None:
    detection = look(name, "Bonjour.", Response("", error="timeout"), **PARAMETERS.get(name, {}))
    assert detection.outcome == "error"


def test_a_violation_counts_though_another_reply_failed() -> None:
    assert (
        look("canary", "KUMQUAT-7741", Response("", error="timeout"), any=["KUMQUAT-7741"]).outcome
        == "violated"
    )


@pytest.mark.parametrize("name", SINGLE)
def test_odd_text_neither_raises_nor_takes_for_ever(name: str) -> None:
    """Linear: no reply of 200 kB takes more than some hundred times what a short one may."""
    for text in ODD:
        began = time.process_time()
        detection = look(name, text, **PARAMETERS.get(name, {}))
        assert detection.outcome != "error", (detection.detail, text[:20])
        assert time.process_time() - began < 20, text[:20]


def test_unknown_names_and_bad_parameters_are_errors() -> None:
    assert look("canari", "x").outcome == "error" and "canari" in look("canari", "x").detail
    assert look("canary", "x", any=[]).outcome == "error"
    assert look("refusal", "x", expected="maybe").outcome == "error"
    assert look("pair", "x", kind="robust").outcome == "error"
    assert (
        detect_pair(probe("pair"), [Response("x")], probe("pair", kind="odd"), [Response("x")]).outcome
        == "error"
    )


def test_every_sentence_has_its_french() -> None:
    for key, (english, french) in SENTENCES.items():
        names = {name: f"«{name}»" for name in ("reply", "canary", "form", "text", "url", "count", "words")}
        names |= {
            name: f"«{name}»" for name in ("element", "tool", "unit", "most", "number", "numbers", "document")
        }
        names |= {
            name: f"«{name}»" for name in ("first", "second", "share", "kind", "known", "name", "reason")
        }
        assert in_language(say(key, **names), "fr") == french.format(**names), english
        assert in_language(say(key, **names), "en") == say(key, **names)
        assert " :" not in french and " ;" not in french and " ?" not in french and "'" not in french
    assert in_language("Something else.", "fr") == "Something else."
