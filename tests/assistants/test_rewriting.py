import asyncio

import pytest

from etabli.assistants.conversation import Conversation, read_conversation
from etabli.assistants.rewriting import rewrite
from etabli.engines.fake import Failure, FakeEngine, Reply


def follow_up(question: str = "Et pour un enfant de 12 ans ?") -> Conversation:
    return read_conversation(
        [
            {"role": "user", "content": "Combien coûte la sortie au zoo pour un adulte ?"},
            {"role": "assistant", "content": "Elle coûte 8 € par adulte [1]."},
            {"role": "user", "content": question},
        ]
    )


def run(reply: Reply, conversation: Conversation | None = None) -> tuple[str, bool]:
    result = asyncio.run(rewrite(conversation or follow_up(), FakeEngine([reply]), language="fr"))
    return result.question, result.by_model


@pytest.mark.parametrize(
    "reply",
    [
        "Combien coûte la sortie au zoo pour un enfant de 12 ans ?",
        "Question : « Combien coûte la sortie au zoo pour un enfant de 12 ans ? »",
    ],
)
def test_a_good_rewriting_is_used(reply: str) -> None:
    assert run(reply) == ("Combien coûte la sortie au zoo pour un enfant de 12 ans ?", True)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Elle est gratuite.",
        "Combien coûte la sortie au zoo pour un adulte ?",
        "Combien coûte la sortie au zoo pour un enfant de 13 ans ?",
        "La procédure budgétaire annuelle du conseil régional des transports pour un enfant de 12 ans ?",
        "mot " * 200,
        Failure("unavailable"),
        Failure("context"),
    ],
)
def test_a_bad_one_is_replaced_by_the_questions_own_words(reply: Reply) -> None:
    question, by_model = run(reply)
    assert not by_model and question.startswith("Et pour un enfant de 12 ans ? (")
    assert "zoo" in question and "sortie" in question
