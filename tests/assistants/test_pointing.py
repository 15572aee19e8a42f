from collections.abc import Sequence

import numpy as np
import pytest
from small_corpus import passage

from etabli.assistants.closest import as_answer, closest_of
from etabli.assistants.evidence import EvidenceChooser
from etabli.assistants.expecting import expected
from etabli.assistants.pointing import NEIGHBOURS, WEIGHTS, WITHOUT_MODEL, Figures, word_figures
from etabli.assistants.sentences import units_of
from etabli.engines.base import FloatMatrix
from etabli.engines.late_interaction import QueryStates, pack


def test_terms_of_the_neighbours_count_less_than_its_own() -> None:
    units = units_of("Le badge est bleu. Il coûte dix euros pièce. Rien à dire de plus ici.", offset=0)
    texts = [unit.text for unit in units]
    figures = word_figures({"badg": 3.0, "cout": 1.0}, None, units, texts, 0.5)
    assert [round(one.words, 3) for one in figures] == [
        pytest.approx((3 + NEIGHBOURS * 1) / 4, abs=1e-3),
        pytest.approx((1 + NEIGHBOURS * 3) / 4, abs=1e-3),
        pytest.approx(NEIGHBOURS * 1 / 4, abs=1e-3),
    ]
    assert {one.passage for one in figures} == {0.5} and figures[0].short == 1.0 and figures[1].short == 0.0


@pytest.mark.parametrize("weights", [WEIGHTS, WITHOUT_MODEL])
def test_the_kind_of_thing_asked_for_decides_between_equals(weights: object) -> None:
    equal = {"words": 0.5, "likeness": 0.5, "passage": 1.0, "short": 0.0}
    with_date, without = Figures(expected=1.0, **equal), Figures(expected=0.0, **equal)
    assert with_date.score(weights) > without.score(weights)  # type: ignore[arg-type]


def test_a_row_is_found_by_its_column_and_shown_with_it() -> None:
    table = "Saison | Demande avant le\nÉté | 28 février\nHiver | 15 septembre"
    found = [
        passage(table, breadcrumb="Congés > 2. Les délais"),
        passage("L’été, on ferme deux salles.", chunk_id=2),
    ]
    evidence = EvidenceChooser(None).choose(
        "Avant quelle date demander ses congés d’été ?", found, characters=500, idf={}
    )
    quotation = closest_of(evidence)
    assert quotation is not None and quotation.literal == "Été | 28 février"
    assert quotation.told("fr") == "Saison : Été ; Demande avant le : 28 février"
    assert as_answer(quotation, "fr") == (
        "Vos documents disent, sous «\u00a0Les délais\u00a0»\u00a0: Saison : Été ; Demande avant le : 28 février"
    )
    assert quotation.answers(expected("Avant quelle date ?"))


class LateWords:
    """Token states by whether a text speaks of cats; vectors tell nothing."""

    name = "late"
    dimensions = 2
    has_token_states = True

    def embed_query_with_states(self, text: str) -> tuple[FloatMatrix, QueryStates]:
        one = np.array([[1.0, 0.0]], np.float32)
        return one[0], QueryStates(one, np.ones(1, np.float32))

    def embed_passages_with_states(self, texts: Sequence[str]) -> tuple[FloatMatrix, list[bytes]]:
        rows = [[1.0, 0.0] if "chat" in text else [0.0, 1.0] for text in texts]
        return np.tile(np.array([0.6, 0.8], np.float32), (len(texts), 1)), [
            pack(np.array([row], np.float32)) for row in rows
        ]

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        raise AssertionError("late interaction takes one question at a time")

    embed_passages = embed_queries

    def close(self) -> None:
        """Nothing."""


def test_late_interaction_ranks_sentences_where_the_model_gives_states() -> None:
    found = [passage("Le reste est sans aucun objet ici. Les chats dorment le jour et la nuit.")]
    evidence = EvidenceChooser(LateWords()).choose("Que font les félins ?", found, characters=500, idf={})
    quotation = closest_of(evidence)
    assert quotation is not None and "chats" in quotation.literal
    assert evidence.figures is not None and evidence.figures.likeness == pytest.approx(1.0)
    assert evidence.best_meaning == pytest.approx(0.6)
