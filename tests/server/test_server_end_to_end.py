"""From a question to the opened citation: the real search, answering and database, OpenAI's client, a real server."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from server_parts import BEARER, KEY, MakeServices, Shelf

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.fake import FakeEngine
from etabli.knowledge.blocks import Block, ParsedDocument
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import write_version
from etabli.knowledge.search import Searcher
from etabli.storage.database import EVERYONE, Database

LEAVE = "Les congés annuels\n\nChaque salarié acquiert 25 jours ouvrés de congés par an."
SECRET = "La fusion\n\nLa fusion avec Bellecour aura lieu le 3 mars 2027."
MESSAGES: Any = [{"role": "user", "content": "Combien de jours de congés par an ?"}]


def add_document(database: Database, name: str, text: str, *, group: str) -> None:
    """One searchable document in a collection of its own."""
    parts, start = [], 0
    for part in text.split("\n\n"):
        parts.append(Block("paragraph" if start else "heading", start, start + len(part), int(not start), 1))
        start += len(part) + 2
    parsed = ParsedDocument(text, tuple(parts), "text/plain", title=name.title(), page_count=1)
    with database.owner() as connection:
        connection.execute("INSERT INTO principal (name) VALUES (%s) ON CONFLICT DO NOTHING", (group,))
        connection.execute(
            "INSERT INTO acl_set (principals) SELECT ARRAY[id] FROM principal WHERE name = %s ON CONFLICT DO NOTHING",
            (group,),
        )
        row = connection.execute(
            "WITH acl AS (SELECT s.id FROM acl_set s JOIN principal p ON s.principals = ARRAY[p.id]"
            " WHERE p.name = %s),"
            " made AS (INSERT INTO collection (name, acl_set) SELECT %s, id FROM acl RETURNING id)"
            " INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " SELECT made.id, acl.id, %s, %s, %s, 'ready' FROM made, acl RETURNING id",
            (group, name, f"{name}.txt", hashlib.sha256(text.encode()).hexdigest(), len(text)),
        ).fetchone()
        assert row is not None
        write_version(connection, row[0], sha256="0", parsed=parsed, chunks=chunk(parsed, title=name.title()))


def reply(body: Mapping[str, Any]) -> str:
    """What a model that reads its passages would write."""
    return "Chaque salarié acquiert 25 jours ouvrés de congés par an [1]."


@pytest.fixture
def url(services: MakeServices, serve: Callable[..., str], database: Database, tmp_path: Path) -> str:
    add_document(database, "conges", LEAVE, group=EVERYONE)
    add_document(database, "fusion", SECRET, group="group:direction")
    searcher = Searcher(database, None)
    assistant = AssistantSpecification(
        name="rh", title="RH", collections=["conges", "fusion"], abstain=False, temperature=0.0
    )
    return serve(
        services(
            database=database,
            searcher=searcher,
            assistants=Shelf([assistant]),
            answerer=Answerer(searcher, database),
            engine=FakeEngine([reply], model="qwen-test"),
        )
    )


@pytest.mark.parametrize("stream", [False, True])
def test_a_cited_answer_whose_citation_opens_at_its_quote(url: str, stream: bool) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    extra = {"etabli": {"stages": True, "trace": True}}
    if stream:
        with client.chat.completions.stream(model="rh", messages=MESSAGES, extra_body=extra) as chunks:
            message: Any = chunks.get_final_completion().choices[0].message
    else:
        message = (
            client.chat.completions.create(model="rh", messages=MESSAGES, extra_body=extra).choices[0].message
        )
    assert "25 jours ouvrés" in message.content
    [cited] = [entry.model_dump() for entry in message.annotations]
    etabli = cited["etabli"]
    assert etabli["status"] == "verified" and "25 jours ouvrés" in etabli["quote"]
    assert message.content[
        cited["url_citation"]["start_index"] : cited["url_citation"]["end_index"]
    ].endswith("[1]")
    opened = httpx.get(url + "/v1/etabli" + cited["url_citation"]["url"].split("?")[0], headers=BEARER)
    body = opened.json()
    assert body["text"][etabli["char_start"] : etabli["char_end"]] == etabli["quote"] and body["current"]


def test_what_the_caller_may_not_see_is_nowhere(url: str) -> None:
    ask = {
        "model": "rh",
        "messages": [{"role": "user", "content": "Quand a lieu la fusion avec Bellecour ?"}],
        "etabli": {"stages": True, "trace": True},
    }
    for streamed in (False, True):
        text = httpx.post(f"{url}/v1/chat/completions", json={**ask, "stream": streamed}, headers=BEARER).text
        assert "trace" in text and "3 mars 2027" not in text and "fusion.txt" not in text
