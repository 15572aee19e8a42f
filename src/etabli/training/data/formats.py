"""In which of the field's formats a row of training data is, seen from its keys.

    openai             {"messages": [{"role", "content"}]}                                what training reads
    openai_dpo         {"input": {"messages"}, "preferred_output", "non_preferred_output"}  what training reads
    kto                {"prompt": [...], "completion": [...], "label": true}               what training reads
    kto_text           the same with texts, as TRL allows
    sharegpt           {"conversations": [{"from", "value"}]}
    alpaca             {"instruction", "input", "output"}
    mistral            {"messages"} with tool calls and ids as Mistral writes them; or {"text"}
    prompt_completion  {"prompt", "completion"}
    trl                {"prompt", "chosen", "rejected"}, also without prompt

Sources: OpenAI's API reference; FastChat's ShareGPT data; stanford_alpaca; mistral-finetune's README; TRL's dataset
formats.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from etabli.messages import tr
from etabli.training.base import Method

Format = Literal[
    "openai", "openai_dpo", "kto", "kto_text", "sharegpt", "alpaca", "mistral", "prompt_completion", "trl", "text"
]  # fmt: skip
FORMATS: tuple[Format, ...] = (
    "openai", "openai_dpo", "kto", "kto_text", "sharegpt", "alpaca", "mistral", "prompt_completion", "trl",
)  # fmt: skip
"""Those that can be named; `text` is only recognised, to be refused."""
METHOD_OF: dict[Format, Method] = {
    "openai": "supervised", "openai_dpo": "dpo", "kto": "kto", "kto_text": "kto", "sharegpt": "supervised",
    "alpaca": "supervised", "mistral": "supervised", "prompt_completion": "supervised", "trl": "dpo",
    "text": "supervised",
}  # fmt: skip
CANONICAL: frozenset[Format] = frozenset({"openai", "openai_dpo", "kto"})


def format_of(value: dict[str, Any]) -> Format | None:
    """The format of one row; None when its keys say none.

    >>> format_of({"instruction": "Translate", "input": "oui", "output": "yes"}), format_of({"a": 1})
    ('alpaca', None)
    """
    keys = value.keys()
    if "messages" in keys:
        return "mistral" if _as_mistral(value["messages"]) else "openai"
    if "preferred_output" in keys or "non_preferred_output" in keys:
        return "openai_dpo"
    if "chosen" in keys or "rejected" in keys:
        return "trl"
    if "completion" in keys and "label" in keys:
        lists = isinstance(value["completion"], list) and isinstance(value.get("prompt"), list)
        return "kto" if lists else "kto_text"
    if "conversations" in keys:
        return "sharegpt"
    if "instruction" in keys and "output" in keys:
        return "alpaca"
    if "prompt" in keys and "completion" in keys:
        return "prompt_completion"
    if isinstance(value.get("text"), str):
        return "text"
    return None


def format_among(values: Iterable[dict[str, Any]]) -> Format | None:
    """The format of most of these rows; None when none has one."""
    counts = Counter(found for value in values if (found := format_of(value)) is not None)
    if not counts:
        return None
    return counts.most_common(1)[0][0]


def format_label(name: str) -> str:
    """What a format is called, for people."""
    return {
        "openai": tr("OpenAI chat"),
        "openai_dpo": tr("OpenAI preferences"),
        "kto": tr("judged answers (KTO)"),
        "kto_text": tr("judged answers (KTO) with plain texts"),
        "sharegpt": "ShareGPT",
        "alpaca": "Alpaca",
        "mistral": "Mistral",
        "prompt_completion": tr("prompt and completion"),
        "trl": tr("preferences of TRL"),
        "text": tr("running text without questions and answers"),
    }.get(name, name)


def _as_mistral(messages: Any) -> bool:
    """Tool calls without a type, or results named only: OpenAI's have both."""
    if not isinstance(messages, list):
        return False
    for message in messages:
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        if isinstance(calls, list) and any(
            isinstance(call, dict) and "function" in call and ("type" not in call or "id" not in call)
            for call in calls
        ):
            return True
    return False
