"""From what clients send to what engines understand: messages and generation parameters."""

from collections.abc import Iterable
from typing import Any

from etabli.engines.base import ChatEngine
from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.server.openai.chat_completions.protocol import ChatCompletionRequest, ContentPart, Message
from etabli.server.openai.payloads import JSON

_PASSED_ON = (
    "temperature",
    "top_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repetition_penalty",
    "chat_template_kwargs",
)
"""Parameters that go to the engine as they are. Nothing else does: engines have private ones (adapters, slots)."""


def sees_images(engine: ChatEngine) -> bool:
    """Whether the model takes pictures. An engine that can says so in a property `has_vision`."""
    return bool(getattr(engine, "has_vision", False))


def engine_messages(messages: Iterable[Message], *, images: bool) -> list[JSON]:
    """The conversation for an engine: `developer` becomes `system`, parts of text become one text.

    Args:
        messages: as the client sent them.
        images: whether pictures may stay.

    Raises:
        InvalidInputError: a part is of a kind that the model cannot read.
    """
    return [_message(message, place, images=images) for place, message in enumerate(messages)]


def generation_parameters(request: ChatCompletionRequest) -> JSON:
    """The parameters of the request that go to the engine, without those that were not given."""
    parameters: JSON = {}
    for name in _PASSED_ON:
        value = getattr(request, name)
        if value is not None:
            parameters[name] = value
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None:
        parameters["max_tokens"] = limit
    if request.response_format is not None and request.response_format.type != "text":
        parameters["response_format"] = request.response_format.model_dump(exclude_none=True)
    if request.tools:
        parameters["tools"] = [tool.model_dump(exclude_none=True) for tool in request.tools]
    return parameters


def for_choice(parameters: JSON, number: int) -> JSON:
    """The parameters for answer `number` of several: each has a seed of its own, or all would be the same."""
    if number == 0 or "seed" not in parameters:
        return parameters
    return {**parameters, "seed": parameters["seed"] + number}


def _message(message: Message, place: int, *, images: bool) -> JSON:
    role = "system" if message.role == "developer" else message.role
    shaped: JSON = {"role": role, "content": message.content}
    if isinstance(message.content, list):
        shaped["content"] = _content(message.content, f"messages.{place}.content", images=images)
    if message.name is not None:
        shaped["name"] = message.name
    if message.tool_calls:
        shaped["tool_calls"] = [call.model_dump() for call in message.tool_calls]
    if message.tool_call_id is not None:
        shaped["tool_call_id"] = message.tool_call_id
    if shaped["content"] is None and not (role == "assistant" and message.tool_calls):
        shaped["content"] = ""
    return shaped


def _content(parts: list[ContentPart], place: str, *, images: bool) -> str | list[dict[str, Any]]:
    for number, part in enumerate(parts):
        where = f"{place}.{number}"
        if part.type == "text" and part.text is not None:
            continue
        if part.type == "image_url" and part.image_url is not None:
            if images:
                continue
            raise InvalidInputError(
                tr("This model reads text only, and the message holds a picture. Send the text alone."),
                param=where,
            )
        raise InvalidInputError(
            tr("A part of type “{type}” cannot be read. Send parts of type text.", type=part.type[:40]),
            param=where,
        )
    if all(part.type == "text" for part in parts):
        return "\n".join(part.text or "" for part in parts)
    return [part.model_dump(exclude_none=True) for part in parts]
