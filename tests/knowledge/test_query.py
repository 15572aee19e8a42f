"""What the lexical leg asks the index for leaves out no chunk that could be among the best."""

import random
from itertools import combinations

from etabli.knowledge.bm25 import K1, idf
from etabli.knowledge.query import Needed, QueryWeights


def weights_of(frequencies: dict[int, int], chunks: int) -> QueryWeights:
    weights = {term: idf(frequency, chunks) for term, frequency in frequencies.items()}
    return QueryWeights([], weights, {}, frequencies, chunks)


def asks_for(needed: Needed, terms: set[int]) -> bool:
    """Whether a chunk with these terms is looked at."""
    if terms & set(needed.alone):
        return True
    return any(term in terms and terms & set(others) for term, others in needed.together)


def test_every_chunk_that_could_score_more_is_looked_at() -> None:
    draw = random.Random(3)
    left_out = 0
    for _ in range(300):
        frequencies = {term: draw.randint(1, 900) for term in range(1, draw.randint(2, 8))}
        weights = weights_of(frequencies, 1000)
        bounds = {term: weight * (K1 + 1) for term, weight in weights.weights.items()}
        score = draw.uniform(0, sum(bounds.values()))
        needed = weights.needed(score)
        for size in range(1, len(frequencies) + 1):
            for terms in combinations(frequencies, size):
                if sum(bounds[term] for term in terms) > score:
                    assert asks_for(needed, set(terms)), (frequencies, score, terms)
                else:
                    left_out += not asks_for(needed, set(terms))
    assert left_out > 1000


def test_a_common_term_alone_is_not_asked_for() -> None:
    weights = weights_of({1: 10, 2: 300, 3: 600}, 1000)
    score = weights.weights[2] * (K1 + 1) * 1.01

    needed = weights.needed(score)

    assert needed.alone == (1,)
    assert needed.together == ((2, (3,)),)


def test_the_rarest_terms_come_first() -> None:
    weights = weights_of({1: 600, 2: 20, 3: 30}, 1000)

    assert weights.rarest(0.03) == Needed((2, 3))
    assert weights.rarest(0.9) == Needed((2, 3, 1))
