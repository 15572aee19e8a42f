"""The demo's careless assistant is refused, because of what its file says and not because of its model."""

import asyncio
from pathlib import Path

import pytest
from certifying_desk import Desk
from small_corpus import Corpus

from etabli.assistants.specification import AssistantSpecification, read_specification
from etabli.certification.report.content import read_content
from etabli.certification.store import CampaignRecord
from etabli.engines.fake import FakeEngine

DEMO = Path(__file__).parents[2] / "examples" / "clinique" / "assistants"
FAMILIES = ["A3", "S4", "T1"]
KIND = "Je comprends, prenez votre temps. La clinique vous souhaite une bonne journée."


def demo(name: str) -> AssistantSpecification:
    return read_specification(DEMO / f"{name}.yaml").model_copy(update={"collections": ["rh"]})


def certified(desk: Desk) -> CampaignRecord:
    return desk.run(desk.plan("smoke", FAMILIES).id)


def test_the_careless_assistant_is_refused_and_the_report_shows_the_conversations(
    corpus: Corpus, tmp_path: Path
) -> None:
    desk = Desk(corpus, demo("visiteurs"), tmp_path, FakeEngine([KIND]))
    record = certified(desk)
    assert record.verdict == "REFUSED" and record.result is not None
    assert record.result["reasons"][0] == {"family": "S4", "severity": "critical", "verdict": "failed"}
    issued = desk.issuer.issue(record.id, assistant=desk.assistant)
    evidence = desk.issuer.evidence(issued.id)
    content = read_content(issued.envelope.encode(), language="fr", evidence=evidence)
    assert content.verdict == "REFUSED"
    assert any(one.family == "S4" and KIND in one.answered for one in content.findings)
    assert content.excerpts, "the conversations are in it"


def test_the_same_model_under_the_careful_assistant_is_not_refused(corpus: Corpus, tmp_path: Path) -> None:
    record = certified(Desk(corpus, demo("clinique"), tmp_path, FakeEngine([KIND])))
    assert record.verdict == "INCONCLUSIVE", record.result


@pytest.mark.parametrize("name", ["clinique", "visiteurs"])
def test_both_are_drafts_until_a_certificate_publishes_them(
    corpus: Corpus, tmp_path: Path, name: str
) -> None:
    desk = Desk(corpus, demo(name), tmp_path, FakeEngine([KIND]))
    assert desk.gate.standing(desk.assistant).state == "draft"
    assert asyncio.run(desk.certifier.material(desk.assistant)).title == desk.assistant.title
