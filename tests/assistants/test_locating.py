from small_corpus import Corpus

from etabli.assistants.locating import locate
from etabli.storage.database import EVERYONE


def test_a_range_has_its_literal_quote_page_and_lines(corpus: Corpus) -> None:
    text = corpus.texts["conges.md"]
    start = text.index("Sans réponse")
    end = text.index("acceptée.") + len("acceptée.")
    place = (corpus.versions["conges.md"], start, end)
    found = locate(corpus.database, [place], principals=[EVERYONE])[place]
    assert found.quote == text[start:end] and found.page == 1
    (box,) = found.boxes
    assert box.char_start <= start and end <= box.char_end


def test_what_a_caller_may_not_see_is_not_located(corpus: Corpus) -> None:
    place = (corpus.versions["secret.md"], 0, 5)
    assert locate(corpus.database, [place], principals=[EVERYONE]) == {}
    assert locate(corpus.database, [place], principals=["group:direction"])[place].quote == "Plan "
    assert locate(corpus.database, [], principals=[EVERYONE]) == {}
