"""A tiny corpus in a real database, and an answerer over it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etabli.assistants.answer import Answer, Event, TextDelta
from etabli.assistants.answering import Answerer
from etabli.assistants.evidence import Source
from etabli.assistants.run import AnswerRequest
from etabli.assistants.sentences import units_of
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.base import ChatEngine
from etabli.knowledge.blocks import Block, Box, ParsedDocument
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import write_version
from etabli.knowledge.search import Passage
from etabli.storage.database import EVERYONE, Database

LEAVE = """1. Acquérir ses congés

Chaque salarié acquiert 25 jours ouvrés par an. L’année va du 1er juin au 31 mai.

2. Demander ses congés

Toutes les demandes passent par le logiciel Tilia. Sans réponse dans le délai, la demande est réputée acceptée.

Période | Demande avant le | Réponse avant le
Été | 28 février | 31 mars
Hiver | 15 septembre | 15 octobre"""

BADGE = """3. Le badge

Une caution de 15 € est retenue sur la première paie. Un badge perdu se déclare au PC sécurité (poste 4118) ; le \
remplacement coûte 10 €."""

SECRET = """Plan secret

Le code du coffre est 4242 et la fusion avec Bellecour aura lieu le 3 mars 2027."""

GUIDE = """Housing

The clinic lets furnished flats to newcomers for €310 a month, electricity included."""


@dataclass
class Corpus:
    """Documents in a database, by name."""

    database: Database
    versions: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def add(
        self, collection: str, name: str, text: str, *, group: str = EVERYONE, language: str = "fr"
    ) -> None:
        """Write one document with a block a paragraph, on page 1, a box a block."""
        blocks, start = [], 0
        for part in text.split("\n\n"):
            end = start + len(part)
            box = Box(1, 50.0, 10.0 + start, 500.0, 20.0 + start, start, end)
            rows = tuple(tuple(line.split(" | ")) for line in part.split("\n")) if " | " in part else ()
            heading = len(part) < 40 and not part.endswith(".")
            kind = "heading" if heading else "table" if rows else "paragraph"
            blocks.append(Block(kind, start, end, int(heading), 1, (box,), rows))
            start = end + 2
        title = name.rsplit(".", 1)[0].capitalize()
        parsed = ParsedDocument(
            text, tuple(blocks), "text/plain", title=title, language=language, page_count=1
        )
        with self.database.owner() as connection:
            connection.execute("INSERT INTO principal (name) VALUES (%s) ON CONFLICT DO NOTHING", (group,))
            connection.execute(
                "INSERT INTO acl_set (principals) SELECT ARRAY[id] FROM principal WHERE name = %s"
                " ON CONFLICT DO NOTHING",
                (group,),
            )
            row = connection.execute(
                "SELECT s.id FROM acl_set s JOIN principal p ON s.principals = ARRAY[p.id] WHERE p.name = %s",
                (group,),
            ).fetchone()
            assert row is not None
            connection.execute(
                "INSERT INTO collection (name, acl_set) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (collection, row[0]),
            )
            document = connection.execute(
                "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
                " SELECT id, %s, %s, %s, %s, 'ready' FROM collection WHERE name = %s RETURNING id",
                (row[0], name, hashlib.sha256(text.encode()).hexdigest(), len(text), collection),
            ).fetchone()
            assert document is not None
            self.versions[name] = write_version(
                connection, document[0], sha256="0", parsed=parsed, chunks=chunk(parsed, title=title)
            )
        self.texts[name] = text


@dataclass
class Conversation:
    """What came of one question."""

    events: list[Event]

    @property
    def answer(self) -> Answer:
        last = self.events[-1]
        assert isinstance(last, Answer)
        return last

    @property
    def streamed(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))


def ask(
    answerer: Answerer,
    assistant: AssistantSpecification,
    engine: ChatEngine,
    *turns: str | Mapping[str, Any],
    principals: Sequence[str] = (EVERYONE,),
    **generation: Any,
) -> Conversation:
    """Ask; turns alternate between user and assistant, or are whole messages."""
    messages = [
        {"role": ("user", "assistant")[index % 2], "content": turn} if isinstance(turn, str) else turn
        for index, turn in enumerate(turns)
    ]

    async def run() -> list[Event]:
        stream: AsyncGenerator[Event, None] = answerer.answer(
            assistant, engine, AnswerRequest(messages, generation), principals=principals
        )
        return [event async for event in stream]

    return Conversation(asyncio.run(run()))


def passage(
    text: str, *, chunk_id: int = 1, version_id: int = 1, char_start: int = 0, **changes: Any
) -> Passage:
    """A passage as a search gives it."""
    values: dict[str, Any] = {
        "chunk_id": chunk_id,
        "document_id": version_id,
        "version_id": version_id,
        "document_name": f"document-{version_id}.md",
        "collection_id": 1,
        "title": f"Document {version_id}",
        "page": 1,
        "char_start": char_start,
        "char_end": char_start + len(text),
        "breadcrumb": f"Document {version_id}",
        "text": text,
        "score": 1.0,
        "fused": 1.0,
        "lexical": 5.0,
        "document_lexical": 5.0,
        "dense": 0.85,
    }
    return Passage(**{**values, **changes})


def source(text: str, *, number: int = 1, **changes: Any) -> Source:
    """A passage as evidence that is shown whole."""
    one = passage(text, **changes)
    units = tuple(units_of(text, offset=one.char_start))
    return Source(number, (one,), units, frozenset(range(len(units))))
