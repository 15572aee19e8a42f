"""Fixtures: the small corpus in a database, an answerer over it, an assistant."""

from collections.abc import Callable
from typing import Any

import pytest
from small_corpus import BADGE, GUIDE, LEAVE, SECRET, Corpus

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.knowledge.search import Searcher
from etabli.storage.database import Database


@pytest.fixture
def corpus(database: Database) -> Corpus:
    made = Corpus(database)
    made.add("rh", "conges.md", LEAVE)
    made.add("rh", "badge.md", BADGE)
    made.add("rh", "guide.md", GUIDE, language="en")
    made.add("direction", "secret.md", SECRET, group="group:direction")
    return made


@pytest.fixture
def answerer(corpus: Corpus) -> Callable[..., Answerer]:
    def make(**options: Any) -> Answerer:
        return Answerer(Searcher(corpus.database, None), corpus.database, **options)

    return make


@pytest.fixture
def assistant() -> AssistantSpecification:
    return AssistantSpecification(
        name="rh", title="Assistant RH", instructions="Vous vouvoyez.", collections=["rh", "direction"]
    )
