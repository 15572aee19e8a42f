"""The wire of OpenAI-compatible endpoints: event streams, error bodies, where a context length is told.

Pure functions and one incremental parser; nothing here opens a connection. Sources: WHATWG HTML "Server-sent
events" section 9.2.6, and the error bodies of llama.cpp's server, vLLM and OpenAI.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from etabli.engines.base import JSON
from etabli.errors import (
    ContextLengthError,
    EngineError,
    EngineRequestError,
    EngineUnavailableError,
    EtabliError,
)
from etabli.messages import tr

DONE = b"[DONE]"
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_CONTEXT_WORDS = re.compile(
    r"(maximum|available|model'?s)\s+(model\s+)?context|context\s+(length|size|window)|max_model_len",
    re.IGNORECASE,
)
_LONGEST_QUOTE = 500
_CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length", "n_ctx")
_LAST_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class EventDecoder:
    """Takes the bytes of an event stream in any cut and gives the `data` of each complete event.

    Comments (`: keep-alive`), `event:`, `id:` and `retry:` lines are dropped. Lines end with LF or CRLF; a
    lone CR, which no engine sends, is not a line end here.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes and give the payloads that became complete, in order."""
        lines = (self._rest + piece if self._rest else piece).split(b"\n")
        self._rest = lines.pop()
        payloads: list[bytes] = []
        for line in lines:
            if line.endswith(b"\r"):
                line = line[:-1]
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"error:"):  # llama.cpp before 2025-10
                self._data.append(b'{"error":%b}' % line[6:].strip())
            elif not line and self._data:
                payloads.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data = []
        return payloads

    def finish(self) -> list[bytes]:
        """Give what a stream that ended without its last blank line still holds."""
        return self.feed(b"\n\n")


def decode_object(payload: bytes) -> JSON:
    """Parse one JSON object of an answer or of a stream.

    Raises:
        EngineError: it is not a JSON object.
    """
    try:
        value = json.loads(payload)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise EngineError(
            tr(
                "The engine answered something that is not a JSON object: check that its address is that of an API."
            )
        )
    return value


def is_last_word(payload: bytes) -> bool:
    """Whether a stream that ends after this payload, without `[DONE]`, was finished by its engine."""
    try:
        chunk = json.loads(payload)
    except ValueError:
        return False
    if not isinstance(chunk, dict):
        return False
    if chunk.get("type") in _LAST_EVENTS or (chunk.get("usage") and not chunk.get("choices")):
        return True
    choices = chunk.get("choices") or ()
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices)


def error_of(chunk: Mapping[str, Any]) -> EtabliError | None:
    """The error that a chunk in the middle of a stream carries, or None."""
    error = chunk.get("error")
    if not error and chunk.get("object") != "error":
        return None
    status = error.get("code") if isinstance(error, dict) else None
    return error_from_body(status if isinstance(status, int) else 500, chunk)


def error_from_body(status: int, body: object) -> EtabliError:
    """The error of ours that says what an engine's error body says.

    Args:
        status: the HTTP status, or the code in the body of an error in mid-stream.
        body: the parsed JSON body, or its text.
    """
    message, kind, code, param = _parts(body)
    if {kind, code} & _CONTEXT_CODES or (status in (400, 413, 422, 500) and _CONTEXT_WORDS.search(message)):
        return ContextLengthError(
            tr(
                "The question with its documents is too long for the model ({detail}). Shorten it, or choose a model "
                "with a longer context.",
                detail=message,
            ),
            param="messages",
        )
    if status in (401, 403):
        return EngineError(
            tr("The engine refused the key that Établi sent. Mend engine_key in the settings.")
        )
    if status == 404:
        return EngineError(
            tr(
                "The engine knows no such model or address: {detail}. Mend engine_url or engine_model.",
                detail=message,
            )
        )
    if status in (408, 429, 502, 503, 504):
        return EngineUnavailableError(
            tr("The engine cannot answer now ({detail}). Try again in a moment.", detail=message)
        )
    if 400 <= status < 500:
        suffix = f" [{param}]" if param else ""
        return EngineRequestError(tr("The engine refused the request: {detail}", detail=message + suffix))
    return EngineError(tr("The engine failed: {detail}", detail=message))


def _parts(body: object) -> tuple[str, str, str, str]:
    """Message, type, code and parameter out of the error shapes that engines use."""
    error: object = body
    if isinstance(body, Mapping):
        error = body.get("error") or body.get("detail") or body
    if not isinstance(error, Mapping):
        return _quote(error), "", "", ""
    message = error.get("message") or error.get("msg") or error.get("error") or json.dumps(dict(error))
    return _quote(message), *(str(error.get(key) or "") for key in ("type", "code", "param"))  # type: ignore[return-value]


def _quote(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def context_from_models(listing: Mapping[str, Any], model: str) -> int | None:
    """Context length told by `GET /v1/models` (vLLM, SGLang, LM Studio, OpenRouter…), or None."""
    entries = [entry for entry in listing.get("data") or () if isinstance(entry, dict)]
    named = [entry for entry in entries if model in (entry.get("id"), *(entry.get("aliases") or ()))]
    for entry in named or (entries if len(entries) == 1 else []):
        for place in (entry, entry.get("meta"), entry.get("top_provider")):
            values = [place.get(key) for key in _CONTEXT_KEYS] if isinstance(place, dict) else []
            for value in values:
                if isinstance(value, int) and value > 0:
                    return value
    return None


def context_from_props(props: Mapping[str, Any]) -> int | None:
    """Context length of one conversation told by llama.cpp's `GET /props`, or None."""
    settings = props.get("default_generation_settings")
    value = settings.get("n_ctx") if isinstance(settings, dict) else None
    return value if isinstance(value, int) and value > 0 else None
