import pytest

from etabli.engines.adapters import adapted
from etabli.errors import EngineRequestError

NAMES = ("ft:a", "ft:b")


def test_every_request_carries_the_whole_vector() -> None:
    assert adapted({"model": "ft:b", "x": 1}, NAMES) == {
        "model": "ft:b",
        "x": 1,
        "lora": [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 1.0}],
    }
    for body in ({}, {"model": "base"}, {"model": None}):
        assert adapted(body, NAMES)["lora"] == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}]


def test_what_a_caller_says_of_the_vector_does_not_count() -> None:
    body = {"model": "base", "lora": [{"id": 1, "scale": 1.0}]}
    assert adapted(body, NAMES)["lora"] == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}]


def test_without_adapters_nothing_is_added() -> None:
    body = {"model": "base"}
    assert adapted(body, ()) is body


@pytest.mark.parametrize("names", [(), NAMES])
def test_the_base_never_answers_for_an_adapter(names: tuple[str, ...]) -> None:
    with pytest.raises(EngineRequestError, match="does not hold the adapter ft:c"):
        adapted({"model": "ft:c"}, names)
