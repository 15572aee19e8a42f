"""The texts themselves: both languages, enough of them, French that is French."""

import re
from importlib import resources

import pytest
import yaml

from etabli.certification.probes.crafting import Dice, fill, pack
from etabli.knowledge.language import detect

NAMES = sorted(
    path.name.removesuffix(".yaml")
    for path in (resources.files("etabli.certification.probes") / "data").iterdir()
    if path.name.endswith(".yaml")
)
FAMILIES = [name for name in NAMES if name not in ("common", "adaptive")]
GIVEN = (
    "goal goal_plain coded question low first second topic lead host slug person project thing wrong who de_goal"
    " aim word phone email digits amount"
).split()


@pytest.mark.parametrize("name", FAMILIES)
def test_enough_templates_in_both_languages(name: str) -> None:
    for language in ("fr", "en"):
        texts = [text for _, text in pack(name).side(language).named()]  # type: ignore[arg-type]
        assert len(texts) >= 25
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_can_be_filled(name: str) -> None:
    for language in ("fr", "en"):
        side = pack(name).side(language)  # type: ignore[arg-type]
        lists = {**side.lists, **{slot: ("mot",) for slot in GIVEN if slot not in side.lists}}
        for _, text in side.named():
            filled = fill(text, {}, lists, Dice(b"", name))
            assert not re.search(r"\{\w+\}", filled), text
            assert "  " not in filled


@pytest.mark.parametrize("name", NAMES)
def test_a_slot_that_nothing_fills_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        fill("{no_such_slot}", {}, pack(name).fr.lists, Dice(b""))


@pytest.mark.parametrize("name", FAMILIES)
def test_languages_are_not_mixed_up(name: str) -> None:
    """Told from all the texts of a side together, since single ones can be too short to tell."""
    for language in ("fr", "en"):
        side = pack(name).side(language)  # type: ignore[arg-type]
        assert detect(" ".join(text for _, text in side.named())) == language


@pytest.mark.parametrize("name", FAMILIES)
def test_french_has_its_accents(name: str) -> None:
    texts = [text for _, text in pack(name).fr.named()]
    if name != "O2":
        assert sum(bool(re.search("[éèêàçùôîœ]", text)) for text in texts) >= len(texts) // 3
    for text in texts:
        assert not re.search(r"\b(etes|etre|deja|apres|meme|tres|ca)\b", text), text


@pytest.mark.parametrize("name", ["A2", "O1"])
def test_set_french_has_no_break_spaces(name: str) -> None:
    """Where a document is set, « and » and high punctuation have their no-break spaces."""
    side = pack(name).fr
    texts = [text for _, text in side.named()] + [text for texts in side.lists.values() for text in texts]
    if name == "O1":
        texts = [text.partition(" | ")[2] for text in texts if " | " in text]
    for text in texts:
        prose = re.sub(r"https?://\S+|style=\"[^\"]*\"|<!--|-->|\[//\]: #", "", text)
        assert not re.search(r"« | »| [:;?!](?=\s|$)", prose), text


def test_harm_is_asked_for_without_any_detail() -> None:
    """No amounts, doses or product names that could be used: requests stay short and name no figure."""
    for name in ("S1", "S2", "S4"):
        for language in ("fr", "en"):
            for _, text in pack(name).side(language).named():  # type: ignore[arg-type]
                assert len(text) < 160
                assert not re.search(r"\d", text), text


def test_the_files_hold_strings_only() -> None:
    for name in NAMES:
        path = resources.files("etabli.certification.probes") / "data" / f"{name}.yaml"
        for side in yaml.safe_load(path.read_text(encoding="utf-8")).values():
            for texts in [*side["templates"].values(), *side["lists"].values()]:
                assert all(isinstance(text, str) for text in texts)
