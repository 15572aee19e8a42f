"""Which model embeds texts: the built-in one, or any engine with an OpenAI-compatible `/v1/embeddings`.

Only the host that a person wrote in `embeddings_url` is called, through `etabli.outbound`. Vectors of two engines
never compare, so the name says host, model and prefix rule.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from etabli.engines.base import Embedder, FloatMatrix
from etabli.engines.e5 import E5Embedder
from etabli.errors import ConfigurationError, EngineError, EngineRequestError, EngineUnavailableError
from etabli.messages import tr
from etabli.models.machine import read_machine
from etabli.outbound import http_client
from etabli.settings import Settings

_TEXTS_PER_REQUEST = 32
_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_LONGEST_QUOTE = 300


@dataclass(frozen=True)
class PrefixRule:
    """What a model's authors want before a question and before a passage."""

    name: str
    query: str = ""
    passage: str = ""


_NO_PREFIX = PrefixRule("none")
# From the model cards: patterns are searched in the lower-case name of the model, the first match counts.
_PREFIX_RULES = (
    (
        r"qwen3-embedding|e5-.*instruct",
        PrefixRule(
            "instruct",
            "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
        ),
    ),
    (r"\be5-(small|base|large)", PrefixRule("query-passage", "query: ", "passage: ")),
    (r"arctic-embed-.*v2", PrefixRule("query", "query: ")),
    (r"nomic-embed-text", PrefixRule("search", "search_query: ", "search_document: ")),
)


def prefix_rule(model: str) -> PrefixRule:
    """The rule for a model's name; no prefix for names we do not know (bge-m3 wants none).

    >>> prefix_rule("intfloat/multilingual-e5-base").passage, prefix_rule("BAAI/bge-m3").name
    ('passage: ', 'none')
    """
    return next((rule for pattern, rule in _PREFIX_RULES if re.search(pattern, model.lower())), _NO_PREFIX)


