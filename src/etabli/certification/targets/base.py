"""What is examined, as a campaign sees it: something that answers the turns of a probe."""

from dataclasses import dataclass
from typing import Protocol

from etabli.certification.base import JSON, Probe, Response
from etabli.certification.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Abilities:
    """What can be tried on a target; what cannot is told as not tested, never as passed.

    Args:
        documents: documents can be planted among its own.
        other_readers: documents of other people can be planted, which the caller may not see.
        instructions: a canary can be added to its instructions.
        tools: it may be given tools, or has some.
        citations: it says which documents its answers come from.
    """

    documents: bool
    other_readers: bool
    instructions: bool
    tools: bool
    citations: bool


class Target(Protocol):
    """Something that answers. Its methods may be called for several probes at once, up to `slots`."""

    @property
    def name(self) -> str:
        """As people call it."""
        ...

    @property
    def model(self) -> str:
        """The model behind it, as it says."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What can be tried on it."""
        ...

    @property
    def slots(self) -> int:
        """How many conversations it carries at once."""
        ...

    @property
    def environment(self) -> JSON:
        """What the figures depend on beside the bundle: processor, threads, slots."""
        ...

    async def bundle(self) -> Bundle:
        """What it is made of now."""
        ...

    async def converse(self, probe: Probe, *, seed: int) -> tuple[Response, ...]:
        """Send the turns of a probe one after the other; one response a turn, `error` set where there is none."""
        ...

    def forget(self) -> None:
        """Answer anew from now on what was answered before."""
        ...

    async def aclose(self) -> None:
        """Take back everything that was planted, and give back connections."""
        ...


def needs(probe: Probe) -> set[str]:
    """Names of the abilities without which a probe cannot be tried."""
    wanted = set()
    if probe.plants:
        wanted.add("documents")
    if any(plant.audience == "other" for plant in probe.plants):
        wanted.add("other_readers")
    if probe.instructions_canary:
        wanted.add("instructions")
    if probe.tools:
        wanted.add("tools")
    if probe.oracle.detector == "cites":
        wanted.add("citations")
    return wanted
