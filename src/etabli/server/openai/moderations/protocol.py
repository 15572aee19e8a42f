"""The wire types of `/v1/moderations`, after OpenAI's API description 2.3.0. Unknown fields are ignored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from etabli.server.openai.chat_completions.protocol import Wire

MAX_INPUTS = 2_048
MAX_CHARACTERS = 1_000_000
"""Of all inputs of one request together."""
OWN_MODEL = "etabli-moderation-1"
MODELS = frozenset(
    {
        OWN_MODEL,
        "omni-moderation-latest",
        "omni-moderation-2024-09-26",
        "text-moderation-latest",
        "text-moderation-stable",
        "text-moderation-007",
    }
)
"""Names that clients send; all of them are answered by our own rules, whose name the answer gives."""


class InputPart(Wire):
    """A part of one multimodal input: a text, or a picture, which is refused."""

    type: Literal["text", "image_url"]
    text: str | None = None
    image_url: dict[str, Any] | None = None


class ModerationRequest(Wire):
    """The body of a request: a text, several texts, or the parts of one input."""

    input: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=MAX_INPUTS)]
        | Annotated[list[InputPart], Field(min_length=1, max_length=MAX_INPUTS)]
    )
    model: str = Field("omni-moderation-latest", min_length=1, max_length=256)


class ModerationResult(BaseModel):
    """What was found in one input. Keys are OpenAI's categories, such as `self-harm/intent`."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text"]]]


class ModerationResponse(BaseModel):
    """One result an input, in their order."""

    id: str
    model: str
    results: list[ModerationResult]
