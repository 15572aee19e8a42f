"""What the server serves: the parts of one workspace, passed down as one value.

The server never makes a part itself, so that tests can put fakes and a test database in their place.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from etabli.assistants.answer import Event
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.base import ChatEngine, Embedder
from etabli.knowledge.search import Searcher
from etabli.server.certification.services import Certification
from etabli.server.training.services import Training
from etabli.settings import Settings
from etabli.storage.database import Database


class Assistants(Protocol):
    """The assistants of the workspace. Reads files, so call it from a thread."""

    def list(self) -> list[AssistantSpecification]:
        """All of them."""
        ...

    def get(self, name: str) -> AssistantSpecification:
        """The one of this name.

        Raises:
            NotFoundError: there is none.
        """
        ...


class AssistantVersions(Protocol):
    """Earlier states of assistants. Blocks, so call it from a thread."""

    def get(self, name: str, number: int) -> AssistantSpecification:
        """One version of an assistant.

        Raises:
            NotFoundError: there is none.
        """
        ...


class Answering(Protocol):
    """Answers as an assistant does, over its documents."""

    def answer(
        self,
        assistant: AssistantSpecification,
        engine: ChatEngine,
        request: AnswerRequest,
        *,
        principals: Sequence[str],
    ) -> AsyncIterator[Event]:
        """The events of one answer; the last one is always an `Answer`. Closing it cancels the work."""
        ...


@dataclass(frozen=True)
class Services:
    """The parts that requests are answered with.

    Args:
        settings: of the installation.
        database: documents and who may see them.
        searcher: finds passages.
        embedder: turns texts into vectors; None where the installation has none.
        assistants: the assistants by name.
        answerer: answers as an assistant.
        engine: the chat model.
        api_key: what callers must show.
        state: the state of every part, for operators. May block, so it is called from a thread.
        versions: earlier states of the assistants; None where none are kept.
        certification: campaigns, certificates and the gate; None for a server without them.
        training: uploaded files, training jobs and adapters; None for a server without them.
    """

    settings: Settings
    database: Database
    searcher: Searcher
    embedder: Embedder | None
    assistants: Assistants
    answerer: Answering
    engine: ChatEngine
    api_key: str = field(repr=False)
    state: Callable[[], dict[str, Any]]
    versions: AssistantVersions | None = None
    certification: Certification | None = None
    training: Training | None = None
