"""The whole way with a real model: search, prompt, stream, cite, verify, locate."""

import asyncio
from pathlib import Path

import pytest
from small_corpus import Corpus

from etabli.assistants.answer import Answer, Event, TextDelta
from etabli.assistants.answering import Answerer
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.local import start_engine
from etabli.knowledge.search import Searcher
from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from etabli.storage.database import EVERYONE

pytestmark = [pytest.mark.model, pytest.mark.slow]


def test_a_small_model_answers_with_a_verified_citation(
    corpus: Corpus, assistant: AssistantSpecification, tmp_path: Path
) -> None:
    settings = load_settings(tmp_path / "workspace", threads=1, context_tokens=2048)
    engine = start_engine(settings, ensure_model(settings, "qwen2.5-coder-0.5b"), "qwen2.5-coder-0.5b")
    answerer = Answerer(Searcher(corpus.database, None), corpus.database)
    question = "Combien coûte le remplacement d’un badge perdu ?"

    async def ask() -> list[Event]:
        request = AnswerRequest([{"role": "user", "content": question}], {"temperature": 0, "max_tokens": 60})
        events = [event async for event in answerer.answer(assistant, engine, request, principals=[EVERYONE])]
        await engine.aclose()
        return events

    try:
        engine.wait_ready(300)
        events = asyncio.run(ask())
    finally:
        engine.stop()
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.text == "".join(event.text for event in events if isinstance(event, TextDelta))
    assert answer.usage is not None and answer.usage["prompt_tokens"] > 100
    assert "10" in answer.text and not answer.abstained
    assert any(one.document_name == "badge.md" and one.status == "verified" for one in answer.citations)
    for one in answer.citations:
        assert one.quote == corpus.texts[one.document_name][one.char_start : one.char_end]
