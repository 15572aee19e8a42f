"""Event streams cut anywhere give the same events."""

import random

from etabli.engines.openai_wire import EventDecoder, context_from_models

STREAM = (
    ": keep-alive\n\n"
    'data: {"a": "é"}\n\n'
    "event: delta\nid: 3\nretry: 5\ndata:{}\r\n\r\n"
    "data: one\ndata: two\n\n\n\n"
    "data: [DONE]\n\n"
).encode()
EVENTS = ['{"a": "é"}'.encode(), b"{}", b"one\ntwo", b"[DONE]"]


def test_whole() -> None:
    assert EventDecoder().feed(STREAM) == EVENTS


def test_every_cut() -> None:
    for cut in range(len(STREAM)):
        decoder = EventDecoder()
        assert decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:]) == EVENTS


def test_random_cuts_and_single_bytes() -> None:
    for seed in range(50):
        rng, decoder, found, at = random.Random(seed), EventDecoder(), [], 0
        while at < len(STREAM):
            step = rng.randint(1, 1 if seed == 0 else 9)
            found += decoder.feed(STREAM[at : at + step])
            at += step
        assert found == EVENTS


def test_a_last_event_without_its_blank_line() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: x") == [] and decoder.finish() == [b"x"]


def test_context_of_the_named_model_among_several() -> None:
    listing = {"data": [{"id": "a", "max_model_len": 10}, {"id": "b", "meta": {"n_ctx": 20}}, {"id": "c"}]}
    assert [context_from_models(listing, name) for name in "abcd"] == [10, 20, None, None]
    assert context_from_models({"data": [{"id": "a", "context_length": 10}]}, "other") == 10
