"""The wire types of `/v1/models`, after OpenAI's API description 2.3.0, with the extras that clients look for."""

from typing import Literal

from pydantic import BaseModel


class Standing(BaseModel):
    """Whether an assistant may answer, and under which certificate.

    Attributes:
        state: `draft` (never published), `certified`, `conditional`, `break-glass`, `expired`, or `none` where it is
            published and no certificate holds for what it is now: it does not answer.
        certificate: id of the one that it is published under.
        until: Unix time in seconds: when that certificate, or the exception, ends.
    """

    state: Literal["draft", "certified", "conditional", "break-glass", "expired", "none"]
    certificate: str | None = None
    until: int | None = None


class ModelDetails(BaseModel):
    """Our extension: what a chat page shows of a model.

    Attributes:
        kind: an assistant, the engine's own model, one of its adapters, or the embedding model.
        description: for people.
        language: the assistant's.
        first_questions: examples to begin with.
        standing: of an assistant; null where the installation certifies nothing.
    """

    kind: Literal["assistant", "model", "adapter", "embeddings"]
    description: str = ""
    language: str | None = None
    first_questions: list[str] = []
    standing: Standing | None = None


class Model(BaseModel):
    """One name that `model` may have.

    Attributes:
        created: Unix time in seconds: of the assistant's file, else of the server's start.
        context_length: tokens of prompt and answer together; None where it is not known.
        max_model_len: the same, under the name that vLLM's clients look for.
        title: for people.
    """

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["etabli"] = "etabli"
    context_length: int | None
    max_model_len: int | None
    title: str
    etabli: ModelDetails


class ModelList(BaseModel):
    """All of them, assistants first."""

    object: Literal["list"] = "list"
    data: list[Model]
