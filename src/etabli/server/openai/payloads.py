"""Small values of OpenAI's wire that several endpoints share: identifiers, JSON bytes, usage."""

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

JSON = dict[str, Any]


def new_id(prefix: str) -> str:
    """An identifier such as `chatcmpl-…`, with 96 random bits."""
    return f"{prefix}-{secrets.token_hex(12)}"


def encode(value: Mapping[str, Any]) -> bytes:
    """One line of JSON in UTF-8; lone surrogates, which UTF-8 has not, become question marks.

    >>> encode({"a": "é"}).decode()
    '{"a":"é"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode(
        "utf-8", "replace"
    )


def add_usage(usages: Iterable[Mapping[str, Any] | None], *, same_prompt: bool = False) -> JSON | None:
    """The usage of several engine calls together; None when one of them was not counted.

    Args:
        usages: of each call, `prompt_tokens` and `completion_tokens` at least.
        same_prompt: the calls answer one prompt (`n` > 1), which counts once.

    >>> add_usage([{"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}] * 2, same_prompt=True)
    {'prompt_tokens': 5, 'completion_tokens': 4, 'total_tokens': 9}
    """
    counted = list(usages)
    known = [usage for usage in counted if usage is not None]
    if not known or len(known) < len(counted):
        return None
    if len(known) == 1:
        return dict(known[0])
    prompts = [int(usage.get("prompt_tokens") or 0) for usage in known]
    prompt = max(prompts) if same_prompt else sum(prompts)
    completion = sum(int(usage.get("completion_tokens") or 0) for usage in known)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
