from etabli.assistants.sentences import units_of
from etabli.assistants.wording import heading_over, in_words, label, row_in_words

TEXT = """2. Les tarifs

Lit | Prix | Durée
seul | 10 € |
double | 15 €

Il faut apporter :
- un drap
- une taie"""


def test_a_row_has_the_names_of_its_columns_without_empty_cells() -> None:
    units = units_of(TEXT, offset=0)
    texts = [in_words(units, index, "Guide") for index in range(len(units))]
    assert "Les tarifs : Lit : seul ; Prix : 10 €" in texts
    # A row that does not fit its header stays as it is.
    assert "Les tarifs : double | 15 €" in texts


def test_a_list_item_has_its_lead_in() -> None:
    units = units_of(TEXT, offset=0)
    place = next(index for index, unit in enumerate(units) if "drap" in unit.text)
    assert in_words(units, place, "Guide") == "Les tarifs : Il faut apporter : - un drap"


def test_the_heading_comes_from_the_passage_or_from_what_stands_above_it() -> None:
    units = units_of("Un drap est fourni. Une taie aussi.", offset=0)
    assert heading_over(units, 1, "Guide > 3. Le linge :") == "Le linge"
    assert heading_over(units, 1, "Guide") == ""


def test_numbers_of_headings_go_but_not_of_years() -> None:
    assert label("Article 6 – La pause") == "La pause" and label("IV. Paie") == "Paie"
    assert label("2026") == "2026" and label("12 mois après") != ""


def test_a_row_without_header_is_left_alone() -> None:
    assert row_in_words("a | b", None) == "a | b" and row_in_words("a | b", "x | y | z") == "a | b"
