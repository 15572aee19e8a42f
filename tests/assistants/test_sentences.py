import pytest

from etabli.assistants.sentences import sentence_ranges, units_of


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("M. Durand et Mme. Petit sont là. Ils restent.", 2),
        ("Voir l’art. 12. Puis l’art. 13.", 2),
        ("Le taux est de 2.5 points. Bien", 2),
        ("Vraiment ?! Oui… Non.", 3),
        ("Il dit « oui. » Puis il part.", 2),
        ("1. Premier point", 1),
        ("Le Dr J. Martin opère.", 1),
        ("", 0),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(sentence_ranges(text)) == count


def test_units_are_literal_ranges() -> None:
    text = "Titre\n\nUne phrase. Une autre.\n\nSont exclus :\n\n- les chats ;\n- les chiens.\n\nA | B\n1 | 2\n\nFin."
    units = units_of(text, offset=100)
    for unit in units:
        assert text[unit.char_start - 100 : unit.char_end - 100] == unit.text
    by_text = {unit.text: unit for unit in units}
    assert by_text["Titre"].heading and not by_text["Fin."].heading
    lead, header = by_text["- les chiens."].header, by_text["1 | 2"].header
    assert lead is not None and units[lead].text == "Sont exclus :"
    assert header is not None and units[header].text == "A | B" and by_text["1 | 2"].row
