"""What the generator is told of a prompt: one vector for its meaning, and one for each of its tokens.

Both come from the embedding model that search uses already (multilingual-e5-small), so that French and English
prompts of one meaning lie together before any training, and no second text model is shipped. The tokens' states
carry what one vector blurs: which colour belongs to which thing, how many, on which side.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.engines.late_interaction import LateEmbedder

VECTOR, STATE = 384, 192
MOST_TOKENS = 28
# Units of a state of length 1 are some 0.07; the network wants numbers around 1.
_SCALE = np.float32(np.sqrt(STATE))


@dataclass(frozen=True, slots=True)
class Condition:
    """A prompt as numbers.

    Attributes:
        vector: shape (384,), scaled so that its units are around 1.
        states: shape (T, 192), T from 1 to `MOST_TOKENS`, likewise; later tokens are cut.
    """

    vector: FloatMatrix
    states: FloatMatrix


class TextEncoder(Protocol):
    """Turns prompts into conditions."""

    @property
    def name(self) -> str:
        """What computed the numbers: weights are made for one encoder."""
        ...

    def encode(self, text: str) -> Condition:
        """One prompt."""
        ...


class E5Text:
    """The embedding model as text encoder.

    Args:
        embedder: gives a question's vector and its tokens' states.
    """

    def __init__(self, embedder: LateEmbedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """The embedding model's."""
        return self._embedder.name

    def encode(self, text: str) -> Condition:
        """See `TextEncoder`.

        Raises:
            EngineUnavailableError: OpenVINO does not run here.
        """
        vector, states = self._embedder.embed_query_with_states(text)
        kept = states.states[:MOST_TOKENS]
        if len(kept) == 0:
            kept = np.zeros((1, STATE), np.float32)
        return Condition(vector * np.float32(np.sqrt(VECTOR)), kept * _SCALE)
