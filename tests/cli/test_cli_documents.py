import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from etabli.errors import InvalidInputError, NotFoundError
from product import FACT, QUESTION, REPLY

Run = Callable[..., Result]


@pytest.fixture
def filled(in_office: Run, office: Path) -> Run:
    """An office whose documents were added by the command itself, as no server runs."""
    done = in_office("documents", "add", str(office / "documents" / "general"))
    assert done.exit_code == 0, done.output
    assert "2 added, 0 changed, 0 unchanged, 0 removed" in done.output
    assert "can be searched by their meaning" in done.output
    return in_office


def test_documents_are_listed_with_their_state(filled: Run) -> None:
    documents = json.loads(filled("documents", "list", "--json").output)
    assert [(one["collection"], one["name"], one["state"]) for one in documents] == [
        ("general", "badges.md", "ready"),
        ("general", "canteen.md", "ready"),
    ]
    assert "badges.md" in filled("documents", "list").output
    assert json.loads(filled("documents", "list", "--state", "broken", "--json").output) == []


def test_a_folder_that_is_added_again_is_brought_up_to_date(filled: Run, office: Path) -> None:
    folder = office / "documents" / "general"
    (folder / "canteen.md").unlink()
    (folder / "badges.md").write_text(f"# Badges\n\n{FACT} Cash only.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    done = filled("documents", "add", str(folder))
    assert "1 added, 1 changed, 0 unchanged, 1 removed" in done.output
    assert "broken.pdf: " in done.output, "what cannot be read is said"
    states = json.loads(filled("documents", "status", "--json").output)["states"]
    assert states == {"ready": 1, "broken": 1}


def test_adding_says_what_changed_as_json(filled: Run, office: Path) -> None:
    done = filled("documents", "add", str(office / "documents" / "general"), "--json")
    assert json.loads(done.stdout)["unchanged"] == ["badges.md", "canteen.md"]


def test_a_file_goes_into_the_collection_that_is_named(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "notice.txt"
    file.write_text("The notice period is two months.", encoding="utf-8")
    assert filled("documents", "add", str(file), "--collection", "hr").exit_code == 0
    assert json.loads(filled("documents", "status", "--json").output)["collections"] == {
        "general": 2,
        "hr": 1,
    }


def test_without_waiting_nothing_is_read(in_office: Run, office: Path) -> None:
    done = in_office("documents", "add", str(office / "documents" / "general"), "--no-wait")
    assert "Nobody reads them yet" in done.output
    status = json.loads(in_office("documents", "status", "--json").output)
    assert status["states"] == {"queued": 2}
    assert status["waiting"]["read"] == 2
    assert status["worker"] is False


def test_search(filled: Run) -> None:
    found = json.loads(filled("documents", "search", QUESTION, "-n", "1", "--json").output)
    assert [one["document_name"] for one in found["passages"]] == ["badges.md"]
    assert "badges.md" in filled("documents", "search", QUESTION).output
    assert "There are: general" in str(filled("documents", "search", QUESTION, "-c", "legal").exception)


def test_remove(filled: Run) -> None:
    assert "canteen.md is removed" in filled("documents", "remove", "canteen.md").output
    assert isinstance(filled("documents", "remove", "canteen.md").exception, NotFoundError)
    assert json.loads(filled("documents", "status", "--json").output)["states"] == {"ready": 1}


def test_read_again_and_index_again(filled: Run) -> None:
    assert "2 documents will be read again" in filled("documents", "reread").output
    assert "0 documents will be read again" in filled("documents", "reread", "--state", "needs_ocr").output
    assert filled("documents", "reindex").exit_code == 0
    assert json.loads(filled("documents", "status", "--json").output)["states"] == {"ready": 2}


def test_a_path_that_does_not_exist(in_office: Run) -> None:
    assert "does not exist" in str(in_office("documents", "add", "nowhere").exception)


def test_an_answer_with_its_sources(filled: Run) -> None:
    done = filled("ask", QUESTION)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == REPLY
    assert "[2] ✓ badges.md (verified)" in done.output
    assert "Replacing a lost badge costs 10 euros" in done.output.splitlines()[2]


def test_an_answer_as_json_and_its_trace(filled: Run) -> None:
    answer = json.loads(filled("ask", QUESTION, "--json", "--assistant", "office").output)
    assert (answer["question"], answer["assistant"], answer["text"]) == (QUESTION, "office", REPLY)
    assert answer["citations"][0]["status"] == "verified"
    trace = filled("ask", QUESTION, "--trace").output
    assert "Passages found, best first:" in trace
    assert "1. badges.md" in trace
    assert "Tokens: " in trace


def test_questions_that_cannot_be_asked(filled: Run) -> None:
    assert isinstance(filled("ask", " ").exception, InvalidInputError)
    assert "There is no assistant boss" in str(filled("ask", "Why?", "-a", "boss").exception)
    assert "There are: general" in str(filled("ask", "Why?", "-c", "legal").exception)


def test_assistants(in_office: Run, office: Path) -> None:
    assert "office  The office" in in_office("assistants", "list").output
    assert json.loads(in_office("assistants", "show", "office", "--json").output)["collections"] == [
        "general"
    ]
    assert "collections:" in in_office("assistants", "show", "office").output
    assert in_office("assistants", "check").exit_code == 0
    (office / "assistants" / "hasty.yaml").write_text("title: Hasty\ntemprature: 1\n", encoding="utf-8")
    done = in_office("assistants", "check")
    assert done.exit_code == 1
    assert "hasty.yaml, line 2" in done.output
    assert "did you mean temperature?" in done.output
    assert "hasty.yaml, line 2" in in_office("assistants", "list").output
