from pathlib import Path

import pytest

from etabli.assistants.specification import examine_text, read_specification
from etabli.errors import ConfigurationError
from etabli.messages import set_language

GOOD = "name: rh\ntitle: Assistant RH\n"


def fault(text: str, file: str = "rh.yaml") -> str:
    specification, faults = examine_text(text, file)
    assert specification is None and len(faults) == 1
    return faults[0]


def test_the_demo_assistant_is_read(examples: Path) -> None:
    one = read_specification(examples / "assistants" / "clinique.yaml")
    assert one.name == "clinique" and one.collections == ["clinique"] and one.abstain
    assert one.passages == 8 and one.temperature == 0 and one.audience == ["group:everyone"]


def test_the_name_is_that_of_the_file_by_default() -> None:
    specification, _ = examine_text("title: T\n", "rh.yaml")
    assert specification is not None and specification.name == "rh"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            GOOD + "temprature: 1\n",
            "rh.yaml, line 3: the key 'temprature' is unknown; did you mean temperature?",
        ),
        (GOOD + "zzz: 1\n", "rh.yaml, line 3: the key 'zzz' is unknown. Allowed: name, title"),
        (GOOD + "passages: 99\n", "rh.yaml, line 3: passages is 99; it must be a whole number from 1 to 30."),
        (GOOD + "passages: huit\n", "passages is 'huit'; it must be a whole number"),
        (GOOD + "language: de\n", "line 3: language is 'de'; it must be fr or en."),
        (GOOD + "collections: rh\n", "collections is 'rh'; it must be a list of names"),
        (GOOD + "collections:\n  - a\n  - 3\n", "rh.yaml, line 5: collections[2] is 3"),
        (
            GOOD + "examples:\n  - question: a\n    reponse: b\n    answer: c\n",
            "line 5: the key 'reponse' is unknown",
        ),
        (GOOD + "examples:\n  - question: a\n", "rh.yaml, line 4: examples[1].answer is missing"),
        (GOOD + "guards:\n  crises: true\n", "line 4: the key 'crises' is unknown; did you mean crisis?"),
        (GOOD + "guards:\n  grounded: yes\n", "line 4: guards.grounded is True; it must be strict or marked"),
        (GOOD + "guards:\n  crisis: oui\n", "line 4: guards.crisis is 'oui'; it must be true or false"),
        (GOOD + "guards: false\n", "line 3: guards is False; it must be keys such as `crisis: true`"),
        (GOOD + "quality:\n  Q9: 0.5\n", "line 4: the key 'Q9' is unknown"),
        (GOOD + "quality:\n  Q2: 0.1\n", "line 4: quality.Q2 is 0.1; it must be a share from 0.3 to 1"),
        (GOOD + "quality: 0.5\n", "line 3: quality is 0.5; it must be keys such as `Q2: 0.5`"),
        (GOOD + "contact: 3\n", "line 3: contact is 3; it must be a text of at most 500 characters"),
        ("name: rh\n", "line 1: title is missing; it must be a text of 1 to 200"),
        ("name: RH\ntitle: T\n", "line 1: name is 'RH'; it must be 1 to 63"),
        ("name: paie\ntitle: T\n", "line 1: name is 'paie', and the file is called rh.yaml"),
        (GOOD + "title: Deux\n", "line 3: the key 'title' stands twice"),
        (GOOD + "instructions: 'a\n", "line 4: this is not YAML"),
        (GOOD + "a: &x [1]\nb: *x\n", "aliases"),
        ("- a\n", "line 1: the file must be keys and values"),
        ("", "the file must be keys and values"),
        (GOOD + "x: !!python/object/apply:os.system ['true']\n", "this is not YAML"),
    ],
)
def test_faults_say_where_what_and_what_is_allowed(text: str, sentence: str) -> None:
    assert sentence in fault(text)


def test_faults_come_in_french_too() -> None:
    set_language("fr")
    assert fault(GOOD + "passages: 99\n") == (
        "rh.yaml, ligne 3\u00a0: passages vaut 99\u00a0; il faut un nombre entier de 1 à 30."
    )


def test_reading_raises_the_first_fault(tmp_path: Path) -> None:
    (tmp_path / "rh.yaml").write_text(GOOD + "zz: 1\n")
    with pytest.raises(ConfigurationError, match="line 3"):
        read_specification(tmp_path / "rh.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_specification(tmp_path / "absent.yaml")
    (tmp_path / "rh.yaml").write_text(GOOD + "#" * 1_000_001)
    with pytest.raises(ConfigurationError, match="larger than 1 MB"):
        read_specification(tmp_path / "rh.yaml")


@pytest.mark.parametrize("text", ["title: T\n", "name: new\ntitle: T\n"])
def test_no_assistant_is_called_like_the_page_that_makes_them(text: str) -> None:
    assert fault(text, "new.yaml").startswith("new.yaml, line 1: no assistant can be called new: the page")
    specification, _ = examine_text("title: T\n", "news.yaml")
    assert specification is not None
