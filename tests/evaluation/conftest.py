"""Fixtures: an assistant over a small corpus, its questions, and everything that evaluating it needs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_corpus import BADGE, GUIDE, LEAVE, SECRET, Corpus

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import EngineIdentity
from etabli.certification.certifying import Parts
from etabli.engines.fake import FakeEngine
from etabli.evaluation.evaluating import Evaluator
from etabli.evaluation.questions import QuestionSet, read_question_file
from etabli.evaluation.running import OnProgress
from etabli.evaluation.store import Report
from etabli.knowledge.search import Searcher
from etabli.storage.database import Database

QUESTIONS = """
{"id": "badge", "question": "Combien coûte le remplacement d’un badge perdu ?", "language": "fr", \
"source": "badge.md", "quote": "le remplacement coûte 10 €", "keywords": ["10 €"]}
{"id": "leave", "question": "Combien de jours ouvrés de congés chaque salarié acquiert-il par an ?", \
"language": "fr", "source": "conges.md", "quote": "25 jours ouvrés par an", "keywords": ["25 jours"]}
{"id": "pool", "question": "Combien coûte la piscine du personnel ?", "language": "fr", "answerable": false}
"""
ANSWERS = {
    "badge": "Le remplacement d’un badge perdu coûte 10 € [1].",
    "congés": "Chaque salarié acquiert 25 jours ouvrés par an [1].",
}


def knows(body: Any) -> str:
    """A model that answers what the documents hold."""
    question = str(body["messages"][-1]["content"])
    asked = question.rpartition("Question")[2].lower()
    return next((text for word, text in ANSWERS.items() if word in asked), "Je ne sais pas.")


class Bench:
    """Evaluating the assistant of the small corpus."""

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.corpus, self.folder = corpus, folder
        self.engine = FakeEngine([knows])
        self.assistant = AssistantSpecification(
            name="rh", title="Assistant RH", collections=["rh"], temperature=0
        )
        self.slots = 2
        self.searcher = Searcher(corpus.database, None)
        self.identity = EngineIdentity("fake", "ab" * 32, "fake 1", 4096, {})

    @property
    def evaluator(self) -> Evaluator:
        database = self.corpus.database
        parts = Parts(
            database=database,
            answerer=Answerer(self.searcher, database),
            engine=self.engine,
            identity=lambda: self.identity,
            embedder=None,
            slots=self.slots,
            questions_dir=self.folder / "questions",
        )
        return Evaluator(parts, searcher=self.searcher, folder=self.folder / "evaluations")

    def questions(self, text: str = QUESTIONS) -> QuestionSet:
        path = self.folder / "questions" / "rh.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read_question_file(path)

    def run(
        self, questions: QuestionSet | None = None, *, on_progress: OnProgress | None = None, **plan: Any
    ) -> Report:
        evaluator = self.evaluator
        planned = evaluator.plan(self.assistant, questions or self.questions(), **plan)
        return asyncio.run(evaluator.run(evaluator.begin(planned), self.assistant, on_progress=on_progress))


@pytest.fixture
def corpus(database: Database) -> Corpus:
    made = Corpus(database)
    made.add("rh", "conges.md", LEAVE)
    made.add("rh", "badge.md", BADGE)
    made.add("rh", "guide.md", GUIDE, language="en")
    made.add("rh", "secret.md", SECRET, group="group:direction")
    return made


@pytest.fixture
def bench(corpus: Corpus, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(corpus, tmp_path)
    yield made
    made.searcher.close()
