"""The wire types of `/v1/chat/completions`, after OpenAI's API description 2.3.0.

Fields that we do not know are accepted and ignored: OpenAI's clients and those of others send extras (`store`,
`metadata`, `user`, `service_tier`, and fields newer than this file), and break when those are refused. What we know
is checked. `etabli` is our one extension; it is strict.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_MESSAGES = 2_000
MAX_CHOICES = 4
MAX_STOPS = 16
MAX_TOOLS = 128


class Wire(BaseModel):
    """What clients send: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class ContentPart(Wire):
    """A part of a message. Text is read by every model, pictures by those that see, other kinds by none."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None
    image_url: dict[str, Any] | None = None


class CalledFunction(Wire):
    """The function that an earlier answer called."""

    name: str
    arguments: str = ""


class ToolCall(Wire):
    """A tool call of an earlier answer, sent back by the client."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class Message(Wire):
    """One message of the conversation. `developer` is read as `system`."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class FunctionDefinition(Wire):
    """What a tool is called, does and takes."""

    name: str = Field(min_length=1, max_length=64)
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Wire):
    """A tool that the model may call."""

    type: Literal["function"]
    function: FunctionDefinition


class ResponseFormat(Wire):
    """The form that the answer must have."""

    model_config = ConfigDict(extra="allow")

    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None


class StreamOptions(Wire):
    """What a stream holds besides the answer."""

    include_usage: bool = False


class EtabliOptions(BaseModel):
    """Our extension: what to answer from, and what to show of how an answer comes about.

    Attributes:
        collections: answer from these collections instead of the assistant's own.
        stages: send what is being done (searching, reading, writing…) while it is done.
        trace: give the searched question, what was found, what the model was sent, and the times.
    """

    model_config = ConfigDict(extra="forbid")

    collections: list[str] | None = None
    stages: bool = False
    trace: bool = False


class ChatCompletionRequest(Wire):
    """The body of a request."""

    model: str = Field(min_length=1, max_length=256)
    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1, le=MAX_CHOICES)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = Field(None, max_length=MAX_STOPS)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = Field(None, max_length=MAX_TOOLS)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    functions: list[dict[str, Any]] | None = Field(
        None, description="Withdrawn by OpenAI; refused: use tools."
    )

    # Not OpenAI's; taken by llama.cpp and vLLM, and sent by clients that know them.
    top_k: int | None = None
    min_p: float | None = Field(None, ge=0, le=1)
    repeat_penalty: float | None = Field(None, gt=0)
    repetition_penalty: float | None = Field(None, gt=0)
    chat_template_kwargs: dict[str, Any] | None = None

    etabli: EtabliOptions = EtabliOptions()

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        return self.n or 1

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the counts."""
        return self.stream_options is not None and self.stream_options.include_usage


class UrlCitation(BaseModel):
    """Where a sentence comes from: a range of the answer's text, and a link to the document.

    The link is relative to the server; its fragment is the range in the document's canonical text.
    """

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(BaseModel):
    """A citation in the one shape that OpenAI's types know, and whole under `etabli`."""

    type: Literal["url_citation"]
    url_citation: UrlCitation
    etabli: dict[str, Any]


class AnswerMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    annotations: list[Annotation] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    etabli: dict[str, Any] | None = None


class Choice(BaseModel):
    """One answer of `n`."""

    index: int
    message: AnswerMessage
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]
    logprobs: dict[str, Any] | None = None


class Usage(BaseModel):
    """Tokens, as the engine counted them. Absent when it did not."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, Any] | None = None
    completion_tokens_details: dict[str, Any] | None = None


class ChatCompletion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage | None = None


class ChunkChoice(BaseModel):
    """A piece of one answer of `n`."""

    index: int
    delta: dict[str, Any]
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"] | None
    logprobs: dict[str, Any] | None = None


class ChatCompletionChunk(BaseModel):
    """One event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    etabli: dict[str, Any] | None = None
