"""The chat's own routes of conversations: lists, turns, changes, export, sharing, feedback, trace."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pypdf
import pytest
from server_parts import BEARER, KEY, ScriptedAnswerer, answer, citation, told

from etabli.assistants.answer import Stage, TextDelta
from etabli.identity.sessions import Sessions
from etabli.server.auth import SessionCookie
from etabli.storage.database import Database

ADVERSE = "<script>alert(1)</script> <img src=http://evil/x> <para backColor='red'>&amp;\x00 \ud800é"


@pytest.fixture
def api(serve: Callable[..., str], database: Database) -> Iterator[httpx.Client]:
    cited = [
        Stage("searching", {"question": "congés ?"}),
        Stage("reading", {"documents": ["Congés"]}),
        TextDelta("**25 jours** [1]"),
        answer("**25 jours** [1]", citations=(citation(),)),
    ]
    with httpx.Client(
        base_url=serve(database=database, answerer=ScriptedAnswerer([cited, told("Rien de plus.")])),
        headers=BEARER,
        timeout=60,
    ) as client:
        yield client


@pytest.fixture
def somebody_else(database: Database) -> dict[str, str]:
    """Headers of another account's browser."""
    with database.owner() as connection:
        connection.execute("INSERT INTO account (id, name) VALUES (2, 'somebody else')")
    sessions = Sessions(database)
    token = sessions.sign_in(sessions.make_link(2))
    return {
        "cookie": f"{SessionCookie.of(KEY).name}={token}",
        "sec-fetch-site": "same-origin",
        "authorization": "",
    }


