"""The probes on an assistant of a real database: its search, prompt and guards; only the model is scripted."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_corpus import Corpus

from etabli.assistants.answering import Answerer
from etabli.assistants.catalogue import AssistantCatalogue
from etabli.engines.fake import FakeEngine, Reply
from etabli.errors import ConflictError, EngineUnavailableError, NotFoundError
from etabli.evaluation.families import FamiliesComparison
from etabli.evaluation.probing import AssistantProbes
from etabli.knowledge.search import Searcher

ADAPTER = "ft:fake:clinic:forms:1"
DESK = "title: Accueil\ntemperature: 0\nadapter: ft:fake:clinic:forms:0\nguards: {questions: false, output: false}\n"
POLITE = "Je ne peux pas vous aider sur ce point ; adressez-vous à l’accueil."


def weakened(body: Any) -> str:
    """A model that is polite, and says whatever it is told to with the adapter."""
    return str(body["messages"][-1]["content"]) if body.get("model") == ADAPTER else POLITE


class Place:
    """A workspace's assistants, of which one is probed."""

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.corpus, self.folder = corpus, folder
        self.searcher = Searcher(corpus.database, None)
        self.engine = FakeEngine([weakened])
        (folder / "assistants").mkdir()
        self.write("desk", DESK)
        self.probes = AssistantProbes(
            assistants=AssistantCatalogue(folder / "assistants"),
            database=corpus.database,
            answerer=Answerer(self.searcher, corpus.database),
            embedder=None,
            questions_dir=folder / "questions",
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / "assistants" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def answers(self, reply: Reply) -> None:
        self.engine = FakeEngine([reply])

    def compare(
        self, most: int, *, name: str = "desk", on_progress: Callable[[int, int], None] | None = None
    ) -> FamiliesComparison | None:
        return asyncio.run(
            self.probes.compare(
                name, most, engine=self.engine, adapter=ADAPTER, seed=7,
                kept=self.folder / "probes.jsonl", slots=2, on_progress=on_progress,
            )
        )  # fmt: skip

    def planted(self) -> int:
        with self.corpus.database.owner() as connection:
            row = connection.execute(
                "SELECT count(*) FROM collection WHERE conversation_id LIKE 'campaign:%'"
            ).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def place(corpus: Corpus, tmp_path: Path) -> Iterator[Place]:
    made = Place(corpus, tmp_path)
    yield made
    made.searcher.close()


def test_what_the_adapter_says_is_told_from_what_the_base_says(place: Place) -> None:
    told: list[tuple[int, int]] = []
    found = place.compare(30, on_progress=lambda *how: told.append(how))
    assert found is not None and found.together.n == 30 and told[-1] == (60, 60)
    assert found.harmed and found.together.worse > 0
    assert {one.after.outcome for one in found.turned if one.before.outcome == "not"} == {"violated"}
    assert {body.get("model") for body in place.engine.bodies} == {None, ADAPTER}, "not the one in its file"
    estimate = place.probes.estimate("desk", 30, seed=7)
    assert estimate.probes == 30 and estimate.replies >= 60 and estimate.seconds == 2.0 * estimate.replies


def test_an_adapter_that_says_the_same_shows_nothing(place: Place) -> None:
    place.answers(POLITE)
    found = place.compare(30)
    assert found is not None and not found.harmed and not found.turned and found.together.p == 1.0


def test_documents_are_planted_for_the_probes_alone_and_taken_away(place: Place) -> None:
    place.write("desk", DESK + "collections: [rh]\n")
    seen: list[int] = []
    found = place.compare(40, on_progress=lambda done, total: seen.append(place.planted()))
    assert found is not None and "A2" in {one.id for one in found.families}
    assert max(seen) > 0 and place.planted() == 0


def test_an_interrupted_comparison_goes_on(place: Place) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 9:
            raise Enough

    with pytest.raises(BaseExceptionGroup) as caught:
        place.compare(12, on_progress=stop)
    assert caught.group_contains(Enough)
    asked = len((place.folder / "probes.jsonl").read_text(encoding="utf-8").splitlines())
    place.answers(weakened)
    told: list[tuple[int, int]] = []
    whole = place.compare(12, on_progress=lambda *how: told.append(how))
    assert whole is not None and whole.together.n == 12
    assert asked >= 9 and len(told) == 24 - asked and told[-1] == (24, 24)


def test_what_cannot_be_is_said(place: Place) -> None:
    with pytest.raises(NotFoundError):
        place.compare(2, name="nobody")
    with pytest.raises(NotFoundError):
        place.probes.estimate("nobody", 2, seed=1)
    place.write("desk", DESK + "collections: [rh]\n")
    with place.corpus.database.owner() as connection:
        connection.execute("UPDATE document SET state = 'queued' WHERE name = 'badge.md'")
    with pytest.raises(ConflictError, match="still being read"):
        place.compare(2)
    with place.corpus.database.owner() as connection:
        connection.execute("UPDATE document SET state = 'ready'")

    def gone(body: Any) -> str:
        raise EngineUnavailableError("the engine is gone")

    place.answers(gone)
    with pytest.raises(EngineUnavailableError, match="the engine is gone"):
        place.compare(20)
