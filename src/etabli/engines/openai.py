"""A chat engine behind an OpenAI-compatible HTTP endpoint: llama.cpp, vLLM, SGLang or a provider, all alike.

It adds nothing to a body but the name of the model and, for an engine of ours, the strength of each adapter; it
follows no redirect, and calls no other host than the one it was given. Whether that host may be called is decided by
whoever builds it (`engines/local.py`).
"""

import asyncio
import contextlib
import ipaddress
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from etabli.engines.adapters import adapted
from etabli.engines.base import JSON
from etabli.engines.direct_http import DirectTransport
from etabli.engines.openai_wire import (
    DONE,
    EventDecoder,
    context_from_models,
    context_from_props,
    decode_object,
    error_from_body,
    error_of,
    is_last_word,
)
from etabli.errors import ConfigurationError, EngineError, EngineUnavailableError, EtabliError
from etabli.messages import tr

ASSUMED_CONTEXT_TOKENS = 4096
"""Taken when the engine tells no context length: small enough for any chat model in use."""

CHARACTERS_PER_TOKEN = 3
"""Of French text under the tokenizers in use, rounded down so that the estimate errs on the safe side."""

_END_S = 0.5
"""How long to wait for the end of a stream after its last event; then its connection is given up."""

_CONNECTIONS, _IDLE_CONNECTIONS, _IDLE_S = 2048, 256, 30.0