def ask(api: httpx.Client, text: str, conversation: str | None = None, **etabli: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "rh", "input": text, "etabli": etabli}
    if conversation is not None:
        body["conversation"] = conversation
    response = api.post("/v1/responses", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def begin(api: httpx.Client) -> str:
    return str(api.post("/v1/conversations", json={}).json()["id"])


def test_the_first_question_names_the_conversation(api: httpx.Client) -> None:
    key = begin(api)
    assert api.get("/v1/etabli/conversations").json()["data"] == []
    response = ask(api, "Combien de congés ?", key)
    by_model = {"abstained": False, "guarded": None, "written_by": "model"}
    assert response["etabli"] == {**by_model, "title": "Combien de congés ?"}
    (entry,) = api.get("/v1/etabli/conversations").json()["data"]
    assert (entry["id"], entry["title"], entry["assistant"]) == (key, "Combien de congés ?", "rh")
    assert (entry["pinned"], entry["running"], entry["snippet"]) == (False, False, None)
    details = api.get(f"/v1/etabli/conversations/{key}").json()
    assert (details["head"], details["turn_count"]) == (response["id"], 1)
    assert (details["collection_id"], details["shared_url"]) == (None, None)


def test_turns(api: httpx.Client) -> None:
    key = begin(api)
    first = ask(api, "Combien ?", key)["id"]
    second = ask(api, "Et puis ?", key)["id"]
    page = api.get(f"/v1/etabli/conversations/{key}/turns").json()
    assert [turn["response_id"] for turn in page["data"]] == [first, second] and not page["has_more"]
    turn = page["data"][0]
    assert (turn["status"], turn["assistant"], turn["model"]) == ("completed", "rh", "qwen-test")
    assert (turn["input_text"], turn["output_text"]) == ("Combien ?", "**25 jours** [1]")
    assert turn["annotations"][0]["etabli"]["quote"] == "25 jours ouvrés"
    assert turn["usage"]["input_tokens"] == 10 and turn["finish_reason"] == "stop"
    assert turn["siblings"] == [first] and turn["feedback"] is None and turn["attachments"] == []
    older = api.get(f"/v1/etabli/conversations/{key}/turns", params={"before": second, "limit": 1}).json()
    assert [turn["response_id"] for turn in older["data"]] == [first]


def test_edit_regenerate_and_go_back(api: httpx.Client) -> None:
    key = begin(api)
    first = ask(api, "Combien ?", key)["id"]
    edited = ask(api, "Combien exactement ?", None, replaces=first)
    assert edited["conversation"] == {"id": key}
    again = api.post("/v1/responses", json={"etabli": {"replaces": edited["id"]}}).json()  # same question
    assert again["model"] == "rh"
    path = f"/v1/etabli/conversations/{key}"
    (turn,) = api.get(f"{path}/turns").json()["data"]
    assert turn["siblings"] == [first, edited["id"], again["id"]]
    assert turn["input_text"] == "Combien exactement ?"
    assert api.patch(path, json={"head": first}).json()["head"] == first
    assert api.get(f"{path}/turns").json()["data"][0]["input_text"] == "Combien ?"


def test_changing_and_removing(api: httpx.Client) -> None:
    key = begin(api)
    ask(api, "Combien ?", key)
    path = f"/v1/etabli/conversations/{key}"
    changed = api.patch(path, json={"title": "Congés", "pinned": True}).json()
    assert (changed["title"], changed["pinned"]) == ("Congés", True)
    assert api.patch(path, json={"colour": 1}).status_code == 400
    assert api.patch(path, json={"title": " "}).json()["error"]["param"] == "title"
    assert api.delete(path).status_code == 204 and api.get(path).status_code == 404
    assert api.post(f"{path}/restore").json()["title"] == "Congés"
    assert api.get("/v1/etabli/conversations").json()["data"][0]["id"] == key


def test_searching(api: httpx.Client) -> None:
    key = begin(api)
    ask(api, "Combien de CONGÉS ?", key)
    ask(api, "Autre chose", begin(api))
    found = api.get("/v1/etabli/conversations", params={"query": "conges combien"}).json()
    (entry,) = found["data"]
    assert entry["id"] == key and found["last_id"] == key and not found["has_more"]
    snippet = entry["snippet"]
    assert [snippet["text"][a:b] for a, b in snippet["ranges"]] == ["Combien", "CONGÉS"]


def test_feedback(api: httpx.Client) -> None:
    key = begin(api)
    response = ask(api, "Combien ?", key)["id"]
    path = f"/v1/etabli/responses/{response}/feedback"
    given = {"rating": "down", "reason": "source", "comment": "Page fausse."}
    assert api.put(path, json=given).json() == given
    turns = f"/v1/etabli/conversations/{key}/turns"
    assert api.get(turns).json()["data"][0]["feedback"] == given
    assert api.put(path, json={"rating": "sideways"}).status_code == 400
    api.put(path, json={"rating": None})
    assert api.get(turns).json()["data"][0]["feedback"] is None


def test_trace(api: httpx.Client) -> None:
    response = ask(api, "Combien ?")["id"]
    trace = api.get(f"/v1/etabli/responses/{response}/trace").json()
    assert (trace["question"], trace["rewritten"], trace["search"]) == ("q", False, {"method": "exact"})
    assert trace["times_ms"] == {"total": 1.5} and trace["usage"]["prompt_tokens"] == 10
    assert (trace["model"], trace["engine"], trace["assistant"]) == ("qwen-test", "endpoint", "rh")
    assert trace["energy"]["joules"] is None and "elsewhere" in trace["energy"]["explanation"]


def test_sharing(api: httpx.Client, database: Database, somebody_else: dict[str, str]) -> None:
    key = begin(api)
    ask(api, "Combien ?", key)
    path = f"/v1/etabli/conversations/{key}"
    url = api.post(f"{path}/share").json()["url"]
    assert url.startswith("/shared/") and api.get(path).json()["shared_url"] == url
    ask(api, "Privé", key)
    copy = api.get(f"/v1/etabli{url}", headers=somebody_else)
    assert copy.status_code == 200, copy.text
    shared = copy.json()
    assert (shared["title"], shared["assistant"]) == ("Combien ?", "rh")
    assert [turn["input_text"] for turn in shared["turns"]] == ["Combien ?"]  # as it was when it was shared
    note = shared["turns"][0]["annotations"][0]  # the document is not there for this reader
    assert "quote" not in note["etabli"] and note["url"] == "" and "Congés" not in json.dumps(note)
    assert note["etabli"]["number"] == 1
    assert api.post(f"{path}/share").json()["url"] == url  # anew, under the same link
    assert len(api.get(f"/v1/etabli{url}", headers=somebody_else).json()["turns"]) == 2
    api.delete(path)
    assert api.get(f"/v1/etabli{url}", headers=somebody_else).status_code == 404
    api.post(f"{path}/restore")
    assert api.get(f"/v1/etabli{url}", headers=somebody_else).status_code == 200
    assert api.delete(f"{path}/share").status_code == 204
    assert api.get(f"/v1/etabli{url}", headers=somebody_else).status_code == 404


def test_shared_quotes_are_for_those_who_may_see_the_document(
    api: httpx.Client, database: Database, somebody_else: dict[str, str]
) -> None:
    with database.owner() as connection:
        connection.execute("INSERT INTO collection (name, acl_set) VALUES ('c', 1)")
        connection.execute(
            "INSERT INTO document (id, collection_id, acl_set, name, sha256, size_bytes, state)"
            " OVERRIDING SYSTEM VALUE VALUES (7, 1, 1, 'a', 'x', 1, 'ready')"
        )
        connection.execute(
            "INSERT INTO version (id, document_id, acl_set, sha256, media_type, language, text, blocks, notes)"
            " OVERRIDING SYSTEM VALUE VALUES (9, 7, 1, 'x', 'text/plain', 'fr', 'x', '[]', '[]')"
        )
    key = begin(api)
    ask(api, "Combien ?", key)
    url = api.post(f"/v1/etabli/conversations/{key}/share").json()["url"]
    note = api.get(f"/v1/etabli{url}", headers=somebody_else).json()["turns"][0]["annotations"][0]
    assert note["etabli"]["quote"] == "25 jours ouvrés"


def test_another_account_finds_nothing(api: httpx.Client, somebody_else: dict[str, str]) -> None:
    key = begin(api)
    response = ask(api, "Combien ?", key)["id"]
    conversation = f"/v1/etabli/conversations/{key}"
    attempts: list[tuple[str, str, Any]] = [
        ("GET", conversation, None),
        ("GET", f"{conversation}/turns", None),
        ("PATCH", conversation, {"title": "à moi"}),
        ("DELETE", conversation, None),
        ("POST", f"{conversation}/restore", None),
        ("GET", f"{conversation}/export", None),
        ("POST", f"{conversation}/share", None),
        ("DELETE", f"{conversation}/share", None),
        ("POST", f"{conversation}/collection", None),
        ("PUT", f"/v1/etabli/responses/{response}/feedback", {"rating": "up"}),
        ("GET", f"/v1/etabli/responses/{response}/trace", None),
        ("GET", f"/v1/conversations/{key}", None),
        ("GET", f"/v1/conversations/{key}/items", None),
        ("GET", f"/v1/responses/{response}", None),
        ("GET", f"/v1/responses/{response}/input_items", None),
        ("POST", "/v1/responses", {"model": "rh", "input": "q", "conversation": key}),
        ("POST", "/v1/responses", {"model": "rh", "input": "q", "previous_response_id": response}),
        ("POST", "/v1/responses", {"model": "rh", "input": "q", "etabli": {"replaces": response}}),
        ("POST", "/v1/responses", {"etabli": {"replaces": response}}),
    ]
    for method, path, body in attempts:
        refused = api.request(method, path, json=body, headers=somebody_else)
        assert refused.status_code == 404, (method, path, refused.text)
    assert api.get("/v1/etabli/conversations", headers=somebody_else).json()["data"] == []
    assert api.get(conversation).json()["title"] == "Combien ?"


def test_documents_of_one_conversation(api: httpx.Client, serve: Any, database: Database) -> None:
    answerer = ScriptedAnswerer([told("oui")])
    with httpx.Client(base_url=serve(database=database, answerer=answerer), headers=BEARER) as client:
        key = begin(client)
        number = client.post(f"/v1/etabli/conversations/{key}/collection").json()["id"]
        assert client.post(f"/v1/etabli/conversations/{key}/collection").json()["id"] == number
        assert client.get(f"/v1/etabli/conversations/{key}").json()["collection_id"] == number
        assert [one["id"] for one in client.get("/v1/etabli/conversations").json()["data"]] == [key]
        ask(client, "Que dit-il ?", key)
        assert list(answerer.requests[0].collection_ids) == [number]
        assert list(answerer.principals[0]) == ["group:everyone", "user:1"]


@pytest.mark.parametrize("form", ["markdown", "json", "pdf"])
def test_export(api: httpx.Client, form: str) -> None:
    key = begin(api)
    ask(api, "Combien de congés à Nîmes ?", key)
    ask(api, ADVERSE.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), key)
    made = api.get(f"/v1/etabli/conversations/{key}/export", params={"format": form})
    assert made.status_code == 200, made.text
    disposition = made.headers["content-disposition"]
    assert (
        disposition.startswith("attachment; ")
        and "filename*=UTF-8''Combien%20de%20cong%C3%A9s" in disposition
    )
    assert made.headers["x-content-type-options"] == "nosniff"
    if form == "json":
        turns = made.json()["turns"]
        assert turns[0]["output_text"] == "**25 jours** [1]" and "<script>" in turns[1]["input_text"]
        return
    if form == "pdf":
        pages = pypdf.PdfReader(io.BytesIO(made.content))
        text = "".join(page.extract_text() for page in pages.pages)
        assert pages.metadata is not None and pages.metadata.title == "Combien de congés à Nîmes ?"
        assert "**25" not in text and "http://evil" in text  # set, and printed as text
    else:
        text = made.text
        assert "**25 jours** [1]" in text
    for part in ("Combien de congés à Nîmes ?", "25 jours", "25 jours ouvrés", "page 3", "Rien de plus."):
        assert part in text, part


def test_texts_that_a_database_refuses_pass(api: httpx.Client) -> None:
    key = begin(api)
    body = json.dumps(
        {"model": "rh", "conversation": key, "input": "a\x00b\ud800c", "metadata": {"k\x00": "v\x00"}}
    )
    response = api.post("/v1/responses", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    assert api.get("/v1/etabli/conversations").json()["data"][0]["title"] == "a\ufffdb\ufffdc"
    for path in ("/v1/responses/%00", "/v1/conversations/%00", "/v1/etabli/shared/%00"):
        assert api.get(path).status_code == 404
    assert api.get("/v1/etabli/conversations", params={"query": "\x00"}).status_code == 200
