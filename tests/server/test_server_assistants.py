"""Building assistants over the API: real files, a real database, real pictures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from server_parts import BEARER, make_services
from starlette.testclient import TestClient

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.messages import set_language
from etabli.server.app import create_app
from etabli.settings import Settings
from etabli.storage.database import Database

BASE = "/v1/etabli/assistants"
FULL = {"name": "rh", "title": "RH", "instructions": "Tu aides.\nTu vouvoies.\n", "collections": ["rh"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "assistants"


@pytest.fixture
def client(tmp_path: Path, folder: Path, database: Database) -> Iterator[TestClient]:
    services = make_services(
        tmp_path,
        settings=Settings(workspace=tmp_path, models_dir=tmp_path / "models"),
        database=database,
        assistants=AssistantCatalogue(folder),
    )
    with TestClient(create_app(services), headers=BEARER) as client:
        yield client


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if status != 204 else None


def error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body = response.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    return dict(body)


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_nothing_without_the_key(client: TestClient) -> None:
    for method, path in (("GET", ""), ("POST", "/check"), ("PUT", "/rh"), ("GET", "/rh/picture")):
        response = client.request(method, BASE + path, headers={"authorization": "Bearer wrong"})
        assert response.status_code == 401


def test_built_listed_changed_and_compared(client: TestClient, folder: Path) -> None:
    made = ok(client.put(f"{BASE}/rh", json={"specification": FULL, "note": "début", "based_on": 0}))
    assert made["version"] == 1 and made["yaml"].startswith(
        "name: rh\ntitle: RH\ninstructions: |\n  Tu aides.\n"
    )
    assert made["specification"]["passages"] == 8, "with its defaults"
    assert (folder / "rh.yaml").read_text(encoding="utf-8") == made["yaml"]
    (entry,) = ok(client.get(BASE))["data"]
    assert entry == {
        "name": "rh",
        "title": "RH",
        "description": "",
        "language": "fr",
        "model": None,
        "collections": ["rh"],
        "first_questions": [],
        "version": 1,
        "has_picture": False,
        "picture_url": None,
        "faults": [],
    }
    text = "# À moi.\ntitle: Ressources\n"
    ok(client.put(f"{BASE}/rh", json={"yaml": text, "based_on": 1}))
    detail = ok(client.get(f"{BASE}/rh"))
    assert detail["yaml"] == text and detail["specification"]["title"] == "Ressources"
    assert [(each["number"], each["kind"], each["note"]) for each in detail["versions"]] == [
        (2, "saved", ""),
        (1, "saved", "début"),
    ]
    assert detail["versions"][0]["saved_at"][-1] == "Z" or "+" in detail["versions"][0]["saved_at"]
    first = ok(client.get(f"{BASE}/rh/versions/1"))
    assert first["specification"]["title"] == "RH" and first["yaml"] == made["yaml"]
    back = ok(client.post(f"{BASE}/rh/versions/1/restore", json={"based_on": 2}))
    assert back["version"] == 3 and back["versions"][0]["restored_from"] == 1
    assert ok(client.post(f"{BASE}/rh/versions/2/restore"))["version"] == 4, "the body may be left out"


def test_a_text_is_checked_by_field_and_line(client: TestClient) -> None:
    said = ok(client.post(f"{BASE}/check", json={"specification": {**FULL, "passages": 99, "titel": "x"}}))
    assert said["specification"] is None
    lines = said["yaml"].splitlines()
    assert {fault["field"]: lines[fault["line"] - 1] for fault in said["faults"]} == {
        "passages": "passages: 99",
        "titel": "titel: x",
    }
    assert said["faults"][0]["message"] == "Passages is 99; it must be a whole number from 1 to 30."
    said = ok(client.post(f"{BASE}/check", json={"yaml": "name: rh\ntitle: T\nexamples:\n  - question: a\n"}))
    assert [(f["field"], f["line"]) for f in said["faults"]] == [("examples.0.answer", 4)]
    said = ok(client.post(f"{BASE}/check", json={"yaml": "title: '"}))
    assert said["faults"][0]["field"] is None and "not YAML" in said["faults"][0]["message"]
    said = ok(client.post(f"{BASE}/check", json={"yaml": "title: T\n"}))
    assert said["faults"][0]["field"] == "name", "a text that nobody gave a name"
    said = ok(client.post(f"{BASE}/check", json={"yaml": "title: T\n", "name": "rh"}))
    assert said["faults"] == [] and said["specification"]["name"] == "rh"
    said = ok(client.post(f"{BASE}/check", json={"specification": {"name": "é", "title": ""}}))
    assert [fault["field"] for fault in said["faults"]] == ["name", "title"]


def test_what_was_said_of_yaml_is_what_is_saved(client: TestClient, folder: Path) -> None:
    said = ok(client.post(f"{BASE}/check", json={"specification": FULL}))
    assert said["faults"] == []
    by_text = ok(client.put(f"{BASE}/rh", json={"yaml": said["yaml"]}))
    by_form = ok(client.put(f"{BASE}/rh", json={"specification": FULL}))
    assert by_text["version"] == by_form["version"] == 1, "the same text, so the same version"


BROKEN_TEXTS = [
    "a: " + "[" * 5000,
    "a: 2024-99-99\n",
    "1: 2\n",
    "? [a]\n: b\n",
    "passages: " + "1" * 5000,
    "- a",
    "",
    "\0",
    "a: *b\n",
]
BROKEN_VALUES: list[dict[str, Any]] = [
    {"title": "\ud800"},
    {"title": {"a": 1}},
    {"title": None, "collections": {}},
    {"": "", "title": "T"},
    {"title": "T", "collections": [["a"]]},
    {"title": "T", "instructions": [[[[[]]]]]},
]


def test_no_text_breaks_the_check(client: TestClient) -> None:
    for text in BROKEN_TEXTS:
        said = ok(client.post(f"{BASE}/check", json={"yaml": text, "name": "rh"}))
        assert said["specification"] is None and said["faults"], text
        assert error(client.put(f"{BASE}/rh", json={"yaml": text}), 400)["code"] == "invalid_request"


def test_no_values_break_the_check(client: TestClient) -> None:
    for values in BROKEN_VALUES:
        content = json.dumps({"specification": values, "name": "rh"})
        response = client.post(f"{BASE}/check", content=content, headers={"content-type": "application/json"})
        assert ok(response)["faults"], values
    odd = {"title": "a\0b", "instructions": "\x1b[31m"}
    assert ok(client.put(f"{BASE}/rh", json={"specification": odd}))["specification"]["title"] == "a\0b"


def test_warnings_say_what_may_not_be_meant(client: TestClient, folder: Path, database: Database) -> None:
    write(folder, "rh", "# Pourquoi 5 : essayé le 3 mars.\ntitle: RH\npassages: 5\n")
    with database.owner() as connection:
        connection.execute("INSERT INTO collection (name, acl_set) VALUES ('rh', 1)")
    values = {**FULL, "collections": ["rh", "paie"], "model": "other", "audience": ["group:rh"]}
    said = ok(client.post(f"{BASE}/check", json={"specification": values}))
    assert [warning["field"] for warning in said["warnings"]] == [None, "model", "audience", "collections.1"]
    assert "remarks" in said["warnings"][0]["message"] and "qwen-test" in said["warnings"][1]["message"]
    assert said["faults"] == [], "a warning is no fault"
    said = ok(client.post(f"{BASE}/check", json={"yaml": "name: qwen-test\ntitle: T\n"}))
    assert [warning["field"] for warning in said["warnings"]] == ["name"]
    text = (folder / "rh.yaml").read_text(encoding="utf-8")
    assert ok(client.post(f"{BASE}/check", json={"yaml": text, "name": "rh"}))["warnings"] == []


def test_exactly_one_of_text_and_values(client: TestClient) -> None:
    for body in ({}, {"yaml": "title: T\n", "specification": FULL}):
        assert "either" in error(client.put(f"{BASE}/rh", json=body), 400)["message"]
        assert error(client.post(f"{BASE}/check", json=body), 400)["param"] == "yaml"
    assert error(client.put(f"{BASE}/rh", json={"yml": "title: T\n"}), 400)["param"] == "yml"


def test_two_tabs_do_not_overwrite_each_other(client: TestClient) -> None:
    ok(client.put(f"{BASE}/rh", json={"specification": FULL, "based_on": 0}))
    ok(client.put(f"{BASE}/rh", json={"specification": {**FULL, "title": "A"}, "based_on": 1}))
    late = client.put(f"{BASE}/rh", json={"specification": {**FULL, "title": "B"}, "based_on": 1})
    said = error(late, 409)
    assert said["code"] == "conflict" and "there is a version 2 now" in said["message"]
    assert late.headers["x-should-retry"] == "false"
    assert ok(client.get(f"{BASE}/rh"))["specification"]["title"] == "A"
    assert (
        "already"
        in error(client.put(f"{BASE}/rh", json={"specification": FULL, "based_on": 0}), 409)["message"]
    )


def test_a_faulty_file_is_listed_with_its_faults_and_can_be_mended(client: TestClient, folder: Path) -> None:
    write(folder, "rh", "title: 'RH\n")
    (entry,) = ok(client.get(BASE))["data"]
    assert entry["faults"][0]["field"] is None, "nobody knows yet for whom it is, so the owner sees it"
    write(folder, "rh", "title: RH\n")
    assert len(ok(client.get(BASE))["data"]) == 1
    write(folder, "rh", "title: RH\npassages: 99\n")
    (entry,) = ok(client.get(BASE))["data"]
    assert entry["title"] == "rh" and entry["faults"] == [
        {"field": "passages", "line": 2, "message": "Passages is 99; it must be a whole number from 1 to 30."}
    ]
    detail = ok(client.get(f"{BASE}/rh"))
    assert detail["specification"] is None and detail["yaml"] == "title: RH\npassages: 99\n"
    mended = {"yaml": "title: RH\npassages: 9\n", "based_on": detail["version"]}
    assert ok(client.put(f"{BASE}/rh", json=mended))["faults"] == []


def test_assistants_of_others_do_not_exist(client: TestClient, folder: Path) -> None:
    write(folder, "direction", "title: Direction\naudience: ['group:direction']\n")
    missing = error(client.get(f"{BASE}/nobody"), 404)["message"].replace("nobody", "direction")
    assert ok(client.get(BASE))["data"] == []
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/versions/1"),
        ("POST", "/versions/1/restore"),
        ("GET", "/picture"),
        ("DELETE", "/picture"),
        ("PUT", "/picture"),
    ):
        assert error(client.request(method, f"{BASE}/direction{path}"), 404)["message"] == missing
    assert "already" in error(client.put(f"{BASE}/direction", json={"yaml": "title: Mine\n"}), 409)["message"]
    assert "Direction" in (folder / "direction.yaml").read_text()


def test_a_version_that_was_for_others_stays_theirs(client: TestClient, folder: Path) -> None:
    write(folder, "rh", "title: Secret\naudience: ['group:direction']\n")
    assert ok(client.get(BASE))["data"] == []
    write(folder, "rh", "title: Ouvert\n")
    assert ok(client.get(f"{BASE}/rh"))["version"] == 2
    assert "no version 1" in error(client.get(f"{BASE}/rh/versions/1"), 404)["message"]
    error(client.post(f"{BASE}/rh/versions/1/restore"), 404)
    # Nor does a broken text make it anybody's: the last one that was understood decides.
    write(folder, "rh", "title: Secret\naudience: ['group:direction']\n")
    assert ok(client.get(BASE))["data"] == []
    write(folder, "rh", "title: 'Secret\n")
    assert ok(client.get(BASE))["data"] == []
    error(client.get(f"{BASE}/rh"), 404)


def test_deleted_and_brought_back(client: TestClient, folder: Path) -> None:
    ok(client.put(f"{BASE}/rh", json={"specification": FULL}))
    ok(client.delete(f"{BASE}/rh"), 204)
    assert not (folder / "rh.yaml").exists() and ok(client.get(BASE))["data"] == []
    error(client.get(f"{BASE}/rh"), 404)
    (gone,) = ok(client.get("/v1/etabli/deleted/assistants"))["data"]
    assert gone["name"] == "rh" and gone["title"] == "RH"
    assert ok(client.post(f"{BASE}/rh/restore"))["specification"]["title"] == "RH"
    assert error(client.post(f"{BASE}/rh/restore"), 404)["message"] == "No assistant named rh was deleted."


def test_a_name_that_cannot_be_is_said(client: TestClient) -> None:
    said = error(client.put(f"{BASE}/Ressources%20humaines", json={"specification": {"title": "RH"}}), 400)
    assert said["param"] == "name" and "1 to 63 of a–z" in said["message"]


def test_names_are_no_paths(client: TestClient, tmp_path: Path) -> None:
    for name in ("..", "%2e%2e%2frh", "RH", "a%00b", "x" * 64):
        for method, body in (("GET", None), ("PUT", {"yaml": "title: T\n"}), ("DELETE", None)):
            response = client.request(method, f"{BASE}/{name}", json=body)
            assert response.status_code in (400, 404, 405), name
    assert list(tmp_path.rglob("*.y*ml")) == []


def test_the_description_names_every_route(client: TestClient) -> None:
    paths = ok(client.get("/openapi.json"))["paths"]
    for path, methods in {
        BASE: {"get"},
        f"{BASE}/check": {"post"},
        f"{BASE}/{{name}}": {"get", "put", "delete"},
        f"{BASE}/{{name}}/restore": {"post"},
        f"{BASE}/{{name}}/versions/{{number}}": {"get"},
        f"{BASE}/{{name}}/versions/{{number}}/restore": {"post"},
        f"{BASE}/{{name}}/picture": {"get", "put", "delete"},
        "/v1/etabli/models": {"get"},
        "/v1/etabli/models/{name}": {"delete"},
    }.items():
        assert set(paths[path]) >= methods
        assert all(paths[path][method]["summary"] for method in methods)


def test_answers_in_french(client: TestClient) -> None:
    set_language("fr")
    said = ok(client.post(f"{BASE}/check", json={"specification": {**FULL, "passages": 99}}))
    assert said["faults"][0]["message"] == "Passages vaut 99\u00a0; il faut un nombre entier de 1 à 30."


def test_what_is_saved_is_listed_at_once(client: TestClient) -> None:
    ok(client.put(f"{BASE}/accueil", json={"specification": {"title": "Accueil"}}))
    assert client.get("/v1/models/accueil").json()["title"] == "Accueil"
    ok(client.put(f"{BASE}/accueil", json={"specification": {"title": "Accueil 2"}}))
    assert client.get("/v1/models/accueil").json()["title"] == "Accueil 2"


def test_no_assistant_can_be_called_new(client: TestClient, folder: Path) -> None:
    refused = error(client.put(f"{BASE}/new", json={"specification": {"title": "T"}}), 400)
    assert refused["param"] == "name" and "no assistant can be called new" in refused["message"]
    checked = ok(client.post(f"{BASE}/check", json={"yaml": "name: new\ntitle: T\n"}))
    assert checked["specification"] is None
    assert [(one["field"], one["line"]) for one in checked["faults"]] == [("name", 1)]
    write(folder, "new", "title: T\n")
    (entry,) = ok(client.get(BASE))["data"]
    assert entry["name"] == "new" and entry["faults"][0]["field"] == "name"


def test_faults_are_told_in_the_readers_language(client: TestClient, folder: Path) -> None:
    write(folder, "rh", "title: T\npassages: 99\n")
    for language, words in (("en", "it must be a whole number"), ("fr", "il faut un nombre entier")):
        headers = {"accept-language": language}
        detail = ok(client.get(f"{BASE}/rh", headers=headers))
        assert words in detail["faults"][0]["message"]
        body = {"model": "rh", "messages": [{"role": "user", "content": "?"}]}
        refused = client.post("/v1/chat/completions", json=body, headers=headers)
        assert words in refused.json()["error"]["message"], (
            "the catalogue reads a file once, and tells it to all"
        )
