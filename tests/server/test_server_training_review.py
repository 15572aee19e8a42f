"""Proposed questions over HTTP: what nobody looked at, and what becomes of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from server_parts import BEARER, make_services
from starlette.testclient import TestClient

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.evaluation.evaluating import training_file
from etabli.evaluation.generated import GeneratedFile, GeneratedRow
from etabli.server.app import create_app
from etabli.server.training.services import Training
from etabli.settings import Settings
from etabli.storage.database import Database
from training.training_parts import Room, look_without_tokens

PATH = "/v1/etabli/training/questions"


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    def none(*_: Any) -> Any:
        raise AssertionError("nothing is trained here")

    room = Room(database, tmp_path)
    training = Training(
        organisation="test",
        files=room.files,
        jobs=room.store,
        adapters=room.adapters,
        submit=none,
        preflight=none,
        load=dict,
        loaded=tuple,
        checks=look_without_tokens,
    )
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "accueil.yaml").write_text("title: Accueil\n", encoding="utf-8")
    (folder / "rh.yaml").write_text("title: RH\n", encoding="utf-8")
    services = make_services(
        tmp_path, database=database, training=training, assistants=AssistantCatalogue(folder)
    )
    with TestClient(create_app(services), headers=BEARER) as one:
        yield one


@pytest.fixture
def file(tmp_path: Path) -> GeneratedFile:
    found = training_file(Settings(workspace=tmp_path).questions_dir, "accueil")
    for number in range(3):
        found.add(
            GeneratedRow(
                id="new",
                question=f"Où est la salle {number} ?",
                language="fr",
                source="plan.pdf",
                answer="Là",
            )
        )
    return found


def test_only_assistants_with_questions_are_listed(client: TestClient, file: GeneratedFile) -> None:
    file.change("g2", state="dropped")
    (entry,) = client.get(PATH).json()["data"]
    assert entry == {"assistant": "accueil", "title": "Accueil", "kept": 0, "proposed": 2, "dropped": 1}
    page = client.get(f"{PATH}/accueil").json()
    assert [one["id"] for one in page["data"]] == ["g1", "g3"] and page["proposed"] == 2


def test_a_decision_is_kept_at_once_and_can_be_taken_back(client: TestClient, file: GeneratedFile) -> None:
    body = {"state": "kept", "question": " Où donc ? ", "answer": "Ici"}
    done = client.post(f"{PATH}/accueil/g1", json=body).json()
    assert (done["kept"], done["proposed"]) == (1, 2) and done["question"]["question"] == "Où donc ?"
    row = file.rows()[0]
    assert (row.state, row.question, row.answer) == ("kept", "Où donc ?", "Ici")
    client.post(f"{PATH}/accueil/g1", json={"state": "proposed"})
    assert file.rows()[0].state == "proposed"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("accueil/g9", {"state": "kept"}, 404),
        ("nobody/g1", {"state": "kept"}, 404),
        ("..%2f..%2fetc/g1", {"state": "kept"}, 404),
        ("accueil/g1", {"state": "kept", "question": "  "}, 400),
        ("accueil/g1", {"state": "lost"}, 400),
        ("accueil/g1", {"state": "kept", "reason": "x"}, 400),
    ],
)
def test_what_cannot_be_is_refused(
    client: TestClient, file: GeneratedFile, path: str, body: dict[str, str], status: int
) -> None:
    assert client.post(f"{PATH}/{path}", json=body).status_code == status
    assert [row.state for row in file.rows()] == ["proposed"] * 3
