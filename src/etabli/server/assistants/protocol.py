"""The wire types of `/v1/etabli/assistants`: what the page that builds assistants reads and sends."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_MAX_NOTE = 500


class FaultEntry(BaseModel):
    """Why a text is no assistant.

    Attributes:
        field: the key that is wrong, `examples.0.answer`; None where the text as a whole is.
        line: of the YAML, from 1; None where there is none.
        message: for people, without file and line.
    """

    field: str | None
    line: int | None
    message: str


class WarningEntry(BaseModel):
    """What may be saved and is worth a second look.

    Attributes:
        field: the key it is about; None where it is about the whole.
        message: for people.
    """

    field: str | None
    message: str


class AssistantEntry(BaseModel):
    """One assistant in the list.

    Attributes:
        version: number of its newest version; 0 while nothing of it could be recorded.
        picture_url: changes with the picture, so that it may be kept for ever.
        faults: why it cannot be used; its fields are then those of nothing.
    """

    name: str
    title: str
    description: str = ""
    language: str | None = None
    model: str | None = None
    collections: list[str] = []
    first_questions: list[str] = []
    version: int
    has_picture: bool
    picture_url: str | None
    faults: list[FaultEntry] = []


class AssistantList(BaseModel):
    """The assistants that the caller may use, by name."""

    object: Literal["list"] = "list"
    data: list[AssistantEntry]


class VersionEntry(BaseModel):
    """One version of an assistant.

    Attributes:
        kind: `saved` here, seen in the `file`, `restored` from an older one, or `deleted`.
        restored_from: number of the version that was taken up again.
    """

    number: int
    kind: Literal["saved", "file", "restored", "deleted"]
    note: str
    restored_from: int | None
    account_id: int | None
    saved_at: datetime


class AssistantDetail(BaseModel):
    """All of one assistant.

    Attributes:
        specification: with its defaults; None where the file has faults.
        yaml: the file, as it is written.
        versions: the newest first.
    """

    name: str
    specification: dict[str, Any] | None
    yaml: str
    version: int
    versions: list[VersionEntry]
    picture_url: str | None
    faults: list[FaultEntry] = []


class VersionDetail(VersionEntry):
    """One version and what it says."""

    specification: dict[str, Any] | None
    yaml: str
    faults: list[FaultEntry] = []


class DeletedEntry(BaseModel):
    """An assistant that can be brought back."""

    name: str
    title: str
    version: int
    deleted_at: datetime


class DeletedList(BaseModel):
    """The deleted assistants, the latest first."""

    object: Literal["list"] = "list"
    data: list[DeletedEntry]


class Text(BaseModel):
    """An assistant as text or as values: exactly one of the two.

    Attributes:
        yaml: kept as it is written.
        specification: the same keys as JSON; written as YAML in their order, without what is the default.
    """

    model_config = ConfigDict(extra="forbid")

    yaml: str | None = None
    specification: dict[str, Any] | None = None


class CheckRequest(Text):
    """An assistant to look at before it is saved.

    Attributes:
        name: the assistant that it will be saved as; the text itself says if None.
    """

    name: str | None = None


class CheckAnswer(BaseModel):
    """What there is to say of it.

    Attributes:
        specification: with its defaults; None where there are faults.
        yaml: the text that would be saved; its lines are those of the faults.
        faults: why it cannot be saved.
        warnings: what can be saved and may not be meant.
    """

    specification: dict[str, Any] | None
    yaml: str
    faults: list[FaultEntry]
    warnings: list[WarningEntry]


class SaveRequest(Text):
    """A new version.

    Attributes:
        note: what its author says of it.
        based_on: number of the version that the author began with, 0 for a new assistant. When another one was
            saved meanwhile, the answer is 409. None does not ask.
    """

    note: str = Field("", max_length=_MAX_NOTE)
    based_on: int | None = Field(None, ge=0)


class BasedOn(BaseModel):
    """The body of a restore, which may be left out; `based_on` as for saving."""

    model_config = ConfigDict(extra="forbid")

    based_on: int | None = Field(None, ge=0)


class PictureAnswer(BaseModel):
    """Where the picture is now."""

    picture_url: str
