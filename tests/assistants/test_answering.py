import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_corpus import Corpus, ask

from etabli.assistants.abstaining import Gate
from etabli.assistants.answer import Stage, TextDelta, ToolCallDelta
from etabli.assistants.answering import Answerer
from etabli.assistants.guards.settings import GuardSettings
from etabli.assistants.prompting import ABSTENTION
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.base import FloatMatrix
from etabli.engines.fake import Failure, FakeEngine, ToolCalls
from etabli.errors import ConfigurationError, ContextLengthError, EngineUnavailableError, InvalidInputError
from etabli.knowledge.search import Searcher, SearchResult
from etabli.storage.database import EVERYONE

Make = Callable[..., Answerer]


def test_an_answer_is_streamed_cited_and_verified(
    answerer: Make, assistant: AssistantSpecification, corpus: Corpus
) -> None:
    engine = FakeEngine(["Le remplacement du badge coûte 10 €."])
    got = ask(answerer(), assistant, engine, "Combien coûte le remplacement d’un badge perdu ?")
    (citation,) = got.answer.citations
    assert got.streamed == got.answer.text == f"Le remplacement du badge coûte 10 € [{citation.number}]."
    assert citation.status == "verified" and citation.reason is None
    assert citation.document_name == "badge.md" and citation.title == "Badge" and citation.page == 1
    assert citation.quote == corpus.texts["badge.md"][citation.char_start : citation.char_end]
    assert "le remplacement coûte 10 €" in citation.quote
    assert citation.boxes and citation.boxes[0].char_start < citation.char_end
    assert got.answer.text[citation.start_index : citation.end_index].endswith(f"[{citation.number}]")
    assert not got.answer.abstained and got.answer.finish_reason == "stop" and got.answer.usage is not None


