"""The wire types of `/v1/etabli/models`: what the page of models shows."""

from typing import Literal

from pydantic import BaseModel


class CanRun(BaseModel):
    """Whether this machine can run a model.

    Attributes:
        ok: whether it is worth a try.
        level: `comfortable`, `tight` or `no`; `unknown` for a model that somebody imported.
        sentence: for people.
    """

    ok: bool
    level: Literal["comfortable", "tight", "no", "unknown"]
    sentence: str


class TransferState(BaseModel):
    """What is done with a model now, or how it ended when it did not end well.

    Attributes:
        stage: `waiting`, `downloading`, `checking`, `verifying`, `cancelling`; `stopped` by a person or `failed`:
            then a pull goes on where it stopped.
        bytes_per_s: over the last seconds.
        error: why it failed, for people.
    """

    stage: str
    done_bytes: int
    total_bytes: int | None
    bytes_per_s: float
    error: str | None


class LicenceEntry(BaseModel):
    """What a licence allows.

    Attributes:
        name: SPDX expression, or `unknown`.
        commercial: `yes`, `conditions` or `no`; None where it is not known.
        words: in plain words.
        url: of its text.
    """

    name: str
    commercial: Literal["yes", "conditions", "no"] | None = None
    words: str | None = None
    url: str | None = None


class ModelEntry(BaseModel):
    """One model that is here or can be had.

    Attributes:
        size_bytes: of its file.
        parameters: how many; None where it is not known.
        memory_bytes: that it takes in use; None where it is not known.
        verified_at: when its bytes were last compared with their hash, UTC; None where it is not here.
        active: whether it is the one that answers.
        sources: where it would be fetched from, in order; empty where nobody knows.
        note: a caution worth a line.
    """

    name: str
    title: str
    publisher: str
    kind: Literal["chat"] = "chat"
    licence: LicenceEntry
    languages: list[str]
    size_bytes: int
    parameters: int | None
    context_tokens: int | None
    memory_bytes: int | None
    installed: bool
    active: bool
    verified_at: str | None
    sha256: str | None
    can_run: CanRun
    state: TransferState | None
    sources: list[str]
    note: str | None


class MachineEntry(BaseModel):
    """What this machine offers. Sizes in bytes."""

    cores: int
    memory_bytes: int
    memory_available: int
    disk_free: int
    sentence: str


class ModelShelf(BaseModel):
    """The models of this machine.

    Attributes:
        active: name of the model that answers; it need not be among them when an engine elsewhere is used.
        memory_bytes: memory of this machine.
    """

    object: Literal["list"] = "list"
    active: str
    memory_bytes: int
    machine: MachineEntry
    data: list[ModelEntry]


class Removed(BaseModel):
    """What a deletion gave back to the disk."""

    freed_bytes: int
