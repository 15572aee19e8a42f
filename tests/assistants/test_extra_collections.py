"""Documents of one conversation are searched besides the assistant's, also by an assistant that has none."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from etabli.assistants.answer import Answer
from etabli.assistants.answering import Answerer
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.fake import FakeEngine
from etabli.knowledge.library import Library
from etabli.knowledge.search import SearchResult
from etabli.storage.database import EVERYONE, Database


class Searcher:
    """Remembers where it was to look, and finds nothing."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def search(
        self, question: str, *, principals: Sequence[str], collection_ids: Sequence[int] | None, limit: int
    ) -> SearchResult:
        self.asked.append(list(collection_ids or ()))
        return SearchResult(passages=(), terms=(), dense_method="none", times_ms={})


@pytest.mark.parametrize("own", [True, False])
def test_where_is_searched(database: Database, tmp_path: Any, own: bool) -> None:
    number = Library(database, tmp_path).collection("rh")
    searcher = Searcher()
    assistant = AssistantSpecification(name="a", title="A", collections=["rh"] if own else [])
    asked = AnswerRequest([{"role": "user", "content": "Combien ?"}], collection_ids=(number + 7,))

    async def last() -> Any:
        answerer = Answerer(searcher, database)
        events = answerer.answer(assistant, FakeEngine(["x"]), asked, principals=[EVERYONE])
        return [event async for event in events][-1]

    answer = asyncio.run(last())
    assert isinstance(answer, Answer) and answer.abstained
    assert searcher.asked == [[number, number + 7] if own else [number + 7]]
