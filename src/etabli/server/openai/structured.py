"""`response_format`: what the model wrote is checked, mended once, or refused; never passed on as if it fitted.

Engines constrain their output by a grammar where they can, and not every engine or schema can. JSON Schema is
draft 2020-12 (json-schema.org); references lead nowhere but into the schema itself, so that no request makes the
server fetch anything. Patterns are Python's and could take for ever on a crafted text, so that a schema with one
is checked in a process of its own that can be stopped.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_process
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from etabli.engines.base import ChatEngine
from etabli.errors import EtabliError, InvalidInputError, OutputFormatError
from etabli.messages import tr
from etabli.server.openai.json_check import find_fault, shortened
from etabli.server.openai.payloads import JSON, encode

MAX_SCHEMA_BYTES = 64 * 1024
CHECK_LIMIT_S = 10.0
"""Longest time that checking one answer may take, a process that must be started included."""
_PATTERNS = frozenset({"pattern", "patternProperties"})


@dataclass(frozen=True)
class OutputFormat:
    """The form that an answer must have.

    Args:
        request: the `response_format` as the client sent it, for the engine.
        schema: the JSON Schema; None where any JSON object will do.
    """

    request: JSON
    schema: JSON | None

    async def fault(self, text: str) -> str | None:
        """Why `text` does not have this form, in one line; None when it does.

        Raises:
            InvalidInputError: the schema cannot be used, or takes too long to check.
        """
        try:
            with anyio.fail_after(CHECK_LIMIT_S):
                if self.schema is not None and any(key in _PATTERNS for key, _ in _entries(self.schema)):
                    return await anyio.to_process.run_sync(find_fault, text, self.schema, cancellable=True)
                return await asyncio.to_thread(find_fault, text, self.schema)
        except TimeoutError:
            raise _bad_schema(tr("checking an answer against it takes too long")) from None
        except EtabliError:
            raise
        except Exception as error:  # a reference to nothing, a pattern that is not one, endless recursion
            raise _bad_schema(f"{type(error).__name__}: {error}") from None


def output_format(response_format: Mapping[str, Any] | None) -> OutputFormat | None:
    """The form that a request asks for; None where text will do.

    Raises:
        InvalidInputError: its schema is not one, is too large, or refers to another place.
    """
    if response_format is None or response_format.get("type") == "text":
        return None
    request = dict(response_format)
    if request["type"] == "json_object":
        schema = request.get("schema")  # not OpenAI's, but llama.cpp's and others'
        if schema is None:
            return OutputFormat(request, None)
    else:
        schema = (request.get("json_schema") or {}).get("schema")
    if not isinstance(schema, dict):
        raise _bad_schema(tr("the schema must be an object"))
    if len(encode(schema)) > MAX_SCHEMA_BYTES:
        raise _bad_schema(tr("it is larger than {limit} KiB", limit=MAX_SCHEMA_BYTES // 1024))
    for key, value in _entries(schema):
        if key in ("$ref", "$dynamicRef") and isinstance(value, str) and not value.startswith("#"):
            raise _bad_schema(tr("it refers to {place}, outside itself", place=value))
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise _bad_schema(error.message) from None
    return OutputFormat(request, schema)


async def mend(
    engine: ChatEngine, text: str, fault: str, form: OutputFormat, *, max_tokens: int | None
) -> tuple[str, JSON | None]:
    """Have the engine write `text` again in the right form, once.

    Args:
        engine: the engine.
        text: what it wrote.
        fault: what is wrong with it.
        form: the form it must have.
        max_tokens: of the new text.

    Returns:
        The mended text and what it cost.

    Raises:
        OutputFormatError: that did not help.
    """
    wanted = (
        "a JSON object" if form.schema is None else f"JSON that fits this schema: {json.dumps(form.schema)}"
    )
    body: JSON = {
        "messages": [
            {"role": "system", "content": f"You turn a text into {wanted}. Answer with the JSON alone."},
            {"role": "user", "content": f"{text}\n\nWhat is wrong with it: {fault}"},
        ],
        "response_format": form.request,
        "temperature": 0.0,
    }
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    answer = await engine.complete(body)
    mended = str(answer["choices"][0]["message"].get("content") or "")
    remaining = await form.fault(mended)
    if remaining is not None:
        raise wrong_form(remaining)
    return mended, answer.get("usage")


def wrong_form(fault: str) -> OutputFormatError:
    """The error for an answer that is not what was asked for."""
    return OutputFormatError(
        tr(
            "The model did not write the JSON that response_format asks for ({fault}). Simplify the schema, say in "
            "the prompt what you want, or choose a larger model.",
            fault=fault,
        )
    )


def _bad_schema(reason: str) -> InvalidInputError:
    message = tr("The schema in response_format cannot be used: {reason}.", reason=shortened(reason))
    return InvalidInputError(message, param="response_format")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value of nested JSON."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item.items()
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
