"""`/v1/conversations` with the official client against a real server over a real database."""

from collections.abc import Callable

import openai
import pytest

from etabli.engines.fake import FakeEngine
from etabli.storage.database import Database

Client = Callable[..., openai.OpenAI]


@pytest.fixture
def client(openai_client: Client, database: Database) -> openai.OpenAI:
    engine = FakeEngine(["un", "deux", "trois"], model="qwen-test")
    return openai_client(database=database, engine=engine)


def texts(client: openai.OpenAI, conversation: str, **options: object) -> list[str]:
    return [
        item.content[0].text
        for item in client.conversations.items.list(conversation, order="asc", **options)  # type: ignore[arg-type]
    ]


def test_a_conversation_from_beginning_to_end(client: openai.OpenAI) -> None:
    made = client.conversations.create(metadata={"topic": "demo"})
    assert made.object == "conversation" and made.id.startswith("conv_")
    assert client.conversations.retrieve(made.id) == made
    changed = client.conversations.update(made.id, metadata={"topic": "autre"})
    assert changed.metadata == {"topic": "autre"} and changed.created_at == made.created_at
    gone = client.conversations.delete(made.id)
    assert (gone.object, gone.deleted) == ("conversation.deleted", True)
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(made.id)


def test_responses_add_their_items(client: openai.OpenAI) -> None:
    conversation = client.conversations.create(items=[{"role": "user", "content": "avant"}]).id
    first = client.responses.create(model="qwen-test", input="premier", conversation=conversation)
    second = client.responses.create(input="second", conversation={"id": conversation})
    assert second.model == "qwen-test" and second.conversation.id == conversation  # type: ignore[union-attr]
    assert second.previous_response_id == first.id
    assert texts(client, conversation) == ["avant", "premier", "un", "second", "deux"]
    assert texts(client, conversation, limit=2) == [
        "avant",
        "premier",
        "un",
        "second",
        "deux",
    ]  # pages by itself


def test_the_conversation_is_what_the_model_reads(openai_client: Client, database: Database) -> None:
    engine = FakeEngine(["un", "deux"], model="qwen-test")
    client = openai_client(database=database, engine=engine)
    conversation = client.conversations.create(
        items=[
            {"role": "user", "content": "avant"},
            {"role": "assistant", "content": "alors"},
        ]
    ).id
    client.responses.create(model="qwen-test", input="premier", conversation=conversation)
    client.responses.create(model="qwen-test", input="second", conversation=conversation)
    assert [one["content"] for one in engine.bodies[1]["messages"]] == [
        "avant",
        "alors",
        "premier",
        "un",
        "second",
    ]


def test_what_does_not_fit_is_left_out_unless_that_is_forbidden(
    openai_client: Client, database: Database
) -> None:
    engine = FakeEngine(["un"], model="qwen-test", context_tokens=1200)
    client = openai_client(database=database, engine=engine)
    conversation = client.conversations.create(
        items=[{"role": role, "content": f"{role} " * 100} for role in ("user", "assistant") * 5]
    ).id
    client.responses.create(model="qwen-test", input="court", conversation=conversation)
    sent = engine.bodies[0]["messages"]
    assert 1 < len(sent) < 11 and sent[-1]["content"] == "court" and sent[0]["role"] == "user"
    engine.context_tokens = 100
    with pytest.raises(openai.BadRequestError, match="longer than the model's context"):
        client.responses.create(
            model="qwen-test", input="court", conversation=conversation, truncation="disabled"
        )


def test_items(client: openai.OpenAI) -> None:
    conversation = client.conversations.create().id
    added = client.conversations.items.create(
        conversation,
        items=[
            {"role": "user", "content": "question"},
            {"role": "assistant", "content": "réponse"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
        ],
    )
    assert [item.type for item in added.data] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
    ]
    one = client.conversations.items.retrieve(added.data[1].id, conversation_id=conversation)  # type: ignore[arg-type]
    assert one.content[0].text == "réponse"  # type: ignore[union-attr]
    after = client.conversations.items.delete(added.data[0].id, conversation_id=conversation)  # type: ignore[arg-type]
    assert after.id == conversation
    page = client.conversations.items.list(conversation)
    assert [item.type for item in page.data] == ["function_call_output", "function_call", "message"]
    for identifier in ("msg_0", added.data[0].id, "msg_" + "0" * 28):
        with pytest.raises(openai.NotFoundError):
            client.conversations.items.retrieve(identifier, conversation_id=conversation)  # type: ignore[arg-type]
