"""`FakeEngine` over HTTP: an ASGI application that answers as llama.cpp or vLLM do.

engine = FakeEngine(["Bonjour !"])
uvicorn.run(fake_app(engine, key="secret"))
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from etabli.engines.base import JSON
from etabli.engines.fake import FakeEngine
from etabli.errors import ContextLengthError, EngineUnavailableError, EtabliError


class _ConnectionLostError(RuntimeError):
    """Raised inside the application so that the server cuts the connection in mid-stream."""


def fake_app(
    engine: FakeEngine, *, key: str | None = None, flavour: str = "vllm", keep_alive_s: float | None = None
) -> Starlette:
    """The application.

    Args:
        engine: gives the replies and records the bodies.
        key: required as a bearer token when set.
        flavour: `llama.cpp`, `vllm` or `provider`: whose context discovery, token counting and error bodies
            it imitates; a provider has none of the first two.
        keep_alive_s: a comment is sent before the first chunk and the start of the answer delayed by this long.
    """

    def refused(request: Request) -> Response | None:
        if key is None or request.headers.get("authorization") == f"Bearer {key}":
            return None
        return _error_response("Incorrect API key provided", "invalid_api_key", 401)

    async def answer(request: Request) -> Response:
        if (refusal := refused(request)) is not None:
            return refusal
        body = json.loads(await request.body())
        path = request.url.path.removeprefix("/v1")
        try:
            if not body.get("stream"):
                return JSONResponse(await engine.complete(body, path=path))
            chunks = engine.stream(body, path=path)
            first = await anext(chunks)
        except EtabliError as error:
            return _failure(error, flavour)
        return StreamingResponse(_events(first, chunks, keep_alive_s), media_type="text/event-stream")

    async def models(request: Request) -> Response:
        if (refusal := refused(request)) is not None:
            return refusal
        entry: JSON = {"id": engine.model, "object": "model", "created": 0, "owned_by": flavour}
        if flavour == "vllm":
            entry["max_model_len"] = engine.context_tokens
        if flavour == "llama.cpp":
            entry["meta"] = {"n_ctx": engine.context_tokens * 4}
        return JSONResponse({"object": "list", "data": [entry]})

    async def props(request: Request) -> Response:
        return refused(request) or JSONResponse(
            {"default_generation_settings": {"n_ctx": engine.context_tokens}}
        )

    async def tokenize(request: Request) -> Response:
        if (refusal := refused(request)) is not None:
            return refusal
        body = json.loads(await request.body())
        tokens = list(range(len(str(body["content" if flavour == "llama.cpp" else "prompt"]).split())))
        return JSONResponse({"tokens": tokens} if flavour == "llama.cpp" else {"count": len(tokens)})

    routes = [
        Route("/v1/chat/completions", answer, methods=["POST"]),
        Route("/v1/completions", answer, methods=["POST"]),
        Route("/v1/models", models),
    ]
    if flavour == "llama.cpp":
        routes.append(Route("/props", props))
    if flavour != "provider":
        routes.append(Route("/tokenize", tokenize, methods=["POST"]))
    return Starlette(routes=routes)


async def _events(
    first: JSON, chunks: AsyncGenerator[JSON, None], keep_alive_s: float | None
) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        if keep_alive_s is not None:
            yield b": keep-alive\n\n"
            await asyncio.sleep(keep_alive_s)
        yield _event(first)
        try:
            async for chunk in chunks:
                yield _event(chunk)
        except EngineUnavailableError as error:
            raise _ConnectionLostError from error
        except EtabliError as error:
            yield _event(
                {"error": {"message": str(error), "type": "server_error", "param": None, "code": 500}}
            )
            return
    yield b"data: [DONE]\n\n"


def _event(value: JSON) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _failure(error: EtabliError, flavour: str) -> Response:
    if isinstance(error, ContextLengthError):
        kind = "exceed_context_size_error" if flavour == "llama.cpp" else "context_length_exceeded"
        return _error_response(str(error), kind, 400)
    return _error_response(str(error), error.code, error.http_status)


def _error_response(message: str, code: str, status: int) -> Response:
    error: dict[str, Any] = {"message": message, "type": code, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)
