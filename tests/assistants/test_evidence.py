from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from small_corpus import passage

from etabli.assistants.evidence import EvidenceChooser, varied, without_duplicates
from etabli.engines.base import FloatMatrix


class CountingEmbedder:
    """Vectors by whether a text speaks of cats."""

    name = "cats"
    dimensions = 2

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return np.array([[1.0, 0.0]] * len(texts), np.float32)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        self.embedded.extend(texts)
        return np.array([[1.0, 0.0] if "chat" in text else [0.0, 1.0] for text in texts], np.float32)

    def close(self) -> None:
        """Nothing."""


def choose(
    *passages: object, characters: int = 1000, embedder: CountingEmbedder | None = None
) -> list[list[str]]:
    chooser = EvidenceChooser(embedder)
    evidence = chooser.choose("Combien coûte le badge ?", passages, characters=characters, idf={})  # type: ignore[arg-type]
    assert [source.number for source in evidence.sources] == list(range(1, len(evidence.sources) + 1))
    return [[source.units[index].text for index in sorted(source.shown)] for source in evidence.sources]


def test_the_best_sentences_fill_the_budget() -> None:
    one = passage("Le badge coûte 10 €. Le temps est beau. On mange à midi.")
    assert choose(one, characters=25) == [["Le badge coûte 10 €."]]
    assert choose(one) == [["Le badge coûte 10 €.", "Le temps est beau.", "On mange à midi."]]
    assert choose(one, characters=5) == []


def test_meaning_counts_where_a_model_is_there_and_vectors_are_kept() -> None:
    embedder = CountingEmbedder()
    one = passage("Les chats dorment. Le reste est sans objet ici.")
    chooser = EvidenceChooser(embedder)
    for _ in range(2):
        evidence = chooser.choose("Que font les félins ?", [one], characters=20, idf={})
        assert [one.units[index].text for one in evidence.sources for index in one.shown] == [
            "Les chats dorment."
        ]
        assert evidence.best_meaning == 1.0
    assert len(embedder.embedded) == 2


def test_a_row_has_the_names_of_its_columns_or_brings_its_header() -> None:
    table = "Objet | Prix\nlit | 5 €\nchaise | 7 €\nbadge | 10 €\nlampe | 3 €"
    assert choose(passage(table), characters=30) == [["badge | 10 €"]]
    ragged = table.replace("badge | 10 €", "badge | 10 € | en espèces")
    assert choose(passage(ragged), characters=45) == [["Objet | Prix", "badge | 10 € | en espèces"]]


def test_the_best_source_stands_last() -> None:
    best = passage("Le badge coûte 10 €.", chunk_id=1, version_id=3)
    other = passage("Le badge est bleu.", chunk_id=2, version_id=9, score=0.2)
    assert choose(best, other) == [["Le badge est bleu."], ["Le badge coûte 10 €."]]


def test_neighbours_are_merged_and_keep_their_places() -> None:
    first, second = "Le badge coûte 10 €.", "La caution du badge est de 15 €."
    one = passage(first, chunk_id=1, char_start=100)
    two = passage(second, chunk_id=2, char_start=100 + len(first) + 2)
    evidence = EvidenceChooser(None).choose("badge", [two, one], characters=500, idf={})
    (source,) = evidence.sources
    assert [passage.chunk_id for passage in source.passages] == [1, 2]
    assert [(unit.char_start, unit.text) for unit in source.units] == [(100, first), (122, second)]


def test_near_duplicates_are_dropped_but_different_numbers_stay() -> None:
    text = "La prime de rappel est de 40 € pour tous les agents de nuit et de jour"
    same = passage(text + ".", chunk_id=2)
    copy = passage(text + ".", chunk_id=3, version_id=4)
    other = passage("La caution est de 15 €.", chunk_id=4)
    assert [one.chunk_id for one in without_duplicates([same, copy, other])] == [2, 4]


def test_one_document_does_not_hide_the_others() -> None:
    one = [replace(passage(f"Phrase {number}."), document_id=1, chunk_id=number) for number in range(5)]
    other = replace(passage("Autre."), document_id=2, chunk_id=9)
    assert [each.chunk_id for each in varied([*one, other])] == [0, 1, 2, 9, 3, 4]
    assert list(varied(one)) == one
