"""What the product needs of an engine, whoever runs it. Bodies are those of OpenAI's HTTP API, unchanged."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

JSON = dict[str, Any]
FloatMatrix = npt.NDArray[np.float32]


class ChatEngine(Protocol):
    """A chat model behind an OpenAI-compatible HTTP endpoint."""

    @property
    def model(self) -> str:
        """The name of the model at the endpoint."""
        ...

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        ...

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """Send `body` and wait for the whole answer.

        Raises:
            EngineUnavailableError: it does not answer, or died meanwhile.
            EngineRequestError: it refused the request.
            ContextLengthError: the prompt is too long for the model.
        """
        ...

    def stream(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> AsyncIterator[JSON]:
        """Send `body` with `stream: true` and give the chunks as they come. Closing it cancels the work.

        Raises: as `complete`.
        """
        ...

    async def count_tokens(self, text: str) -> int:
        """How many tokens `text` has for this model (counted where the engine can, else 1 a 3 characters)."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...


class Embedder(Protocol):
    """A model that turns texts into vectors of unit length."""

    @property
    def name(self) -> str:
        """Identity: model, weights' hash and prefix rule. Two vectors compare only under equal names."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Vectors of questions, shape (len(texts), dimensions), rows of L2 norm 1."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Vectors of passages, shape (len(texts), dimensions), rows of L2 norm 1."""
        ...

    def close(self) -> None:
        """Give back memory and connections."""
        ...
