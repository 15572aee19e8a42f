"""A stored turn as OpenAI's response object, and the small shapes that its events share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from etabli.assistants.answer import Citation
from etabli.assistants.specification import AssistantSpecification
from etabli.conversations.values import Turn
from etabli.server.openai.chat_completions.annotations import annotation
from etabli.server.openai.payloads import JSON
from etabli.server.openai.responses.protocol import ResponseRequest


def told_back(request: ResponseRequest, tools: list[JSON], assistant: AssistantSpecification | None) -> JSON:
    """The parameters that a response tells back; those that clients read without looking are never null."""
    text: JSON = {"format": {"type": "text"}}
    if request.text is not None and request.text.format is not None:
        text["format"] = request.text.format.model_dump(by_alias=True, exclude_none=True)
    if request.text is not None and request.text.verbosity is not None:
        text["verbosity"] = request.text.verbosity
    temperature = request.temperature
    if temperature is None:
        temperature = 1.0 if assistant is None else assistant.temperature
    return {
        "background": bool(request.background),
        "frequency_penalty": request.frequency_penalty or 0.0,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": None,
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "presence_penalty": request.presence_penalty or 0.0,
        "prompt_cache_key": request.prompt_cache_key,
        "reasoning": None if request.reasoning is None else request.reasoning.model_dump(),
        "safety_identifier": request.safety_identifier,
        "service_tier": "default",
        "store": request.stored,
        "temperature": temperature,
        "text": text,
        "tool_choice": request.tool_choice or "auto",
        "tools": tools,
        "top_logprobs": 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": request.truncation or "auto",
        "user": request.user,
    }


def response_object(turn: Turn) -> JSON:
    """The response object of a turn."""
    etabli: JSON = {
        "abstained": turn.abstained,
        "guarded": turn.guarded,
        "written_by": turn.written_by,
        "title": turn.conversation_title,
    }
    if turn.trace is not None:
        etabli["trace"] = turn.trace
    details = None if turn.incomplete_reason is None else {"reason": turn.incomplete_reason}
    return {
        "id": turn.id,
        "object": "response",
        "created_at": unix(turn.created_at),
        "completed_at": None if turn.completed_at is None else unix(turn.completed_at),
        "status": turn.status,
        "error": turn.error,
        "incomplete_details": details,
        "model": turn.model,
        "output": turn.output,
        "previous_response_id": turn.previous_id,
        "conversation": None if turn.conversation_id is None else {"id": turn.conversation_id},
        "usage": turn.usage,
        "metadata": turn.metadata,
        **turn.request,
        "etabli": etabli,
    }


def flat_annotation(citation: Citation) -> JSON:
    """A citation as Responses have it: the same object as in chat completions, one level less."""
    whole = annotation(citation)
    return {"type": whole["type"], **whole["url_citation"], "etabli": whole["etabli"]}


def response_usage(usage: Mapping[str, Any] | None) -> JSON | None:
    """What the engine counted, in the words of Responses; None where it did not count."""
    if usage is None:
        return None
    asked = int(usage.get("prompt_tokens") or 0)
    written = int(usage.get("completion_tokens") or 0)
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": int(cached), "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": int(thought)},
        "total_tokens": int(usage.get("total_tokens") or asked + written),
    }


def unix(moment: datetime) -> int:
    """Seconds since 1970."""
    return int(moment.timestamp())
