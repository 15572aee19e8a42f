"""The wire types of searching documents without a model."""

from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Words = Annotated[str, Field(min_length=1, max_length=1_000)]
Range = tuple[int, int]
"""First character and end (exclusive), counted in Unicode code points."""


class SearchRequest(BaseModel):
    """The body of a search.

    Attributes:
        query: words or a question; `question` is the same.
        collection_ids: where to look, by number; those that the caller may not see hold nothing.
        collections: where to look, by name; 404 for one that the caller may not see. Without both, everywhere but
            in documents of conversations.
        limit: how many passages.
    """

    model_config = ConfigDict(extra="forbid")

    query: Words = Field(validation_alias=AliasChoices("query", "question"))
    collection_ids: list[int] | None = Field(None, max_length=1_000)
    collections: list[str] | None = Field(None, max_length=1_000)
    limit: int = Field(10, ge=1, le=100)


class Hit(BaseModel):
    """A passage that was found.

    Attributes:
        score: in [0, 1]; it ranks, and compares within one answer only.
        breadcrumb: the document's title and the headings above the passage.
        text: of the passage: characters `char_start` to `char_end` of the version's text.
        ranges: words in `text` that matched; none when it was found by its meaning alone.
        url: the page for people that shows the passage in its place.
    """

    document_id: int
    version_id: int
    document_name: str
    title: str | None
    collection_id: int
    collection: str
    media_type: str
    language: str
    page: int | None
    breadcrumb: str
    text: str
    ranges: list[Range]
    char_start: int
    char_end: int
    score: float
    url: str


class SearchAnswer(BaseModel):
    """The passages, best first.

    Attributes:
        terms: of the query, as the index knows them: stemmed, without accents.
        dense_method: how meanings were compared: `exact`, `hnsw`, or `none` (by words alone).
        times_ms: milliseconds per stage.
    """

    object: Literal["list"] = "list"
    data: list[Hit]
    terms: list[str]
    dense_method: str
    times_ms: dict[str, float]
