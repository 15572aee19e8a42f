"""Questions that a model proposed for training, looked at by a person one after the other. For the owner.

What is kept becomes examples with `etabli data generate`. Reads and writes files: the routes call it from a thread.
"""

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from etabli.errors import InvalidInputError
from etabli.evaluation.evaluating import training_file
from etabli.evaluation.generated import GeneratedFile, GeneratedRow
from etabli.messages import tr
from etabli.server.certification.router import only_owner
from etabli.server.services import Services

MOST_AT_ONCE = 100
_MOST_TEXT = 4000


class Counts(BaseModel):
    """How many questions of an assistant are in which state."""

    kept: int
    proposed: int
    dropped: int


class QuestionsEntry(Counts):
    """The questions of one assistant."""

    assistant: str
    title: str


class QuestionsList(BaseModel):
    """The assistants for which questions were proposed."""

    object: Literal["list"] = "list"
    data: list[QuestionsEntry]


class QuestionEntry(BaseModel):
    """One question.

    Attributes:
        answerable: whether a document answers it; else the right answer is that none does.
        quote: of the document, which the answer is about.
        found: whether the search finds that document among the first.
    """

    id: str
    state: Literal["proposed", "kept", "dropped"]
    question: str
    answer: str | None
    answerable: bool
    source: str | None
    page: int | None
    quote: str | None
    found: bool | None


class QuestionsPage(QuestionsEntry):
    """Those that nobody looked at, in the order in which they were made."""

    object: Literal["etabli.training_questions"] = "etabli.training_questions"
    data: list[QuestionEntry]


class DecisionBody(BaseModel):
    """What becomes of a question.

    Attributes:
        question: in other words; None leaves it.
        answer: likewise.
    """

    model_config = ConfigDict(extra="forbid")

    state: Literal["proposed", "kept", "dropped"]
    question: str | None = Field(None, min_length=1, max_length=_MOST_TEXT)
    answer: str | None = Field(None, min_length=1, max_length=_MOST_TEXT)


class DecisionEntry(Counts):
    """A question after a decision."""

    object: Literal["etabli.training_question"] = "etabli.training_question"
    question: QuestionEntry


class Review:
    """The endpoints.

    Args:
        services: parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._assistants = services.assistants
        self._folder = services.settings.questions_dir

    def list(self) -> QuestionsList:
        """The assistants that have any."""
        entries = []
        for one in self._assistants.list():
            counts = training_file(self._folder, one.name).counts()
            if any(counts.values()):
                entries.append(QuestionsEntry(assistant=one.name, title=one.title, **counts))
        return QuestionsList(data=entries)

    def page(self, assistant: str) -> QuestionsPage:
        """What nobody looked at.

        Raises:
            NotFoundError: there is no such assistant.
            InvalidInputError: its file has a line that cannot be used.
        """
        title, file = self._file(assistant)
        proposed = [row for row in file.rows() if row.state == "proposed"][:MOST_AT_ONCE]
        return QuestionsPage(
            assistant=assistant, title=title, **file.counts(), data=[_entry(row) for row in proposed]
        )

    def decide(self, assistant: str, question: str, body: DecisionBody) -> DecisionEntry:
        """Keep, drop or take back, and write anew.

        Raises:
            NotFoundError: there is no such assistant or question.
            InvalidInputError: it cannot be so.
        """
        _, file = self._file(assistant)
        changes: dict[str, Any] = {"state": body.state}
        if body.question is not None:
            changes["question"] = body.question.strip()
        if body.answer is not None:
            changes["answer"] = body.answer.strip()
        if "" in changes.values():
            raise InvalidInputError(tr("A question and its answer cannot be empty. Write something."))
        row = file.change(question, **changes)
        return DecisionEntry(question=_entry(row), **file.counts())

    def _file(self, assistant: str) -> tuple[str, GeneratedFile]:
        known = self._assistants.get(assistant)
        return known.title, training_file(self._folder, known.name)


def review_router(services: Services) -> APIRouter:
    """The routes."""
    review = Review(services)
    router = APIRouter(
        prefix="/v1/etabli/training/questions", tags=["training"], dependencies=[Depends(only_owner)]
    )

    @router.get("")
    async def list_questions() -> QuestionsList:
        """List the assistants for which questions were proposed."""
        return await asyncio.to_thread(review.list)

    @router.get("/{assistant}")
    async def page(assistant: str) -> QuestionsPage:
        """Give the questions that nobody looked at."""
        return await asyncio.to_thread(review.page, assistant)

    @router.post("/{assistant}/{question}")
    async def decide(assistant: str, question: str, body: DecisionBody) -> DecisionEntry:
        """Keep, drop or change a question."""
        return await asyncio.to_thread(review.decide, assistant, question, body)

    return router


def _entry(row: GeneratedRow) -> QuestionEntry:
    return QuestionEntry(**row.model_dump(include=set(QuestionEntry.model_fields)))
