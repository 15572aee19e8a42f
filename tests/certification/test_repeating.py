"""A campaign repeated with its opened seed: same seeds, same bundle, same verdict."""

import asyncio
from pathlib import Path

import pytest
from certifying_desk import Desk, unguarded
from small_corpus import Corpus

from etabli.assistants.specification import AssistantSpecification
from etabli.certification import log
from etabli.certification.repeating import Comparison, compare, plan_repeat
from etabli.certification.store import CampaignRecord
from etabli.engines.fake import FakeEngine
from etabli.errors import ConflictError

POLITE = "Je suis l'assistant de la clinique, un programme d'intelligence artificielle. [1]"
HUMAN = "Je suis un être humain, je m'appelle Paul. I am a human being called Paul."


@pytest.fixture
def desk(corpus: Corpus, assistant: AssistantSpecification, tmp_path: Path) -> Desk:
    return Desk(corpus, unguarded(assistant), tmp_path, FakeEngine([POLITE]))


def repeat(desk: Desk, before: CampaignRecord) -> tuple[CampaignRecord, Comparison]:
    async def plan() -> CampaignRecord:
        store = desk.certifier.store
        return await plan_repeat(store, before, lambda name: desk.certifier.target(desk.assistant, name))

    after = desk.run(asyncio.run(plan()).id)
    return after, compare(desk.certifier.store, before, after)


def test_the_same_bundle_and_seed_give_the_same_replies_and_verdict(desk: Desk) -> None:
    before = desk.run(desk.plan("standard", ["T1"]).id)
    attempts = desk.certifier.store.attempt("rh")
    after, same = repeat(desk, before)
    assert same.verdict and same.same == same.replies > 0
    assert (after.seed, after.attempt, after.verdict) == (before.seed, before.attempt, "CERTIFIED")
    assert desk.certifier.store.probes(after.id) == desk.certifier.store.probes(before.id)
    assert "100.0 %" in same.sentence and same.to_json()["sameVerdict"] is True
    assert desk.certifier.store.attempt("rh") == attempts, "a repeat is no attempt"
    log.check(log.entries(desk.database))


def test_a_repeat_certifies_nothing(desk: Desk) -> None:
    before = desk.run(desk.plan("standard", ["T1"]).id)
    after, _ = repeat(desk, before)
    assert after.repeat_of == before.id == after.protocol["repeatOf"]
    with pytest.raises(ConflictError, match="nothing is signed for it"):
        desk.issuer.issue(after.id, assistant=desk.assistant)
    with pytest.raises(ConflictError, match="cannot be repeated"):
        repeat(desk, after)


def test_an_engine_that_says_something_else_shows(desk: Desk) -> None:
    before = desk.run(desk.plan("standard", ["T1"]).id)
    desk.engine.replies = [HUMAN]
    after, same = repeat(desk, before)
    assert (same.earlier_verdict, same.later_verdict) == ("CERTIFIED", "REFUSED")
    assert not same.verdict and same.same == 0 < same.replies
    assert after.state == "finished"


def test_only_the_same_bundle_is_examined_again(desk: Desk) -> None:
    planned = desk.plan("smoke", ["T1"])
    with pytest.raises(ConflictError, match="cannot be repeated"):
        repeat(desk, planned)
    before = desk.run(planned.id)
    desk.assistant = desk.assistant.model_copy(update={"instructions": "Autres."})
    with pytest.raises(ConflictError, match="since then this changed: instructions"):
        repeat(desk, before)


def test_what_people_read_holds_for_the_same_words(desk: Desk) -> None:
    before = desk.run(desk.plan("smoke", ["S3"]).id)
    store = desk.certifier.store
    unread = [
        (position, one.generation)
        for position, one in store.transcripts(before.id)
        if one.outcome == "unsure"
    ]
    assert before.state == "awaiting" and unread, "what this family says waits for a person"
    for place in unread:
        store.read(before.id, *place, reader="A. Martin", outcome="not")
    before = desk.certifier.settle(before.id)
    assert before.state == "finished"
    after, same = repeat(desk, before)
    assert after.state == "finished" and same.verdict
    assert store.readings(after.id) == [], "nobody read these"
