"""Judged answers for training: what is read of conversations, and what never is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from etabli.conversations.conversations import Conversations
from etabli.conversations.judged import judged_answers
from etabli.conversations.turns import Turns
from etabli.conversations.values import Turn
from etabli.storage.database import Database

from .conftest import OTHER, OWNER, said

Tell = Callable[..., Turn]
UP, DOWN = {"rating": "up"}, {"rating": "down", "reason": "wrong", "comment": "non"}


def test_answers_with_a_thumb_are_read_with_the_questions_before_them(
    database: Database, conversations: Conversations, turns: Turns, tell: Tell
) -> None:
    one = conversations.create(OWNER).id
    first = tell("Où est la lingerie ?", "Au sous-sol.", conversation=one)
    second = tell("Et après ?", "À droite.", conversation=one)
    other = tell(None, "À gauche.", conversation=one, replaces=second.id)
    tell("Merci", "De rien.", conversation=one)
    turns.judge(second.id, OWNER, UP)
    turns.judge(other.id, OWNER, DOWN)
    found = list(judged_answers(database))
    assert [(each.answer, each.liked) for each in found] == [("À droite.", True), ("À gauche.", False)]
    assert found[0].place == found[1].place and not found[0].with_documents
    assert [message["content"] for message in found[1].prompt] == [
        "Où est la lingerie ?",
        "Au sous-sol.",
        "Et après ?",
    ]
    turns.judge(first.id, OWNER, {"rating": "up"})
    assert list(judged_answers(database))[0].place != found[0].place
    turns.judge(second.id, OWNER, None)
    assert [each.answer for each in judged_answers(database)] == ["Au sous-sol.", "À gauche."]


def test_what_is_deleted_or_in_no_conversation_is_never_read(
    database: Database, conversations: Conversations, turns: Turns, tell: Tell
) -> None:
    kept, removed = conversations.create(OWNER).id, conversations.create(OTHER).id
    gone = tell("Où ?", "Ici.", conversation=kept)
    hidden = tell("Où ?", "Là.", conversation=removed, who=OTHER)
    alone = tell("Où ?", "Nulle part.")
    for turn, who in ((gone, OWNER), (hidden, OTHER), (alone, OWNER)):
        turns.judge(turn.id, who, UP)
    assert [each.answer for each in judged_answers(database)] == ["Ici.", "Là."]
    turns.delete(gone.id, OWNER)
    conversations.remove(removed, OTHER)
    assert list(judged_answers(database)) == []


def test_only_those_of_an_assistant(
    database: Database, conversations: Conversations, turns: Turns, tell: Tell
) -> None:
    one = conversations.create(OWNER).id
    for model in ("rh", "soins"):
        turns.judge(tell("Où ?", f"Chez {model}.", conversation=one, model=model).id, OWNER, UP)
    assert [each.answer for each in judged_answers(database, "soins")] == ["Chez soins."]
    assert len(list(judged_answers(database))) == 2


def test_the_prompt_is_what_the_model_read(
    database: Database, conversations: Conversations, turns: Turns, tell: Tell
) -> None:
    one = conversations.create(OWNER).id
    turn = tell("Combien ?", conversation=one, finished=False)
    read = [
        {"role": "system", "content": "Réponds des documents."},
        {"role": "user", "content": [{"type": "text", "text": "[1] Le badge coûte 10 €.\n\nCombien ?"}]},
    ]
    trace = {"messages": read, "passages": [{"document": "a.md", "sent": True}]}
    done = replace(
        turn, status="completed", output=[said("10 € [1].", "assistant")], completed_at=datetime.now(UTC),
        written_by="product",
    )  # fmt: skip
    turns.finish(done, trace)
    turns.judge(turn.id, OWNER, UP)
    (found,) = judged_answers(database)
    assert found.with_documents and not found.by_model and found.answer == "10 € [1]."
    assert list(found.prompt) == [
        read[0],
        {"role": "user", "content": "[1] Le badge coûte 10 €.\n\nCombien ?"},
    ]
