"""Sentences of the API in the language of whoever reads them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from document_parts import DOCUMENTS, collection, ingest, pdf, send
from server_parts import BEARER, ScriptedAnswerer, answer, citation, make_services
from starlette.testclient import TestClient

from etabli.assistants.answer import Event, Stage
from etabli.engines.fake_embedder import FakeEmbedder
from etabli.errors import EngineError
from etabli.knowledge.search import Searcher
from etabli.messages import set_language, tr
from etabli.server.app import create_app
from etabli.server.languages import preferred_language
from etabli.settings import Settings
from etabli.storage.database import Database

FRENCH, ENGLISH = {"accept-language": "fr-FR,fr;q=0.9,en;q=0.8"}, {"accept-language": "en-GB,en;q=0.9"}


@pytest.fixture
def client(tmp_path: Path, database: Database) -> Iterator[TestClient]:
    services = make_services(tmp_path, database=database, searcher=Searcher(database, FakeEmbedder()))
    with TestClient(create_app(services), headers=BEARER) as one:
        yield one


def said(response: httpx.Response) -> str:
    return str(response.json()["error"]["message"])


def choose(client: TestClient, language: str | None) -> None:
    assert client.patch("/v1/etabli/me", json={"settings": {"language": language}}).status_code == 200


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr", "fr"),
        ("de, en-GB;q=0.5, fr;q=0.4", "en"),
        ("", "fr"),
        ("de", "fr"),
        ("en;q=0", "fr"),
        (";;,q=x", "fr"),
    ],
)
def test_what_a_header_asks_for(header: str, language: str) -> None:
    set_language("fr")
    assert preferred_language(header) == language


def test_the_account_then_the_header_then_the_installation(client: TestClient) -> None:
    def french(**headers: str) -> bool:
        return "n’existe pas" in said(client.get(f"{DOCUMENTS}/1", headers=headers))

    assert french(**FRENCH) and not french(**ENGLISH) and not french()
    set_language("fr")
    assert french(**{"accept-language": "de"}) and not french(**ENGLISH)
    choose(client, "en")
    assert not french(**FRENCH) and not french()
    choose(client, "fr")
    assert french(**ENGLISH)
    choose(client, None)
    assert not french(**ENGLISH)


def test_refusals_before_anybody_is_known(client: TestClient) -> None:
    wrong = {"authorization": "Bearer wrong"}
    assert said(client.get("/v1/models", headers={**wrong, **FRENCH})).startswith("Cette clé")
    assert said(client.get("/v1/models", headers={**wrong, **ENGLISH})).startswith("This key")


def test_what_happens_in_threads_and_in_what_fails(
    api: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError

    client = api(state=broken)
    assert said(client.get("/status", headers=FRENCH)).startswith("Quelque chose")
    assert said(client.post("/v1/chat/completions", json={}, headers=FRENCH)) == "«\u00a0model\u00a0» manque."


def test_faults_of_documents(client: TestClient, database: Database, tmp_path: Path) -> None:
    """What a worker kept, in the installation's language, is told in the reader's."""
    where = collection(client)
    broken = send(client, where, "x.docx", b"PK\x03\x04 cut [Content_Types].xml word/document.xml").json()
    scan = send(client, where, "vide.md", "\n\n").json()
    ingest(database, Settings(workspace=tmp_path))
    set_language("fr")
    for document in (broken["id"], scan["id"]):
        shown = [client.get(f"{DOCUMENTS}/{document}", headers=one).json() for one in (FRENCH, ENGLISH)]
        assert shown[0]["state"] == shown[1]["state"]
        assert shown[0]["message"].startswith("Le fichier") and shown[1]["message"].startswith("The file")


def test_errors_of_threads_that_know_no_reader(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    where = collection(client)
    sent = send(client, where, "a.pdf", pdf("one page")).json()
    ingest(database, Settings(workspace=tmp_path))
    entry = client.get(f"{DOCUMENTS}/{sent['id']}").json()
    path = f"{DOCUMENTS}/{entry['id']}/versions/{entry['version_id']}/pages/9.png"
    assert said(client.get(path, headers=ENGLISH)) == "This document has no page 9."
    assert said(client.get(path, headers=FRENCH)) == "Ce document n’a pas de page 9."


class Judging(ScriptedAnswerer):
    """Cites weakly, with a reason in the language in force; then fails."""

    async def answer(self, *_: Any, **__: Any) -> Any:
        self.requests.append(None)  # type: ignore[arg-type]
        events: list[Event] = [Stage("writing")]
        for event in events:
            yield event
        if len(self.requests) > 1:
            raise EngineError(tr("The answer ended before it was whole. Try again in a moment."))
        reason = tr("only a part of its words stands in the source")
        yield answer(citations=(citation(status="weak", reason=reason),))


def test_an_answer_in_the_background_and_what_is_kept_of_it(
    serve: Callable[..., str], database: Database, wait_until: Callable[..., None]
) -> None:
    with httpx.Client(
        base_url=serve(database=database, answerer=Judging()), headers=BEARER, timeout=60
    ) as api:
        key = api.post("/v1/conversations", json={}).json()["id"]
        body = {"model": "rh", "input": "?", "background": True, "conversation": key}

        def ask() -> str:
            return str(api.post("/v1/responses", json=body, headers=FRENCH).json()["id"])

        def turns(headers: dict[str, str]) -> list[Any]:
            found: list[Any] = api.get(f"/v1/etabli/conversations/{key}/turns", headers=headers).json()[
                "data"
            ]
            return found

        first = ask()
        wait_until(lambda: turns(FRENCH)[0]["status"] == "completed")
        ask()
        wait_until(lambda: turns(FRENCH)[-1]["status"] == "failed")
        for headers, reason, error in (
            (FRENCH, "une partie seulement", "La réponse s’est"),
            (ENGLISH, "only a part", "The answer ended"),
        ):
            cited, failed = turns(headers)
            assert cited["annotations"][0]["etabli"]["reason"].startswith(reason)
            assert failed["error"]["message"].startswith(error)
            trace = api.get(f"/v1/etabli/responses/{first}/trace", headers=headers).json()
            assert ("moteur" in trace["energy"]["explanation"]) == (headers is FRENCH)


def test_verdicts_on_models(client: TestClient) -> None:
    shelves = [client.get("/v1/etabli/models", headers=one).json() for one in (FRENCH, ENGLISH)]
    assert shelves[0]["machine"]["sentence"].startswith("Cette machine")
    assert shelves[1]["machine"]["sentence"].startswith("This machine")
    verdicts = [[model["can_run"]["sentence"] for model in shelf["data"]] for shelf in shelves]
    assert verdicts[0] and not set(verdicts[0]) & set(verdicts[1])
