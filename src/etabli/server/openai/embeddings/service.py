"""Vectors of texts, by the model that fills the index."""

import asyncio
import base64
from collections.abc import Callable
from typing import cast

import numpy as np

from etabli.engines.base import Embedder, FloatMatrix
from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.server.openai.embeddings.protocol import MAX_CHARACTERS, EmbeddingRequest
from etabli.server.openai.naming import embedding_model_name, unknown_model
from etabli.server.openai.payloads import JSON
from etabli.server.services import Services

BATCH_TEXTS = 16
"""Texts embedded between two looks at whether the client still waits."""
_AT_ONCE = 2
"""Requests that compute at once: the model uses all cores already."""


class Embeddings:
    """Embeds texts.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def create(self, request: EmbeddingRequest) -> JSON:
        """Give the vectors. Cancelling stops after the batch in progress.

        Raises:
            ModelNotFoundError: it is not the embedding model's name.
            InvalidInputError: tokens, too much text, or another length of vectors is asked for.
            EngineError: the embedding engine failed.
        """
        embedder = self._embedder(request.model)
        texts = _texts(request)
        if request.dimensions is not None:
            own = await asyncio.to_thread(lambda: embedder.dimensions)
            if request.dimensions != own:
                raise _wrong_dimensions(own)
        vectors = await self._vectors(embedder, texts, query=request.input_type == "query")
        response: JSON = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": _encoded(row, request.encoding_format)}
                for index, row in enumerate(vectors)
            ],
            "model": request.model,
        }
        tokens = await _count(embedder, texts)
        if tokens is not None:
            response["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return response

    def _embedder(self, name: str) -> Embedder:
        embedder = self._services.embedder
        if embedder is None or name not in (
            embedding_model_name(self._services.settings, embedder),
            embedder.name,
        ):
            raise unknown_model(name)
        return embedder

    async def _vectors(self, embedder: Embedder, texts: list[str], *, query: bool) -> FloatMatrix:
        """Shape (len(texts), dimensions)."""
        embed = embedder.embed_queries if query else embedder.embed_passages
        parts = []
        async with self._turn:
            for start in range(0, len(texts), BATCH_TEXTS):
                parts.append(await asyncio.to_thread(embed, texts[start : start + BATCH_TEXTS]))
        return np.concatenate(parts)


def _texts(request: EmbeddingRequest) -> list[str]:
    """The texts of a request, when they are texts and not too long together."""
    inputs = [request.input] if isinstance(request.input, str) else list(request.input)
    if not all(isinstance(item, str) for item in inputs):
        raise InvalidInputError(
            tr(
                "Token numbers cannot be embedded: they belong to another model's tokenizer. Send the text itself "
                "(in LangChain: check_embedding_ctx_length=False)."
            ),
            param="input",
        )
    texts = cast(list[str], inputs)
    characters = sum(map(len, texts))
    if characters > MAX_CHARACTERS:
        raise InvalidInputError(
            tr(
                "The texts have {characters} characters together; at most {most} are embedded at once. Send fewer.",
                characters=characters,
                most=MAX_CHARACTERS,
            ),
            param="input",
        )
    return texts


def _wrong_dimensions(own: int) -> InvalidInputError:
    return InvalidInputError(
        tr(
            "This model's vectors have {own} dimensions and are not shortened. Leave “dimensions” out.",
            own=own,
        ),
        param="dimensions",
    )


def _encoded(row: FloatMatrix, encoding: str | None) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode("ascii")
    return [float(value) for value in row]


async def _count(embedder: Embedder, texts: list[str]) -> int | None:
    """The tokens of the texts; None where the embedder cannot count."""
    counter: Callable[[str], int] | None = getattr(embedder, "count_tokens", None)
    if counter is None:
        return None
    return await asyncio.to_thread(lambda: sum(map(counter, texts)))
