"""One place that turns every failure into the error body that OpenAI's clients read.

`{"error": {"message", "type", "param", "code"}}`, always with the four keys. FastAPI's own shape,
`{"detail": …}`, breaks those clients.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from etabli.errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    EtabliError,
    OutputFormatError,
    RequestTooLargeError,
)
from etabli.messages import message_of, tr

RETRY_AFTER_S = 5
"""After how many seconds a client should try again when a part is not there: about what a restart takes."""

_HOPELESS = (ConfigurationError, ConflictError, OutputFormatError)
"""Failures that a second try would only repeat; clients retry 409 and 5xx unless told not to."""

logger = logging.getLogger(__name__)


class ClientLeftError(Exception):
    """Nobody waits for the answer any more. Its work was cancelled."""


def error_body(
    message: str, *, status: int, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """The error object for a status.

    >>> error_body("No.", status=404, code="model_not_found")["error"]["type"]
    'invalid_request_error'
    """
    kind = "server_error" if status >= 500 else "invalid_request_error"
    if status == 429:
        kind = "rate_limit_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def describe(error: Exception) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the error object of a failure; what nobody foresaw is logged and not told."""
    if isinstance(error, EtabliError):
        param = getattr(error, "param", None)
        return error.http_status, error_body(
            message_of(error), status=error.http_status, param=param, code=error.code
        )
    logger.error("a request failed", exc_info=error)
    message = tr(
        "Something went wrong in the server; its log says what. Try again, or tell your administrator."
    )
    return 500, error_body(message, status=500, code=EtabliError.code)


def error_response(error: Exception) -> Response:
    """The answer for a failure that happened before anything was sent."""
    status, body = describe(error)
    headers: dict[str, str] = {}
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER_S)
    elif isinstance(error, _HOPELESS):
        headers["x-should-retry"] = "false"
    elif isinstance(error, AuthenticationError):
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status_code=status, headers=headers)


def error_payload(error: Exception) -> bytes:
    """The error object for the middle of a stream, as JSON."""
    return json.dumps(describe(error)[1], ensure_ascii=False).encode()


def install_error_handlers(app: FastAPI) -> None:
    """Make `app` answer every failure in this shape, unknown routes included."""

    async def known(request: Request, error: Exception) -> Response:
        return error_response(error)

    async def left(request: Request, error: Exception) -> Response:
        return Response(status_code=499)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _http_error(request, error.status_code, str(error.detail), error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _validation_error(error)

    app.add_exception_handler(EtabliError, known)
    app.add_exception_handler(ClientLeftError, left)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


def _http_error(request: Request, status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    code = None
    if status == 404:
        code = "not_found"
        detail = tr(
            "There is nothing at {path}. The routes are listed at /openapi.json.", path=request.url.path
        )
    elif status == 405:
        code = "method_not_allowed"
        detail = tr("{path} does not take {method}.", path=request.url.path, method=request.method)
    elif status == 413:
        code = RequestTooLargeError.code
    body = error_body(detail, status=status, code=code)
    return JSONResponse(body, status_code=status, headers=dict(headers or {}))


def _validation_error(error: RequestValidationError) -> Response:
    """400 with the first fault; `param` is its place, such as `messages.0.role`."""
    fault = error.errors()[0]
    if fault["type"] == "json_invalid":
        reason = (fault.get("ctx") or {}).get("error", "")
        message = tr("The body is not JSON: {reason}.", reason=reason)
        return JSONResponse(error_body(message, status=400, code="invalid_json"), status_code=400)
    param = ".".join(str(part) for part in fault["loc"][1:]) or None
    if param is None:
        message = tr("The body must be a JSON object, sent as application/json.")
    elif fault["type"] == "missing":
        message = tr("“{param}” is missing.", param=param)
    else:
        message = tr("“{param}” cannot be used: {reason}.", param=param, reason=fault["msg"])
    body = error_body(message, status=400, param=param, code="invalid_request")
    return JSONResponse(body, status_code=400)
