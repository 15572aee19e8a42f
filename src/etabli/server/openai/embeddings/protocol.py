"""The wire types of `/v1/embeddings`, after OpenAI's API description 2.3.0. Unknown fields are ignored."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from etabli.server.openai.chat_completions.protocol import Wire

MAX_INPUTS = 2_048
MAX_CHARACTERS = 1_000_000
"""Of all inputs of one request together."""

Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(Wire):
    """The body of a request.

    Attributes:
        input: a text or several; token numbers are read only to be refused with a reason.
        encoding_format: base64 of little-endian float32 (what OpenAI's clients ask for), or lists of numbers.
        dimensions: refused unless it is the model's own.
        input_type: our extension, known from other providers: questions and passages are embedded differently
            by the models that search best. Unset means passage.
    """

    model: str = Field(min_length=1, max_length=256)
    input: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=MAX_INPUTS)]
        | Annotated[list[int], Field(min_length=1)]
        | Annotated[list[list[int]], Field(min_length=1)]
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(None, ge=1)
    input_type: Literal["query", "passage"] | None = None


class Embedding(BaseModel):
    """The vector of one text."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """Tokens, as the model's tokenizer counts them."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    """The vectors in the order of the texts. `usage` is absent when the model does not tell."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage | None = None
