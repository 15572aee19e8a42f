"""The store of conversations: trees, the branch that is shown, lists, searching, removing, who sees what."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from etabli.conversations.conversations import KEPT, Conversations
from etabli.conversations.item_store import Items
from etabli.conversations.purging import purge
from etabli.conversations.turns import Turns
from etabli.conversations.values import Conversation, Turn
from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.knowledge.library import Library
from etabli.storage.database import Database

Tell = Callable[..., Turn]


@pytest.fixture
def owner(people: tuple[Any, Any]) -> Any:
    return people[0]


@pytest.fixture
def other(people: tuple[Any, Any]) -> Any:
    return people[1]


@pytest.fixture
def conversation(conversations: Conversations, owner: Any) -> Conversation:
    return conversations.create(owner)


def shown(conversations: Conversations, key: str, owner: Any, **page: Any) -> list[str]:
    found, _ = conversations.page(key, owner, **{"before": None, "limit": 100, **page})
    return [turn.input_text for turn, _ in found]


def test_turns_follow_the_head(
    conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    first = tell("un", conversation=conversation.id)
    second = tell("deux", conversation=conversation.id)
    assert (first.previous_id, second.previous_id) == (None, first.id)
    after = conversations.get(conversation.id, owner)
    assert (after.head, after.turn_count, after.title, after.model) == (second.id, 2, "un", "rh")
    assert shown(conversations, conversation.id, owner) == ["un", "deux"]


def test_branches(conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any) -> None:
    key = conversation.id
    first = tell("un", conversation=key)
    second = tell("deux", conversation=key)
    third = tell("trois", conversation=key)
    edited = tell("deux, mieux dit", replaces=second.id)  # its conversation is the other's
    assert (edited.conversation_id, edited.previous_id) == (key, first.id)
    assert shown(conversations, key, owner) == ["un", "deux, mieux dit"]
    again = tell(None, replaces=edited.id)  # regenerated: the same question
    assert again.input_text == "deux, mieux dit" and again.input[0]["id"] != edited.input[0]["id"]
    page, _ = conversations.page(key, owner, before=None, limit=10)
    assert page[0][1] == [first.id] and page[1][1] == [second.id, edited.id, again.id]
    conversations.change(key, owner, head=second.id)
    assert shown(conversations, key, owner) == ["un", "deux", "trois"]
    assert conversations.get(key, owner).head == third.id
    aside = tell("encore", conversation=key, previous=first.id)
    assert shown(conversations, key, owner) == ["un", "encore"] and aside.previous_id == first.id
    root = tell("autrement", replaces=first.id)
    assert root.previous_id is None
    page, _ = conversations.page(key, owner, before=None, limit=10)
    assert [beside for _, beside in page] == [[first.id, root.id]]


def test_pages_go_backwards(
    conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    made = [tell(f"q{number}", conversation=conversation.id) for number in range(7)]
    page, more = conversations.page(conversation.id, owner, before=None, limit=3)
    assert [turn.id for turn, _ in page] == [turn.id for turn in made[4:]] and more
    page, more = conversations.page(conversation.id, owner, before=made[4].id, limit=4)
    assert [turn.id for turn, _ in page] == [turn.id for turn in made[:4]] and not more
    assert conversations.page(conversation.id, owner, before=made[0].id, limit=4) == ([], False)


def test_titles(conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any) -> None:
    question = "Combien de jours de congés payés ai-je si je travaille à mi-temps depuis le mois de mars ?"
    tell(question, conversation=conversation.id)
    title = conversations.get(conversation.id, owner).title
    assert title == "Combien de jours de congés payés ai-je si je travaille à…"
    conversations.change(conversation.id, owner, title="  Congés \n à mi-temps ")
    tell("autre chose", conversation=conversation.id)
    assert conversations.get(conversation.id, owner).title == "Congés à mi-temps"
    for wrong in (" ", "x" * 201):
        with pytest.raises(InvalidInputError, match="1 to 200"):
            conversations.change(conversation.id, owner, title=wrong)


def test_a_title_follows_the_first_question_that_is_shown(
    conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    key = conversation.id

    def title() -> str | None:
        return conversations.get(key, owner).title

    first = tell("Quel préavis ?", conversation=key)
    tell("Et ensuite ?", conversation=key)
    assert title() == "Quel préavis ?"
    edited = tell("Quel préavis pour un cadre ?", replaces=first.id)
    assert title() == "Quel préavis pour un cadre ?" == edited.conversation_title
    found = [one.conversation.id for one in conversations.listing(owner, query="cadre")[0]]
    assert found == [key], "by its title, too"
    conversations.change(key, owner, head=first.id)
    assert title() == "Quel préavis ?"
    conversations.change(key, owner, title="Préavis")
    tell("Et pour un stagiaire ?", replaces=first.id)
    assert title() == "Préavis", "what somebody named stays named so"


def test_a_title_after_instructions_alone(
    conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    tell("", conversation=conversation.id)
    assert conversations.get(conversation.id, owner).title is None
    tell("La question", conversation=conversation.id)
    assert conversations.get(conversation.id, owner).title == "La question"


def test_a_deleted_question_gives_its_place_in_the_title(
    conversations: Conversations, turns: Turns, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    first = tell("première", conversation=conversation.id)
    tell("seconde", conversation=conversation.id)
    turns.delete(first.id, owner)
    assert conversations.get(conversation.id, owner).title == "seconde"


def test_only_the_branch_that_is_shown_is_searched(
    conversations: Conversations, turns: Turns, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    key = conversation.id

    def found(query: str) -> bool:
        return bool(conversations.listing(owner, query=query)[0])

    tell("Bonjour", conversation=key)
    old = tell("ancienne demande", "ananas", conversation=key)
    below = tell("suite de l’ancienne", "banane", conversation=key)
    new = tell("nouvelle demande", "cerise", replaces=old.id)
    assert (found("ananas"), found("banane"), found("cerise")) == (False, False, True)
    conversations.change(key, owner, head=old.id)
    assert (found("ananas"), found("banane"), found("cerise")) == (True, True, False)
    conversations.change(key, owner, head=new.id)
    turns.delete(new.id, owner)
    assert (found("ananas"), found("cerise"), found("bonjour")) == (False, False, True)
    turns.delete(below.id, owner)
    conversations.change(key, owner, head=old.id)
    assert found("ananas") and not found("banane")


def test_the_list(conversations: Conversations, tell: Tell, owner: Any) -> None:
    keys = [conversations.create(owner).id for _ in range(5)]
    for number, key in enumerate(keys[:4]):
        tell(f"question {number}", conversation=key)
    conversations.change(keys[1], owner, pinned=True)

    def listed(**options: Any) -> list[str]:
        return [one.conversation.id for one in conversations.listing(owner, **options)[0]]

    assert listed() == [keys[1], keys[3], keys[2], keys[0]]  # the fifth has nothing in it
    assert listed(pinned=True) == [keys[1]] and listed(pinned=False)[0] == keys[3]
    assert listed(limit=2) == [keys[1], keys[3]] and conversations.listing(owner, limit=2)[1]
    assert listed(limit=2, after=keys[3]) == [keys[2], keys[0]]
    assert not conversations.listing(owner, limit=2, after=keys[3])[1]
    tell("encore", conversation=keys[0])
    assert listed()[1] == keys[0]
    with pytest.raises(NotFoundError):
        listed(after="conv_0")


def test_searching(conversations: Conversations, tell: Tell, owner: Any, other: Any) -> None:
    first = conversations.create(owner).id
    tell("Quel est le préavis ?", "Le préavis est de TROIS mois, à l’œuvre.", conversation=first)
    tell("Et après ?", "Rien.", conversation=first)
    second = conversations.create(owner).id
    tell("Bonjour", "100 % d’accord", conversation=second)
    conversations.change(second, owner, title="Réunion du préavis")

    def found(query: str) -> dict[str, Any]:
        return {one.conversation.id: one.snippet for one in conversations.listing(owner, query=query)[0]}

    assert set(found("PREAVIS")) == {first, second} and found("preavis")[second] is None
    snippet = found("oeuvre trois")[first]
    assert [snippet["text"][a:b] for a, b in snippet["ranges"]] == ["TROIS", "œuvre"]
    assert set(found("100 %")) == {second} and found("100%") == {}
    assert found("préavis inconnu") == {} and found("_____") == {}
    assert set(found("réavi")) == {first, second}, "within words, too"
    assert set(found("a l")) == {first} and found("sioma") == {} and found("moi sioma") == {}
    assert conversations.listing(other, query="preavis")[0] == []


def test_another_account_sees_and_changes_nothing(
    database: Database,
    conversations: Conversations,
    turns: Turns,
    conversation: Conversation,
    tell: Tell,
    owner: Any,
    other: Any,
) -> None:
    key = conversation.id
    turn = tell("secret", conversation=key)
    items = Items(database, turns)
    assert conversations.listing(other)[0] == []
    attempts: list[Callable[[], Any]] = [
        lambda: conversations.get(key, other),
        lambda: conversations.page(key, other, before=None, limit=1),
        lambda: conversations.change(key, other, title="à moi"),
        lambda: conversations.remove(key, other),
        lambda: conversations.restore(key, other),
        lambda: turns.get(turn.id, other),
        lambda: turns.trace(turn.id, other),
        lambda: turns.delete(turn.id, other),
        lambda: turns.judge(turn.id, other, {"rating": "up"}),
        lambda: items.page(key, other, limit=1, after=None, newest_first=True),
        lambda: items.find(turn.input[0]["id"], other),
        lambda: items.add(key, other, [{"role": "user"}]),
        lambda: tell("q", conversation=key, who=other),
        lambda: tell("q", previous=turn.id, who=other),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()
    # The database itself hides every row, whatever is asked.
    with database.reader(other.principals) as connection:
        for table in ("conversation", "turn", "turn_text"):
            row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            assert row == (0,), table
    assert conversations.get(key, owner).title == "secret"


def test_removed_and_brought_back(
    database: Database,
    conversations: Conversations,
    turns: Turns,
    conversation: Conversation,
    tell: Tell,
    owner: Any,
    tmp_path: Path,
) -> None:
    turn = tell("un", conversation=conversation.id)
    conversations.remove(conversation.id, owner)
    for attempt in (
        lambda: conversations.get(conversation.id, owner),
        lambda: turns.get(turn.id, owner),
        lambda: tell("deux", previous=turn.id),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert conversations.listing(owner)[0] == []
    assert purge(database, tmp_path) == 0
    conversations.restore(conversation.id, owner)
    assert shown(conversations, conversation.id, owner) == ["un"]
    conversations.remove(conversation.id, owner)
    with database.owner() as connection:
        connection.execute("UPDATE conversation SET removed_at = now() - %s::interval", (KEPT,))
    with pytest.raises(NotFoundError):
        conversations.restore(conversation.id, owner)


def test_purging_takes_the_documents_along(
    database: Database,
    conversations: Conversations,
    conversation: Conversation,
    tell: Tell,
    owner: Any,
    tmp_path: Path,
) -> None:
    tell("un", conversation=conversation.id)
    library = Library(database, tmp_path)
    number = library.conversation_collection(conversation.id, owner.account_id)
    assert conversations.get(conversation.id, owner).collection_id == number
    original = tmp_path / "ab" / "ab12"
    original.parent.mkdir()
    original.write_text("x")
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " SELECT id, acl_set, 'a.txt', 'ab12', 1, 'ready' FROM collection"
        )
        connection.execute(
            "INSERT INTO version (document_id, acl_set, sha256, media_type, language, text, blocks, notes)"
            " SELECT id, acl_set, sha256, 'text/plain', 'fr', 'x', '[]', '[]' FROM document"
        )
        connection.execute("UPDATE document SET version_id = (SELECT max(id) FROM version)")
    conversations.remove(conversation.id, owner)
    with database.owner() as connection:
        connection.execute("UPDATE conversation SET removed_at = now() - %s", (KEPT + timedelta(hours=1),))
    assert purge(database, tmp_path) == 1
    with database.owner() as connection:
        for table in ("conversation", "turn", "turn_text", "collection", "document", "version"):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,), table
    assert not original.exists()


def test_a_deleted_turn_leaves_no_gap(
    conversations: Conversations, turns: Turns, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    made = [tell(text, conversation=conversation.id) for text in ("un", "deux", "trois")]
    turns.delete(made[1].id, owner)
    assert shown(conversations, conversation.id, owner) == ["un", "trois"]
    assert conversations.get(conversation.id, owner).turn_count == 2
    turns.delete(made[2].id, owner)
    assert conversations.get(conversation.id, owner).head == made[0].id
    turns.delete(made[0].id, owner)
    assert shown(conversations, conversation.id, owner) == []
    assert conversations.get(conversation.id, owner).head is None


def test_a_turn_cannot_follow_one_of_another_conversation(
    conversations: Conversations, conversation: Conversation, tell: Tell, owner: Any
) -> None:
    stranger = tell("ailleurs", conversation=conversations.create(owner).id)
    for options in ({"previous": stranger.id}, {"replaces": stranger.id}):
        with pytest.raises(InvalidInputError, match="not of the conversation"):
            tell("ici", conversation=conversation.id, **options)


def test_a_turn_waits_for_the_one_before(conversation: Conversation, tell: Tell, turns: Turns) -> None:
    tell("un", conversation=conversation.id, finished=False)
    with pytest.raises(ConflictError):
        tell("deux", conversation=conversation.id)
    assert turns.recover() == 1
    assert tell("deux", conversation=conversation.id).previous_id is not None


def test_late_saves_change_nothing(conversation: Conversation, tell: Tell, turns: Turns, owner: Any) -> None:
    turn = tell("un", "fini", conversation=conversation.id)
    turns.save(turn, [{"type": "message", "content": []}])
    assert turns.get(turn.id, owner).output_text == "fini"


def test_items_of_the_branch(
    database: Database, conversations: Conversations, turns: Turns, owner: Any, tell: Tell
) -> None:
    items = Items(database, turns)
    key = conversations.create(owner).id
    messages = [
        {"type": "message", "role": role, "status": "completed", "content": [{"type": kind, "text": text}]}
        for role, kind, text in (
            ("system", "input_text", "règle"),
            ("user", "input_text", "un"),
            ("assistant", "output_text", "réponse un"),
            ("user", "input_text", "deux"),
        )
    ]
    added = items.add(key, owner, messages)
    assert shown(conversations, key, owner) == ["un", "deux"]
    tell("trois", "réponse trois", conversation=key)

    def texts(**options: Any) -> list[str]:
        page = {"limit": 100, "after": None, "newest_first": False, **options}
        return [item["content"][0]["text"] for item in items.page(key, owner, **page)[0]]

    everything = ["règle", "un", "réponse un", "deux", "trois", "réponse trois"]
    assert texts() == everything and texts(newest_first=True) == everything[::-1]
    assert texts(limit=2, after=added[1]["id"]) == ["réponse un", "deux"]
    assert texts(newest_first=True, after=added[2]["id"]) == ["un", "règle"]
    items.remove(key, added[2]["id"], owner)
    items.remove(key, added[3]["id"], owner)  # the whole turn is gone
    assert texts() == ["règle", "un", "trois", "réponse trois"]
    assert conversations.get(key, owner).turn_count == 2
    with pytest.raises(NotFoundError):
        items.get(key, added[3]["id"], owner)


def test_json_that_a_database_cannot_hold_is_no_surprise(conversation: Conversation, tell: Tell) -> None:
    """PostgreSQL's jsonb has no NUL; a text with one must not lose the turn."""
    turn = tell("a\x00b", "c\x00d", conversation=conversation.id)
    assert "a" in turn.input_text and json.dumps(turn.output)
