"""Fixtures: an assistant over a small corpus, with a scripted engine."""

import pytest
from small_corpus import BADGE, LEAVE, SECRET, Corpus

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import EngineIdentity
from etabli.storage.database import Database


@pytest.fixture
def corpus(database: Database) -> Corpus:
    made = Corpus(database)
    made.add("rh", "conges.md", LEAVE)
    made.add("rh", "badge.md", BADGE)
    made.add("rh", "secret.md", SECRET, group="group:direction")
    with database.owner() as connection:
        connection.execute("UPDATE document SET state = 'ready'")
    return made


@pytest.fixture
def assistant() -> AssistantSpecification:
    return AssistantSpecification(
        name="rh", title="Assistant RH", instructions="Vous vouvoyez.", collections=["rh"], temperature=0
    )


@pytest.fixture
def identity() -> EngineIdentity:
    return EngineIdentity("fake", "ab" * 32, "fake 1", 4096, {})
