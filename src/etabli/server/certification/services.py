"""What the routes of certification need of a workspace, as one value, so that tests can put others in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.certifying import Certifier
from etabli.certification.gate import Gate
from etabli.certification.issuing import Issuer
from etabli.certification.probes.base import Question
from etabli.certification.publishing import Publications
from etabli.certification.shopper import SecretShopper
from etabli.certification.targets.base import Target
from etabli.storage.database import Database


class AssistantsByName(Protocol):
    """The assistants of the workspace. Reads files, so call it from a thread."""

    def get(self, name: str) -> AssistantSpecification:
        """The one of this name.

        Raises:
            NotFoundError: there is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible address that a person names. Its key is kept in memory only, and never shown or logged."""

    base_url: str
    model: str
    api_key: str | None = None
    instructions: str = ""
    questions: tuple[Question, ...] = ()

    def __repr__(self) -> str:
        """Without the key."""
        return f"Endpoint({self.model!r} at {self.base_url!r})"


@dataclass(frozen=True)
class Certification:
    """The parts.

    Args:
        database: where campaigns are.
        certifier: plans and runs them.
        issuer: signs what they found.
        publications: certificates, and which assistants are published.
        gate: whether an assistant may answer.
        assistants: those of the workspace.
        version: number of an assistant's newest version. Blocks.
        endpoint: makes a target of an address; raises `EgressDeniedError` where the settings do not allow its host.
        shopper: tries published assistants while they serve; None where nobody does.
    """

    database: Database
    certifier: Certifier
    issuer: Issuer
    publications: Publications
    gate: Gate
    assistants: AssistantsByName
    version: Callable[[str], int]
    endpoint: Callable[[Endpoint], Target]
    shopper: SecretShopper | None = None