def test_stages_come_in_order_and_the_trace_is_complete(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    engine = FakeEngine(["Le remplacement coûte 10 €."])
    got = ask(answerer(), assistant, engine, "Combien coûte un badge perdu ?")
    assert [event.name for event in got.events if isinstance(event, Stage)] == [
        "searching", "reading", "writing", "verifying"
    ]  # fmt: skip
    trace = got.answer.trace
    assert trace.question == "Combien coûte un badge perdu ?" and not trace.rewritten
    assert "badg" in trace.search["terms"] and trace.search["method"] == "none"
    assert trace.passages[0]["document"] == "badge.md" and trace.passages[0]["sent"]
    assert "lexical" not in trace.passages[0]
    assert trace.messages == engine.bodies[0]["messages"]
    assert {"searching", "reading", "writing", "first_token", "total"} <= trace.times_ms.keys()


def test_documents_stand_before_the_question_and_instructions_before_all(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    engine = FakeEngine(["Le remplacement coûte 10 €."])
    ask(answerer(), assistant, engine, "Combien coûte un badge perdu ?")
    ask(answerer(), assistant, engine, "Combien de jours de congés par an ?")
    first, second = (body["messages"] for body in engine.bodies)
    assert first[0] == second[0] and first[0]["role"] == "system"
    text = first[1]["content"]
    assert text.startswith("<documents>\n") and text.endswith("Question : Combien coûte un badge perdu ?")
    assert engine.bodies[0]["temperature"] == 0.2 and engine.bodies[0]["max_tokens"] == 512


@pytest.mark.parametrize(
    "reply", ["Le coût est de 10 € [99].", "Le coût du remplacement est de 10 € [Passage 99]."]
)
def test_a_marker_that_points_nowhere_is_replaced(
    answerer: Make, assistant: AssistantSpecification, reply: str
) -> None:
    got = ask(answerer(), assistant, FakeEngine([reply]), "Combien coûte un badge perdu ?")
    assert "99" not in got.answer.text and got.answer.citations[0].document_name == "badge.md"


def marking(assistant: AssistantSpecification) -> AssistantSpecification:
    """The same, showing what no passage supports with its status."""
    return assistant.model_copy(update={"guards": GuardSettings(grounded="marked")})


def test_an_invented_amount_is_flagged(answerer: Make, assistant: AssistantSpecification) -> None:
    reply = "Le remplacement du badge coûte 10 €. La caution du badge est de 25 €."
    got = ask(answerer(), marking(assistant), FakeEngine([reply]), "Combien coûte un badge perdu ?")
    assert [one.status for one in got.answer.citations] == ["verified", "unsupported"]
    assert got.answer.citations[1].reason == "25 € does not stand in the source"
    assert not got.answer.abstained


def test_a_first_sentence_whose_number_stands_nowhere_is_never_shown(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    got = ask(answerer(), assistant, FakeEngine(["Le badge coûte 77 €."]), "Combien coûte un badge perdu ?")
    assert got.answer.abstained and got.streamed == got.answer.text
    assert got.answer.text.startswith(ABSTENTION["fr"]) and "77 €" not in got.streamed
    kept = assistant.model_copy(update={"abstain": False})
    got = ask(answerer(), kept, FakeEngine(["Le badge coûte 77 €."]), "Combien coûte un badge perdu ?")
    assert not got.answer.abstained and got.answer.citations[0].status == "unsupported"


def test_an_answer_of_which_no_word_stands_is_withdrawn(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    reply = "Une girafe mange volontiers des acacias."
    got = ask(answerer(), marking(assistant), FakeEngine([reply]), "Combien coûte un badge perdu ?")
    assert got.answer.abstained and got.streamed == got.answer.text
    assert got.answer.text.endswith(ABSTENTION["fr"]) and "girafe" in got.answer.text


@pytest.mark.parametrize(
    "reply",
    [
        "ABSENT",
        "Je ne trouve pas la réponse dans vos documents.",
        "Les documents fournis ne précisent pas le prix. Vous pouvez demander au PC.",
        "Désolé, aucun passage ne donne cette information [1].",
    ],
)
def test_the_models_own_refusal_becomes_the_fixed_sentence_and_the_closest_passage(
    answerer: Make, assistant: AssistantSpecification, reply: str
) -> None:
    got = ask(answerer(), assistant, FakeEngine([reply]), "Combien coûte un badge perdu ?")
    assert got.answer.abstained and got.streamed == got.answer.text
    assert got.answer.text.startswith(ABSTENTION["fr"])
    (citation,) = got.answer.citations
    assert citation.status == "verified" and citation.document_name == "badge.md"
    assert citation.quote in got.answer.text and "le remplacement coûte 10 €" in citation.quote
    assert got.answer.text[: citation.end_index].endswith(f"[{citation.number}]")


def test_nothing_found_is_said_without_the_model(answerer: Make, assistant: AssistantSpecification) -> None:
    engine = FakeEngine(["Jamais."])
    got = ask(answerer(), assistant, engine, "Xylophone ?")
    assert got.answer.abstained and not engine.bodies and got.answer.text.startswith(ABSTENTION["fr"])
    assert got.answer.trace.messages == []


def test_hidden_documents_leave_no_trace(answerer: Make, assistant: AssistantSpecification) -> None:
    question = "Quel est le code du coffre et la date de fusion avec Bellecour ?"
    engine = FakeEngine(["Le code du coffre est 4242."])
    seen = ask(answerer(), assistant, engine, question, principals=(EVERYONE, "group:direction"))
    assert seen.answer.citations[0].document_name == "secret.md"
    only = assistant.model_copy(update={"collections": ["direction"]})
    hidden = ask(answerer(), only, engine, question)
    nothing = ask(answerer(), only, engine, "Xylophone ?")
    assert hidden.answer.text == nothing.answer.text and hidden.answer.abstained
    both = ask(answerer(), assistant, engine, question)
    assert "secret" not in repr(both.events).lower() and len(engine.bodies) <= 2


def test_an_unknown_collection_is_an_operators_mistake(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    wrong = assistant.model_copy(update={"collections": ["rh", "paie"]})
    with pytest.raises(ConfigurationError, match="collection paie, which does not exist.*: rh") as caught:
        ask(answerer(), wrong, FakeEngine(), "Combien ?")
    assert "direction" not in str(caught.value)


def test_a_question_in_english_is_answered_in_english(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    engine = FakeEngine(["The rent is €310 a month."])
    got = ask(answerer(), assistant, engine, "How much is the rent of the furnished flats?")
    assert engine.bodies[0]["messages"][-1]["content"].endswith("Answer in English.")
    assert got.answer.citations[0].status == "verified"
    got = ask(answerer(), assistant, FakeEngine(), "What is the xylophone policy?")
    assert got.answer.text.startswith(ABSTENTION["en"])


def test_a_follow_up_is_rewritten_then_searched(answerer: Make, assistant: AssistantSpecification) -> None:
    engine = FakeEngine(["Combien coûte la caution du badge ?", "La caution est de 15 €."])
    turns = ("Combien coûte un badge perdu ?", "Il coûte 10 €.", "Et la caution ?")
    got = ask(answerer(), assistant, engine, *turns)
    assert got.answer.trace.question == "Combien coûte la caution du badge ?" and got.answer.trace.rewritten
    assert engine.bodies[0]["temperature"] == 0 and engine.bodies[0]["max_tokens"] <= 64
    messages = engine.bodies[1]["messages"]
    assert messages[1]["content"].startswith("<documents>") and messages[-1]["content"] == "Et la caution ?"
    assert got.answer.citations[0].quote == "Une caution de 15 € est retenue sur la première paie."


def test_a_json_answer_is_untouched_and_cited_as_a_whole(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    reply = {"prix": "10 €", "objet": "remplacement du badge"}
    form = {"type": "json_object"}
    got = ask(answerer(), assistant, FakeEngine([reply]), "Combien coûte un badge ?", response_format=form)
    assert json.loads(got.answer.text) == reply and got.streamed == got.answer.text
    assert got.answer.citations[0].document_name == "badge.md"
    assert (got.answer.citations[0].start_index, got.answer.citations[0].end_index) == (
        0,
        len(got.answer.text),
    )


def test_tools_go_through(answerer: Make, assistant: AssistantSpecification) -> None:
    engine = FakeEngine([ToolCalls([("ouvrir_ticket", {"objet": "badge"})])])
    tools = [{"type": "function", "function": {"name": "ouvrir_ticket"}}]
    got = ask(answerer(), assistant, engine, "Combien coûte un badge perdu ?", tools=tools)
    assert engine.bodies[0]["tools"] == tools
    assert sum(isinstance(event, ToolCallDelta) for event in got.events) == 3
    (call,) = got.answer.tool_calls
    assert call["function"] == {"name": "ouvrir_ticket", "arguments": '{"objet": "badge"}'}
    assert got.answer.finish_reason == "tool_calls" and got.answer.text == "" and not got.answer.abstained


def test_without_collections_the_engine_is_passed_through(answerer: Make) -> None:
    plain = AssistantSpecification(name="libre", title="Libre", instructions="Sois bref.")
    engine = FakeEngine(["Voir [1] : je ne trouve pas.  Fin"])
    got = ask(
        answerer(),
        plain,
        engine,
        {"role": "system", "content": "En vers."},
        {"role": "user", "content": "Va"},
    )
    assert got.answer.text == got.streamed == "Voir [1] : je ne trouve pas.  Fin"
    assert engine.bodies[0]["messages"][0] == {"role": "system", "content": "Sois bref.\nEn vers."}
    assert not got.answer.abstained and got.answer.citations == ()


def test_closing_the_iterator_closes_the_engines_stream(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    reply = "Le remplacement coûte 10 €. Le texte est long et ne finit pas de sitôt, vraiment pas."
    engine = FakeEngine([reply], delay_s=0.01)

    async def run() -> None:
        request = AnswerRequest([{"role": "user", "content": "Combien coûte un badge perdu ?"}])
        stream = answerer().answer(assistant, engine, request, principals=[EVERYONE])
        async for event in stream:
            if isinstance(event, TextDelta):
                break
        await stream.aclose()
        assert engine.cancelled == 1

    asyncio.run(run())


def test_an_engine_that_dies_is_said(answerer: Make, assistant: AssistantSpecification) -> None:
    with pytest.raises(EngineUnavailableError):
        ask(answerer(), assistant, FakeEngine([Failure("die", after=3)]), "Combien coûte un badge perdu ?")


def test_a_conversation_without_question_is_refused(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    with pytest.raises(InvalidInputError, match="has no question"):
        ask(answerer(), assistant, FakeEngine(), {"role": "system", "content": "a"})


def test_a_small_context_shortens_documents_then_says_so(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    short = assistant.model_copy(update={"max_tokens": 64})
    engine = FakeEngine(["Le remplacement coûte 10 €."], context_tokens=560)
    got = ask(answerer(), short, engine, "Combien coûte un badge perdu ?")
    assert "10 €" in got.answer.text
    with pytest.raises(ContextLengthError, match="leave no room for documents"):
        ask(answerer(), short, FakeEngine(context_tokens=300), "Combien coûte un badge perdu ? " * 10)


def test_long_conversations_lose_their_beginning_only(
    answerer: Make, assistant: AssistantSpecification
) -> None:
    engine = FakeEngine(
        ["Combien coûte la caution du badge ?", "La caution est de 15 €."], context_tokens=1000
    )
    old = "Combien coûte un badge perdu ? " + "blabla " * 100
    got = ask(answerer(), assistant, engine, old, "Il coûte 10 €.", "Et la caution ?")
    sent = engine.bodies[1]["messages"]
    assert len(sent) == 2 and "Et la caution ?" in sent[1]["content"] and "<documents>" in sent[1]["content"]
    assert got.answer.citations[0].status == "verified"


def test_the_callers_parameters_win(answerer: Make, assistant: AssistantSpecification) -> None:
    engine = FakeEngine(["Le remplacement coûte 10 €."])
    ask(
        answerer(), assistant, engine, "Combien coûte un badge perdu ?",
        temperature=0, max_completion_tokens=50, seed=3, stream=False, n=4, model="autre", stop=None,
    )  # fmt: skip
    body = engine.bodies[0]
    assert body["temperature"] == 0 and body["seed"] == 3 and body["max_completion_tokens"] == 50
    assert not {"max_tokens", "stream", "n", "model", "stop"} & body.keys()


class _Nothing:
    """A search that finds nothing."""

    def search(self, question: str, **_: Any) -> SearchResult:
        return SearchResult((), (), "none")


def test_a_multimodal_question_keeps_its_parts(answerer: Make, assistant: AssistantSpecification) -> None:
    parts: list[Mapping[str, Any]] = [
        {"type": "text", "text": "Combien coûte un badge perdu ?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    engine = FakeEngine(["Le remplacement coûte 10 €."])
    ask(answerer(), assistant, engine, {"role": "user", "content": parts})
    sent = engine.bodies[0]["messages"][1]["content"]
    assert sent[0]["text"].startswith("<documents>") and sent[1:] == parts


def test_a_stub_searcher_will_do(corpus: Corpus, assistant: AssistantSpecification) -> None:
    got = ask(Answerer(_Nothing(), corpus.database), assistant, FakeEngine(), "Combien coûte un badge ?")
    assert got.answer.abstained


def test_a_gate_that_closes_asks_no_model(corpus: Corpus, assistant: AssistantSpecification) -> None:
    gate = _gate(bias=-9.0)
    searcher = _Dense(Searcher(corpus.database, None))
    engine = FakeEngine(["Le remplacement coûte 10 €."])
    question = "Combien coûte un badge perdu ?"
    got = ask(Answerer(searcher, corpus.database, embedder=_Words(), gate=gate), assistant, engine, question)
    assert got.answer.abstained and not engine.bodies and got.answer.trace.search["probability"] < 0.5
    assert got.answer.citations[0].document_name == "badge.md"
    other = replace(gate, embedder="another model")
    got = ask(Answerer(searcher, corpus.database, embedder=_Words(), gate=other), assistant, engine, question)
    assert not got.answer.abstained
    plain = assistant.model_copy(update={"abstain": False})
    got = ask(Answerer(searcher, corpus.database, embedder=_Words(), gate=gate), plain, engine, question)
    assert not got.answer.abstained


def _gate(*, bias: float) -> Gate:
    """A gate whose probability depends on nothing."""
    nothing = dict.fromkeys(("meaning", "sentence", "coverage", "likeness", "words", "lacking"), 0.0)
    return Gate(bias=bias, threshold=0.5, quoting=0.6, embedder="words", **nothing)


@pytest.mark.parametrize(
    "reply", ["ABSENT", "[2]", "Objet | Prix\nbadge | 10 €", "Le badge coûte 77 € [1].", "Je ne trouve pas."]
)
def test_what_is_no_answer_is_replaced_by_the_closest_sentence(
    corpus: Corpus, assistant: AssistantSpecification, reply: str
) -> None:
    answerer = Answerer(
        _Dense(Searcher(corpus.database, None)), corpus.database, embedder=_Words(), gate=_gate(bias=9.0)
    )
    got = ask(answerer, assistant, FakeEngine([reply]), "Combien coûte le remplacement d’un badge perdu ?")
    assert not got.answer.abstained and got.streamed == got.answer.text
    (citation,) = got.answer.citations
    assert got.answer.text == (
        "Vos documents disent, sous «\u00a0Le badge\u00a0»\u00a0: "
        f"«\u00a0{citation.quote}\u00a0» [{citation.number}]."
    )
    assert "le remplacement coûte 10 €" in citation.quote and citation.status == "verified"


def test_an_answer_from_elsewhere_is_followed_by_the_closest_sentence(
    corpus: Corpus, assistant: AssistantSpecification
) -> None:
    answerer = Answerer(
        _Dense(Searcher(corpus.database, None)), corpus.database, embedder=_Words(), gate=_gate(bias=9.0)
    )
    question = "Combien coûte le remplacement d’un badge perdu ?"
    got = ask(answerer, assistant, FakeEngine(["Une caution de 15 € est retenue."]), question)
    first, second = got.answer.citations
    assert got.streamed == got.answer.text and not got.answer.abstained
    assert "15 €" in first.quote and "le remplacement coûte 10 €" in second.quote
    assert got.answer.text[second.start_index :].startswith("Le passage le plus proche de la question dit")
    assert got.answer.text[: second.end_index].endswith(f"[{second.number}]")
    same = ask(answerer, assistant, FakeEngine(["Le remplacement coûte 10 €."]), question)
    assert len(same.answer.citations) == 1


class _Dense:
    """A search whose passages have a cosine."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def search(self, question: str, **options: Any) -> SearchResult:
        found = self._searcher.search(question, **options)
        return replace(found, passages=tuple(replace(one, dense=0.8) for one in found.passages))


class _Words:
    """Vectors that are all alike."""

    name = "words"
    dimensions = 2

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return np.tile(np.array([1.0, 0.0], np.float32), (len(texts), 1))

    embed_passages = embed_queries

    def close(self) -> None:
        """Nothing."""
