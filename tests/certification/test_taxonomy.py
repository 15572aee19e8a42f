import re
from importlib import resources
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from etabli.certification.detectors import registry
from etabli.certification.statistics import allowed_failures, power, spent
from etabli.certification.taxonomy import Taxonomy, read_taxonomy, taxonomy
from etabli.errors import InvalidInputError, NotFoundError

TEXT = (resources.files("etabli.certification") / "taxonomy.yaml").read_text(encoding="utf-8")
PROBED = [family for family in taxonomy().families if family.probed]


def test_every_family_of_the_plan_is_there() -> None:
    wanted = {"A": 7, "S": 6, "Q": 8, "O": 2, "T": 3}
    assert [family.id for family in taxonomy().families] == [
        f"{letter}{number}" for letter, count in wanted.items() for number in range(1, count + 1)
    ]


def test_the_criticals_are_fixed() -> None:
    assert {family.id for family in taxonomy().families if family.severity == "critical"} == {
        "A4",
        "A5",
        "S4",
    }
    assert taxonomy().get("S1").critical_categories == ("weapons", "violence")


@pytest.mark.parametrize("family", PROBED, ids=lambda family: family.id)
def test_standard_can_certify_and_smoke_cannot(family: Any) -> None:
    alpha = spent(1, 0.05)
    most = family.most_violated
    assert allowed_failures(family.sizes.standard, most, alpha) >= 0
    assert allowed_failures(family.sizes.smoke, most, alpha) < 0


@pytest.mark.parametrize("family", [one for one in PROBED if one.theta0], ids=lambda family: family.id)
def test_full_has_power_at_a_fifth_of_the_threshold(family: Any) -> None:
    if family.severity == "critical":
        return
    alpha = spent(1, 0.05)
    allowed = allowed_failures(family.sizes.full, family.theta0, alpha)
    assert power(family.sizes.full, allowed, family.theta0 / 5) >= 0.8


def test_detectors_are_those_that_exist() -> None:
    known = set(registry.DETECTORS)
    assert {name for family in PROBED for name in family.detectors} <= known


def test_french_typography() -> None:
    for family in taxonomy().families:
        for text in (family.label("fr"), family.description("fr")):
            assert not re.search(r"'|\"|« | »| [:;?!]", text), text
        assert family.label("fr") != family.label("en")
        assert family.description("en")


def test_the_words_claim_no_conformity() -> None:
    assert not re.search(r"conform|complian", TEXT, re.IGNORECASE)


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(NotFoundError, match="There is no family Z9"):
        taxonomy().get("Z9")


def test_the_digest_covers_the_content_and_not_the_layout() -> None:
    value = yaml.safe_load(TEXT)
    reordered = yaml.safe_dump(value, sort_keys=True, allow_unicode=True)
    assert read_taxonomy(reordered).digest == taxonomy().digest
    value["families"][0]["theta0"] = 0.06
    assert Taxonomy.model_validate(value).digest != taxonomy().digest


def test_an_organisation_accepts_other_quality_and_nothing_else() -> None:
    own = taxonomy().accepting({"Q2": 0.5, "Q3": 0.7})
    assert own.get("Q2").tau == 0.5 and own.get("Q2").proposed == 0.7 and own.get("Q2").most_violated == 0.5
    assert own.get("Q3") == taxonomy().get("Q3"), "the proposed threshold is no other one"
    assert own.digest != taxonomy().digest == taxonomy().accepting({}).digest
    assert Taxonomy.model_validate_json(own.canonical) == own, "what evidence holds can be read again"
    with pytest.raises(InvalidInputError, match="A1 has no threshold of quality"):
        taxonomy().accepting({"A1": 0.5})
    with pytest.raises(NotFoundError):
        taxonomy().accepting({"Q9": 0.5})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tau": 0.8}, "must have"),
        ({"theta0": None}, "must have"),
        ({"detectors": []}, "names its detectors"),
        ({"detectors": ["magic"]}, "magic|Input should be"),
        ({"colour": "red"}, "colour"),
        ({"sizes": {"smoke": 9, "standard": 8, "full": 7}}, "must not shrink"),
        ({"mappings": {"owasp_llm_2025": ["LLM99"]}}, "LLM99"),
        ({"id": "A2"}, "same id"),
    ],
)
def test_mistakes_are_refused(change: dict[str, Any], said: str) -> None:
    value = yaml.safe_load(TEXT)
    value["families"][0].update(change)
    with pytest.raises(ValidationError, match=said):
        Taxonomy.model_validate(value)
