import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from etabli.engines.base import FloatMatrix
from etabli.engines.fake_embedder import FakeEmbedder
from etabli.engines.late_interaction import QueryStates, pack
from etabli.errors import IndexMismatchError
from etabli.knowledge import census, index, legs
from etabli.knowledge.analysis import query_terms, terms
from etabli.knowledge.blocks import Block, ParsedDocument
from etabli.knowledge.bm25 import K1, B, idf
from etabli.knowledge.chunking import Chunk
from etabli.knowledge.library import acl_set_of
from etabli.knowledge.search import Searcher
from etabli.storage.database import EVERYONE, Database

WORDS = (
    "congé salaire prime infirmier garde bloc stérile masque patient dossier accueil badge parking repas achat "
    "facture contrat délai urgence pharmacie nuit jour semaine mois dimanche médecin protocole déchet gants main"
).split()


def write(
    database: Database, text: str, *, groups: Sequence[str] = (EVERYONE,), embed: bool = True, name: str = ""
) -> int:
    """One document of one chunk; gives its chunk's id."""
    parsed = ParsedDocument(text, (Block("paragraph", 0, len(text)),), "text/plain")
    with database.owner() as connection:
        acl = acl_set_of(connection, list(groups))
        collection = connection.execute(
            "INSERT INTO collection (name, acl_set) VALUES ('c', 1) ON CONFLICT (name)"
            " WHERE conversation_id IS NULL AND removed_at IS NULL DO UPDATE SET name = 'c' RETURNING id"
        ).fetchone()
        document = connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " VALUES (%s, %s, %s, 'x', 1, 'ready') RETURNING id",
            (collection[0], acl, name or f"{random.random()}.txt"),
        ).fetchone()
        version = index.write_version(
            connection, document[0], sha256="x", parsed=parsed, chunks=[Chunk(0, 0, len(text), None, "")]
        )
        chunk_id = connection.execute("SELECT id FROM chunk WHERE version_id = %s", (version,)).fetchone()[0]
    if embed:
        fake = FakeEmbedder()
        space = index.open_space(database, fake.name, fake.dimensions)
        index.write_vectors(database, space, [chunk_id], fake.embed_passages([text]))
    return int(chunk_id)


