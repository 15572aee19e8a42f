"""The wire types of `/v1/completions`, the older endpoint without a conversation. Unknown fields are ignored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from etabli.server.openai.chat_completions.protocol import (
    MAX_CHOICES,
    MAX_STOPS,
    StreamOptions,
    Usage,
    Wire,
)

MAX_PROMPTS = 16

Tokens = Annotated[list[int], Field(min_length=1)]
"""Token numbers of the engine's own tokenizer, as evaluation tools send them."""


class CompletionRequest(Wire):
    """The body of a request."""

    model: str = Field(min_length=1, max_length=256)
    prompt: (
        str
        | Tokens
        | Annotated[list[str], Field(min_length=1, max_length=MAX_PROMPTS)]
        | Annotated[list[Tokens], Field(min_length=1, max_length=MAX_PROMPTS)]
    )
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1, le=MAX_CHOICES)
    best_of: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=0, description="16 if unset, as at OpenAI.")
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = Field(None, max_length=MAX_STOPS)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = Field(None, ge=0, le=20)
    echo: bool | None = None
    suffix: str | None = None

    # Not OpenAI's; taken by llama.cpp and vLLM.
    top_k: int | None = None
    min_p: float | None = Field(None, ge=0, le=1)
    repeat_penalty: float | None = Field(None, gt=0)
    repetition_penalty: float | None = Field(None, gt=0)

    @property
    def prompts(self) -> list[str | list[int]]:
        """The prompts, one for each answer (times `n`)."""
        prompt = self.prompt
        if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int):
            return list(prompt)
        return [prompt]  # type: ignore[list-item]

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the counts."""
        return self.stream_options is not None and self.stream_options.include_usage


class CompletionChoice(BaseModel):
    """One text."""

    index: int
    text: str
    finish_reason: Literal["stop", "length", "content_filter"]
    logprobs: dict[str, Any] | None = None


class Completion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None = None
