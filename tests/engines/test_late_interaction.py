import numpy as np

from etabli.engines.late_interaction import QueryStates, max_sim, pack, unpack


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_packing_keeps_directions_and_half_a_byte_a_component() -> None:
    states = unit(np.random.default_rng(1).normal(size=(50, 192)))
    data = pack(states)
    assert len(data) == 50 * 96
    assert (unpack(data, components=192) * states).sum(axis=1).min() > 0.97
    assert unpack(b"", components=192).shape == (0, 192)
    assert np.isfinite(unpack(pack(np.zeros((2, 4), np.float32)), components=4)).all()


def test_the_score_is_the_formula() -> None:
    passage = np.eye(4, dtype=np.float32)[:2]
    query = QueryStates(
        unit(np.array([[1, 0, 0, 0], [0, 0, 1, 1], [0, -1, 0, 0.0]])), np.array([2.0, 1.0, 1.0])
    )
    assert max_sim(query, [pack(passage)]) == [0.5]