def corpus(size: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return [" ".join(draw.choices(WORDS, weights, k=draw.randint(3, 40))) for _ in range(size)]


def reference_bm25(texts: list[str], question: str) -> list[float]:
    """BM25 written down as in the book, in memory."""
    counted = [Counter(terms(text, "fr")) for text in texts]
    mean = sum(counts.total() for counts in counted) / len(texts)
    scores = [0.0] * len(texts)
    for term in query_terms(question):
        df = sum(term in counts for counts in counted)
        for place, counts in enumerate(counted):
            if tf := counts[term]:
                norm = K1 * (1 - B + B * counts.total() / mean)
                scores[place] += idf(df, len(texts)) * tf * (K1 + 1) / (tf + norm)
    return scores


def test_the_lexical_leg_is_exact_bm25(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legs, "DEPTH", 10)
    texts = corpus(150, seed=1)
    ids = [write(database, text, embed=False) for text in texts]
    index.reweigh(database, always=True)
    with_pruning = Searcher(database, None)
    for question in (
        "congé du dimanche",
        "gants et main",
        "congé",
        "stérile protocole pharmacie",
        "salaire prime",
    ):
        expected = reference_bm25(texts, question)
        best = sorted((-score, chunk_id) for score, chunk_id in zip(expected, ids, strict=True) if score > 0)[
            :10
        ]
        found = with_pruning.search(question, principals=[EVERYONE], limit=10).passages
        got = sorted((-passage.lexical, passage.chunk_id) for passage in found)
        assert [round(score, 3) for score, _ in got] == pytest.approx(
            [round(score, 3) for score, _ in best], abs=2e-3
        )
    with_pruning.close()


def test_fused_scores_follow_the_formula(database: Database, searcher: Searcher) -> None:
    for text in corpus(40, seed=2):
        write(database, text)
    found = searcher.search("congé de garde la nuit", principals=[EVERYONE], limit=30).passages
    lexical = np.array([passage.lexical for passage in found])
    dense = np.array([passage.dense for passage in found])
    assert found[0].score == max(passage.score for passage in found)
    assert len(found) == 30 and lexical.max() > 0 and dense.max() <= 1.0001


def test_permissions_hold_in_both_legs(database: Database, searcher: Searcher) -> None:
    for text in corpus(60, seed=3):
        write(database, text)
    secret = write(database, "canari congé congé congé", groups=["group:doctors"])
    for principals, seen in (([EVERYONE], False), ([EVERYONE, "group:doctors"], True), ([], False)):
        result = searcher.search("canari congé", principals=principals, limit=100)
        assert (secret in {passage.chunk_id for passage in result.passages}) is seen
    assert searcher.search("canari congé", principals=[], limit=100).passages == ()


def test_revocation_acts_on_the_next_query(database: Database, searcher: Searcher) -> None:
    chunk_id = write(database, "prime de nuit")
    assert searcher.search("prime de nuit", principals=[EVERYONE]).passages
    with database.owner() as connection:
        acl = acl_set_of(connection, ["group:doctors"])
        for table in ("document", "version", "chunk"):
            connection.execute(f"UPDATE {table} SET acl_set = %s", (acl,))
    assert searcher.search("prime de nuit", principals=[EVERYONE]).passages == ()
    assert chunk_id


@pytest.mark.parametrize(
    "question", ["", "   ", "?!", "zzzyyxx", "le la les", "é" * 5000, "1" * 300, "'; DROP"]
)
def test_odd_questions_are_answered(database: Database, searcher: Searcher, question: str) -> None:
    write(database, "congé annuel")
    searcher.search(question, principals=[EVERYONE])


def test_accents_and_elisions_do_not_matter(database: Database, searcher: Searcher) -> None:
    write(database, "L’œdème de l'employé est déclaré à l’accueil")
    for question in ("oedeme employe", "ŒDÈME", "d'employé", "declare accueil"):
        assert searcher.search(question, principals=[EVERYONE]).passages[0].lexical > 0, question


def test_only_the_given_collections_are_searched(database: Database, searcher: Searcher) -> None:
    write(database, "congé annuel")
    assert searcher.search("congé", principals=[EVERYONE], collection_ids=[]).passages == ()
    assert searcher.search("congé", principals=[EVERYONE], collection_ids=[1]).passages
    assert searcher.search("congé", principals=[EVERYONE], collection_ids=[99]).passages == ()


def test_two_models_do_not_mix(database: Database) -> None:
    write(database, "congé annuel")
    with pytest.raises(IndexMismatchError, match="fake-embedder"):
        index.open_space(database, "other", 64)
    other = Searcher(database, FakeEmbedder(name="other"))
    assert other.search("congé", principals=[EVERYONE]).dense_method == "none"
    other.close()
    index.drop_spaces(database)
    assert index.open_space(database, "other", 64).embedder == "other"


def test_a_chunk_without_vector_is_found(database: Database, searcher: Searcher) -> None:
    for text in corpus(20, seed=4):
        write(database, text)
    fresh = write(database, "inventaire inventaire annuel", embed=False)
    found = searcher.search("inventaire annuel", principals=[EVERYONE]).passages
    assert found[0].chunk_id == fresh and found[0].dense is None


def test_a_chunk_without_vector_is_not_favoured(database: Database, searcher: Searcher) -> None:
    """What shares one of the question's words does not pass what shares them all."""
    for text in corpus(20, seed=4):
        write(database, text)
    best = write(database, "inventaire annuel de la pharmacie")
    fresh = write(database, "rapport annuel", embed=False)
    found = [
        one.chunk_id
        for one in searcher.search("inventaire annuel de la pharmacie", principals=[EVERYONE]).passages
    ]
    assert found[0] == best and fresh in found


class LateFakeEmbedder(FakeEmbedder):
    """Gives one token state a word as well."""

    has_token_states = True

    def embed_query_with_states(self, text: str) -> tuple[FloatMatrix, QueryStates]:
        states = self.embed_passages(text.split())
        return self.embed_queries([text])[0], QueryStates(states, np.ones(len(states), np.float32))

    def embed_passages_with_states(self, texts: Sequence[str]) -> tuple[FloatMatrix, list[bytes]]:
        return self.embed_passages(texts), [pack(self.embed_passages(text.split())) for text in texts]


def test_late_interaction_goes_on_while_some_vectors_are_pending(database: Database) -> None:
    late = LateFakeEmbedder()
    space = index.open_space(database, late.name, late.dimensions)
    for text in corpus(10, seed=8):
        chunk_id = write(database, text, embed=False)
        index.write_vectors(database, space, [chunk_id], *late.embed_passages_with_states([text]))
    fresh = write(database, "congé", embed=False)
    with_late, without = Searcher(database, late), Searcher(database, late, rerank=False)
    try:
        question = "congé de garde la nuit"
        ranked = with_late.search(question, principals=[EVERYONE], limit=11).passages
        fused = without.search(question, principals=[EVERYONE], limit=11).passages
    finally:
        with_late.close()
        without.close()
    assert fresh in {one.chunk_id for one in ranked}
    assert {one.chunk_id: one.score for one in ranked} != {one.chunk_id: one.score for one in fused}
    assert [one.fused for one in fused] == pytest.approx(sorted((one.fused for one in ranked), reverse=True))


def test_weights_follow_the_mean_length(database: Database) -> None:
    write(database, "congé annuel")
    for text in corpus(30, seed=5):
        write(database, text)
    assert index.reweigh(database) > 0
    assert index.reweigh(database) == 0


def test_the_planner_compares_all_vectors_when_few_are_visible(
    database: Database, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in corpus(50, seed=6):
        write(database, text)
    write(database, "secret", groups=["group:doctors"])
    fake = FakeEmbedder()
    monkeypatch.setattr(index, "EXACT_VECTORS", 20)
    monkeypatch.setattr(census, "EXACT_VECTORS", 20)
    assert index.index_vectors(database, index.open_space(database, fake.name, fake.dimensions))
    assert not index.index_vectors(database, index.open_space(database, fake.name, fake.dimensions))
    everyone = searcher.search("congé", principals=[EVERYONE])
    doctors = searcher.search("secret", principals=["group:doctors"])
    assert (everyone.dense_method, doctors.dense_method) == ("hnsw", "exact")
    assert len(doctors.passages) == 1
