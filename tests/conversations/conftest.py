from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from etabli.conversations.conversations import Conversations
from etabli.conversations.items import identified, new_key
from etabli.conversations.turns import Turns
from etabli.conversations.values import NewTurn, Turn
from etabli.storage.database import EVERYONE, Database


@dataclass(frozen=True)
class Person:
    """Who reads and writes."""

    account_id: int

    @property
    def principals(self) -> tuple[str, ...]:
        return (EVERYONE, f"user:{self.account_id}")


OWNER, OTHER = Person(1), Person(2)


def said(text: str, role: str = "user") -> dict[str, object]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "status": "completed", "content": [{"type": kind, "text": text}]}


@pytest.fixture
def people(database: Database) -> tuple[Person, Person]:
    """The owner and somebody else."""
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO account (id, name) VALUES (2, 'somebody else') ON CONFLICT DO NOTHING"
        )
    return OWNER, OTHER


@pytest.fixture
def conversations(database: Database, people: tuple[Person, Person]) -> Conversations:
    return Conversations(database)


@pytest.fixture
def turns(database: Database) -> Turns:
    return Turns(database)


Tell = Callable[..., Turn]


@pytest.fixture
def tell(turns: Turns) -> Tell:
    """Store a finished turn: a question and its answer."""

    def make(
        question: str | None,
        answer: str = "réponse",
        *,
        conversation: str | None = None,
        previous: str | None = None,
        replaces: str | None = None,
        who: Person = OWNER,
        model: str = "rh",
        finished: bool = True,
    ) -> Turn:
        key = new_key("resp")
        asked = None if question is None else identified([said(question)], key)
        new = NewTurn(
            id=key,
            model=model,
            assistant=model,
            engine="qwen",
            request={"store": True},
            input=asked,
            conversation_id=conversation,
            previous_id=previous,
            replaces=replaces,
        )
        turn = turns.begin(new, who)
        if not finished:
            return turn
        output = identified([said(answer, "assistant")], key, output=True)
        done = replace(turn, status="completed", output=output, completed_at=datetime.now(UTC))
        turns.finish(done, {"question": question})
        return turns.get(key, who)

    return make