class OpenAIEngine:
    """Implements `ChatEngine` over HTTP.

    Args:
        base_url: address of the API, `http://host:port/v1`.
        key: sent as a bearer token; None sends none.
        model: name of the model at the endpoint, put into bodies that name none.
        context_tokens: what prompt and answer may have together; `discover_context` asks the engine.
        timeout_s: longest silence of the engine before the request is given up. A long prompt on a slow
            machine keeps it silent for minutes.
        connect_timeout_s: longest time to open a connection.
        adapters: names of those that an engine of ours holds, in its order; None for somebody else's engine, which
            knows by itself what a name stands for.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        *,
        model: str,
        context_tokens: int | None = None,
        timeout_s: float = 600.0,
        connect_timeout_s: float = 5.0,
        adapters: Sequence[str] | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                tr("{url} is not the address of an engine. Write it as http://host:port/v1.", url=base_url)
            )
        self.base_url = base_url.rstrip("/")
        self._host = parts.hostname
        self._scheme = parts.scheme
        self._key = key
        self._model = model
        self._context_tokens = context_tokens
        self._timeout = httpx.Timeout(timeout_s, connect=connect_timeout_s, pool=timeout_s)
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tokenizes = True
        self._adapters = adapters

    @property
    def model(self) -> str:
        """The name of the model at the endpoint."""
        return self._model

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together: given, discovered, or else assumed."""
        return self._context_tokens or ASSUMED_CONTEXT_TOKENS

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """Send `body` and wait for the whole answer. Cancelling the task closes the connection.

        Raises:
            EngineUnavailableError: it does not answer, or died meanwhile.
            EngineRequestError: it refused the request.
            ContextLengthError: the prompt is too long for the model.
            EngineError: it failed, or refused the key or the model's name.
        """
        content = self._encode(body, stream=False)
        try:
            response = await self._http().post(self.base_url + path, content=content)
        except httpx.TransportError as error:
            raise self._unavailable(error, started=False) from error
        if not response.is_success:
            raise _refusal(response)
        answer = decode_object(response.content)
        failure = error_of(answer)
        if failure is not None:
            raise failure
        return answer

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[JSON, None]:
        """Send `body` with `stream: true` and give the chunks as they come.

        Closing the iterator (`contextlib.aclosing`) closes the connection, at which the engine stops working.

        Raises: as `complete`, also in mid-stream.
        """
        async with aclosing(self.stream_raw(body, path=path)) as payloads:
            async for payload in payloads:
                yield decode_object(payload)

    async def stream_raw(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[bytes, None]:
        """As `stream`, but gives each event's JSON unparsed: for a gateway that passes chunks on.

        Errors in mid-stream are raised, not given; the final `[DONE]` is swallowed.

        Raises: as `complete`, also in mid-stream.
        """
        content = self._encode(body, stream=True)
        started = False
        tail: list[bytes] = []
        try:
            async with self._http().stream("POST", self.base_url + path, content=content) as response:
                if not response.is_success:
                    await response.aread()
                    raise _refusal(response)
                decoder = EventDecoder()
                pieces = response.aiter_raw()
                async for piece in pieces:
                    for payload in decoder.feed(piece):
                        if payload == DONE:
                            await _read_to_end(pieces)
                            return
                        _raise_if_error(payload)
                        started = True
                        tail = [*tail[-1:], payload]
                        yield payload
                for payload in decoder.finish():
                    if payload == DONE:
                        return
                    _raise_if_error(payload)
                    tail.append(payload)
                    yield payload
        except httpx.TransportError as error:
            raise self._unavailable(error, started=started) from error
        if not any(is_last_word(payload) for payload in tail):
            raise self._unavailable(None, started=True)

    async def count_tokens(self, text: str) -> int:
        """How many tokens `text` has for this model, without template or special tokens.

        Counted by `POST /tokenize` where the engine has it (llama.cpp, vLLM), else one per three characters.
        """
        if self._tokenizes:
            # One body for both dialects: llama.cpp reads `content`, vLLM reads `prompt`.
            body = {"model": self._model, "content": text, "prompt": text, "add_special_tokens": False}
            try:
                response = await self._http().post(f"{self._root()}/tokenize", json=body)
                answer = response.json() if response.is_success else {}
            except (httpx.TransportError, ValueError):
                return estimate_tokens(text)
            count = answer.get("count") if isinstance(answer, dict) else None
            tokens = answer.get("tokens") if isinstance(answer, dict) else None
            if isinstance(count, int):
                return count
            if isinstance(tokens, list):
                return len(tokens)
            self._tokenizes = response.is_server_error
        return estimate_tokens(text)

    async def discover_context(self) -> int | None:
        """Ask the engine for its context length and keep it; None where the engine does not tell.

        A length given at construction is only ever made smaller.

        Raises:
            EngineUnavailableError: it does not answer.
            EngineError: it refused the key.
        """
        found = None
        props = await self._get(f"{self._root()}/props")
        listing = await self._get(f"{self.base_url}/models")
        if props is not None:
            found = context_from_props(props)
        if found is None and listing is not None:
            found = context_from_models(listing, self._model)
        if found is not None:
            self._context_tokens = min(found, self._context_tokens or found)
        return found

    async def is_alive(self) -> bool:
        """Whether the endpoint answers `GET /models` with success."""
        try:
            return await self._get(f"{self.base_url}/models") is not None
        except EngineError:
            return False

    async def aclose(self) -> None:
        """Give back connections. The engine can be used again afterwards."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _get(self, url: str) -> JSON | None:
        """The JSON object at `url`, or None where there is none."""
        try:
            response = await self._http().get(url, timeout=10.0)
        except httpx.TransportError as error:
            raise self._unavailable(error, started=False) from error
        if response.status_code in (401, 403):
            raise _refusal(response)
        try:
            value = response.json() if response.is_success else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def _http(self) -> httpx.AsyncClient:
        """The client of the running event loop: connections of another loop cannot be used."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            self._client = httpx.AsyncClient(
                headers=headers,
                timeout=self._timeout,
                limits=httpx.Limits(
                    max_connections=_CONNECTIONS,
                    max_keepalive_connections=_IDLE_CONNECTIONS,
                    keepalive_expiry=_IDLE_S,
                ),
                transport=self._direct_transport(),
                follow_redirects=False,
                trust_env=not is_loopback(self._host),  # a proxy of the environment must not see local calls
            )
            self._loop = loop
        return self._client

    def _direct_transport(self) -> DirectTransport | None:
        """Ours, which costs a fraction for each token, where neither TLS nor a proxy is between."""
        if self._scheme != "http" or not (is_loopback(self._host) or _needs_no_proxy(self._host)):
            return None
        return DirectTransport(max_connections=_CONNECTIONS, max_idle=_IDLE_CONNECTIONS, idle_s=_IDLE_S)

    def _root(self) -> str:
        """The server's root: llama.cpp and vLLM keep `/tokenize` and `/props` outside `/v1`."""
        return self.base_url.removesuffix("/v1")

    def _encode(self, body: Mapping[str, Any], *, stream: bool) -> bytes:
        full = {"model": self._model, **body, "stream": stream}
        if self._adapters is not None:
            full = dict(adapted(full, self._adapters))
        if not stream:
            full.pop("stream_options", None)
        return json.dumps(full, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def _unavailable(self, error: httpx.TransportError | None, *, started: bool) -> EngineUnavailableError:
        if isinstance(error, httpx.ReadTimeout):
            return EngineUnavailableError(
                tr("The engine has been silent for {seconds} seconds: the request was given up.",
                   seconds=int(self._timeout.read or 0))
            )  # fmt: skip
        if started:
            return EngineUnavailableError(
                tr("The engine stopped in the middle of the answer. Try again in a moment.")
            )
        return EngineUnavailableError(
            tr("The engine at {host} does not answer. Check that it runs, then try again.", host=self._host)
        )


def estimate_tokens(text: str) -> int:
    """One token per three characters, rounded up.

    >>> estimate_tokens("Bonjour")
    3
    """
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("example.org")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _needs_no_proxy(host: str) -> bool:
    """Whether the environment wants plain HTTP to `host` to go there directly."""
    proxies = getproxies()
    return not (proxies.get("http") or proxies.get("all")) or bool(proxy_bypass(host))


async def _read_to_end(pieces: AsyncIterator[bytes]) -> None:
    """Read the few bytes after the last event: only then can the connection be used again."""
    with contextlib.suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(_END_S):
            async for _ in pieces:
                pass


def _refusal(response: httpx.Response) -> EtabliError:
    try:
        body: object = response.json()
    except ValueError:
        body = response.text or f"HTTP {response.status_code}"
    if response.is_redirect:
        body = f"HTTP {response.status_code}"
    return error_from_body(response.status_code, body)


def _raise_if_error(payload: bytes) -> None:
    """Raise the error that a payload carries. The cheap test first: text cannot hold an unescaped `"error"`."""
    if b'"error"' in payload:
        failure = error_of(decode_object(payload))
        if failure is not None:
            raise failure