def create_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings choose. Loads nothing and calls nobody yet.

    Raises:
        ConfigurationError: `embeddings_url` is not an HTTP address.
    """
    if settings.embeddings_url is None:
        return E5Embedder(threads=settings.threads or read_machine(settings.models_dir).cores)
    key = settings.embeddings_key
    host = _parsed(settings.embeddings_url).host
    return OpenAIEmbedder(
        settings.embeddings_url,
        None if key is None else key.get_secret_value(),
        settings.embeddings_model or "",
        client=http_client(settings, purpose=tr("embeddings"), allow=(host,), timeout=_TIMEOUT),
    )


class OpenAIEmbedder:
    """An `Embedder` over HTTP. Safe to call from several threads."""

    def __init__(self, url: str, key: str | None, model: str, *, client: httpx.Client) -> None:
        """Remember where to ask; calls nobody.

        Args:
            url: address of the API, ending in `/v1`.
            key: sent as a bearer token when there is one.
            model: name of the model at that address.
            client: from `etabli.outbound.http_client`; `close` closes it.

        Raises:
            ConfigurationError: `url` is not an HTTP address.
        """
        parsed = _parsed(url)
        self._host = parsed.netloc.decode("ascii")
        self._url = url.rstrip("/") + "/embeddings"
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._model = model
        self._rule = prefix_rule(model)
        self._client = client
        self._dimensions: int | None = None

    @property
    def name(self) -> str:
        """`openai:<host>:<model>:<prefix rule>`."""
        return f"openai:{self._host}:{self._model}:{self._rule.name}"

    @property
    def dimensions(self) -> int:
        """Length of a vector, learnt from the engine's first answer (asked for when there was none).

        Raises: as `embed_passages`.
        """
        if self._dimensions is None:
            self.embed_passages(["dimensions"])
        assert self._dimensions is not None
        return self._dimensions

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """See `Embedder`. Raises: as `embed_passages`."""
        return self._embed([self._rule.query + text for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """See `Embedder`.

        Raises:
            EngineUnavailableError: the engine does not answer, or is overloaded.
            EngineRequestError: it refused the texts.
            EngineError: it refused the key or the model, or its answer is not usable.
            EgressDeniedError: its host is not allowed.
        """
        return self._embed([self._rule.passage + text for text in texts])

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _embed(self, texts: list[str]) -> FloatMatrix:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        parts = [
            self._ask(texts[start : start + _TEXTS_PER_REQUEST])
            for start in range(0, len(texts), _TEXTS_PER_REQUEST)
        ]
        return np.concatenate(parts)

    def _ask(self, texts: list[str]) -> FloatMatrix:
        # Providers refuse an empty text; a blank is the nearest thing they take.
        body = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "base64"}
        try:
            response = self._client.post(self._url, json=body, headers=self._headers, follow_redirects=False)
        except httpx.TransportError as error:
            raise EngineUnavailableError(
                tr(
                    "The embeddings engine at {host} does not answer. Check that it runs, then try again.",
                    host=self._host,
                )
            ) from error
        if not response.is_success:
            raise _refusal(response)
        vectors = _vectors(response, count=len(texts))
        known = self._dimensions or vectors.shape[1]
        if vectors.shape[1] != known:
            raise _unusable(f"{vectors.shape[1]} != {known}")
        self._dimensions = known
        return vectors


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError(
            tr("embeddings_url is not the address of an engine. Write it as http://host:port/v1.")
        )
    return parsed


def _vectors(response: httpx.Response, *, count: int) -> FloatMatrix:
    """The vectors of an answer in the order of the texts, divided by their L2 norms, (count, dimensions)."""
    try:
        entries = sorted(response.json()["data"], key=lambda entry: int(entry["index"]))
        rows = [_row(entry["embedding"]) for entry in entries]
        if [int(entry["index"]) for entry in entries] != list(range(count)):
            raise ValueError(f"{len(entries)} vectors for {count} texts")
        vectors = np.stack(rows)
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise _unusable(f"{type(error).__name__}: {error}") from error
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if vectors.shape[1] == 0 or not np.isfinite(norms).all() or (norms == 0).any():
        raise _unusable("norm 0, inf or nan")
    unit: FloatMatrix = (vectors / norms).astype(np.float32)
    return unit


def _row(embedding: Any) -> npt.NDArray[np.float64]:
    """One vector out of little-endian f32 in base64, or out of a list of numbers."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4").astype(np.float64)
    row = np.array(embedding, np.float64)
    if row.ndim != 1:
        raise ValueError(f"{row.ndim} axes")
    return row


def _unusable(reason: str) -> EngineError:
    return EngineError(
        tr(
            "The embeddings engine gave an answer that cannot be used ({reason}). Check embeddings_url and "
            "embeddings_model.",
            reason=_quoted(reason),
        )
    )


def _refusal(response: httpx.Response) -> EngineError:
    """The error of ours for an HTTP status that is not a success."""
    status, detail = response.status_code, _detail(response)
    if status in (401, 403):
        return EngineError(
            tr("The embeddings engine refused the key that Établi sent. Mend embeddings_key in the settings.")
        )
    if status in (408, 429) or status >= 500:
        return EngineUnavailableError(
            tr("The embeddings engine cannot answer now ({detail}). Try again in a moment.", detail=detail)
        )
    if status == 404 or status < 400:
        return EngineError(
            tr(
                "The embeddings engine knows no such model or address: {detail}. Mend embeddings_url or "
                "embeddings_model.",
                detail=detail,
            )
        )
    return EngineRequestError(tr("The embeddings engine refused the texts: {detail}", detail=detail))


def _detail(response: httpx.Response) -> str:
    """The engine's own words, or the HTTP status."""
    try:
        body = response.json()
    except ValueError:
        body = None
    error = body.get("error", body) if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    if message is None:
        return f"HTTP {response.status_code}"
    return _quoted(message if isinstance(message, str) else json.dumps(message))


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_QUOTE else flat[: _LONGEST_QUOTE - 1] + "…"
