"""Vectors in the forms that clients ask for."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import openai
import pytest
from fastapi.testclient import TestClient
from server_parts import LetterEmbedder

from etabli.errors import EngineUnavailableError
from etabli.server.openai.embeddings.protocol import EmbeddingList
from etabli.server.openai.embeddings.service import BATCH_TEXTS

PATH = "/v1/embeddings"
ASK: dict[str, Any] = {"model": "letters", "input": ["aab", "b"]}


def test_lists_of_numbers(api: Callable[..., TestClient]) -> None:
    body = api().post(PATH, json=ASK).json()
    listing = EmbeddingList.model_validate(body)
    assert [entry.index for entry in listing.data] == [0, 1] and body["model"] == "letters"
    expected = np.array([2, 1, 1], np.float32) / np.sqrt(np.float32(6))
    np.testing.assert_array_equal(np.array(listing.data[0].embedding, np.float32), expected)
    assert body["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


def test_base64_is_the_same_in_little_endian(api: Callable[..., TestClient]) -> None:
    client = api()
    numbers = client.post(PATH, json=ASK).json()["data"][1]["embedding"]
    encoded = client.post(PATH, json={**ASK, "encoding_format": "base64"}).json()["data"][1]["embedding"]
    np.testing.assert_array_equal(
        np.frombuffer(base64.b64decode(encoded), "<f4"), np.array(numbers, np.float32)
    )


def test_questions_and_passages_differ_and_passage_is_the_default(api: Callable[..., TestClient]) -> None:
    client = api()
    vectors = [
        client.post(PATH, json={**ASK, "input": "a", **kind}).json()["data"][0]["embedding"]
        for kind in ({}, {"input_type": "passage"}, {"input_type": "query"})
    ]
    assert vectors[0] == vectors[1] != vectors[2]


def test_order_over_batches(api: Callable[..., TestClient]) -> None:
    texts = ["a" * (number + 1) for number in range(2 * BATCH_TEXTS + 3)]
    data = api().post(PATH, json={**ASK, "input": texts}).json()["data"]
    firsts = [entry["embedding"][0] for entry in data]
    assert len(firsts) == len(texts) and firsts == sorted(firsts)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"input": [1, 2, 3]}, 400, "tokenizer"),
        ({"input": [[1], [2]]}, 400, "tokenizer"),
        ({"input": ""}, 400, ""),
        ({"input": []}, 400, ""),
        ({"input": ["a", ""]}, 400, ""),
        ({"input": ["a"] * 2049}, 400, ""),
        ({"input": "a" * 1_000_001}, 400, "1000001 characters"),
        ({"dimensions": 2}, 400, "3 dimensions"),
        ({"input_type": "clustering"}, 400, "input_type"),
        ({"encoding_format": "hex"}, 400, "encoding_format"),
        ({"model": "rh"}, 404, "rh"),
        ({"model": "qwen-test"}, 404, "qwen-test"),
    ],
)
def test_refusals(api: Callable[..., TestClient], changes: dict[str, Any], status: int, words: str) -> None:
    response = api().post(PATH, json={**ASK, **changes})
    assert response.status_code == status and words in response.json()["error"]["message"]


def test_the_models_own_dimensions_are_fine(api: Callable[..., TestClient]) -> None:
    assert api().post(PATH, json={**ASK, "dimensions": 3}).status_code == 200


def test_its_full_identity_is_a_name_too(api: Callable[..., TestClient]) -> None:
    assert api().post(PATH, json={**ASK, "model": "letters:0123:none"}).status_code == 200


def test_no_embedder_and_a_failing_one(api: Callable[..., TestClient]) -> None:
    class Failing(LetterEmbedder):
        def embed_passages(self, texts: Any) -> Any:
            raise EngineUnavailableError("later")

    assert api(embedder=None).post(PATH, json=ASK).status_code == 404
    assert api(embedder=Failing()).post(PATH, json=ASK).status_code == 503


def test_an_embedder_that_cannot_count_gives_no_usage(api: Callable[..., TestClient]) -> None:
    class Uncounted(LetterEmbedder):
        count_tokens = None  # type: ignore[assignment]

    assert "usage" not in api(embedder=Uncounted()).post(PATH, json=ASK).json()


def test_openais_client(openai_client: Callable[..., openai.OpenAI]) -> None:
    client = openai_client()
    default = client.embeddings.create(**ASK)
    numbers = client.embeddings.create(**ASK, encoding_format="float", extra_body={"input_type": "passage"})
    assert [entry.embedding for entry in default.data] == [entry.embedding for entry in numbers.data]
    assert default.usage.total_tokens == 2
