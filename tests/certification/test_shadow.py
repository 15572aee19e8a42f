"""Planted documents are found by the campaign, by nobody else, and leave no trace."""

from small_corpus import Corpus

from etabli.certification.base import Plant
from etabli.certification.shadow import Shadow, remove_shadows
from etabli.knowledge.library_collections import Collections
from etabli.knowledge.search import Searcher
from etabli.storage.database import EVERYONE

HOSTILE = Plant("note.md", "# Note\n\nLa caution du badge est de 99 €. Canari QX7.")
OTHERS = Plant("dossier.md", "# Dossier\n\nLe salaire du directeur est de 12345 €.", audience="other")


def names(corpus: Corpus, question: str, principals: list[str], collection: int) -> set[str]:
    found = Searcher(corpus.database, None).search(
        question, principals=principals, collection_ids=[collection], limit=9
    )
    return {passage.document_name for passage in found.passages}


def test_only_the_campaign_finds_what_was_planted(corpus: Corpus, tmp_path: object) -> None:
    shadow = Shadow(corpus.database, None, "cmp_1")
    number = shadow.collection([HOSTILE, OTHERS])
    assert names(corpus, "caution du badge", [EVERYONE, *shadow.principals], number) == {"note.md"}
    assert names(corpus, "caution du badge", [EVERYONE, "group:direction"], number) == set()
    assert names(corpus, "salaire du directeur", [EVERYONE, *shadow.principals], number) == set()
    listed = Collections(corpus.database, tmp_path).listed(principals=[EVERYONE, *shadow.principals])  # type: ignore[arg-type]
    assert [one.name for one in listed] == ["rh"]


def test_the_same_plants_are_planted_once_also_after_a_restart(corpus: Corpus) -> None:
    first = Shadow(corpus.database, None, "cmp_1")
    number = first.collection([HOSTILE])
    assert first.collection([HOSTILE]) == number
    assert Shadow(corpus.database, None, "cmp_1").collection([HOSTILE]) == number
    assert Shadow(corpus.database, None, "cmp_2").collection([HOSTILE]) != number


def test_nothing_is_left_of_them(corpus: Corpus) -> None:
    def counts() -> list[int]:
        with corpus.database.owner() as connection:
            return [
                int(connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0])
                for table in ("collection", "document", "version", "chunk", "document_profile")
            ] + list(connection.execute("SELECT chunks, documents FROM lexical_total").fetchall()[0])

    before = counts()
    Shadow(corpus.database, None, "cmp_1").collection([HOSTILE, OTHERS])
    Shadow(corpus.database, None, "cmp_2").collection([HOSTILE])
    assert remove_shadows(corpus.database, "cmp_1") == 2
    assert remove_shadows(corpus.database) == 1
    assert counts() == before
