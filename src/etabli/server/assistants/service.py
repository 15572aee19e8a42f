"""Builds assistants for callers: lists, checks, saves, compares and restores those that they may use.

Blocks on files and the database: call it from a thread. Who may use an assistant may also change it.
"""

from collections.abc import Sequence
from typing import Any

from etabli.assistants.files import AssistantFiles
from etabli.assistants.pictures import Picture, PictureStore
from etabli.assistants.specification import AssistantSpecification, Fault, diagnose
from etabli.assistants.versions import Version, VersionStore
from etabli.assistants.yaml_text import has_comments, values_yaml
from etabli.errors import ConfigurationError, ConflictError, InvalidInputError, NotFoundError
from etabli.identity.accounts import OWNER_ID
from etabli.messages import tr
from etabli.server.assistants.protocol import (
    AssistantDetail,
    AssistantEntry,
    AssistantList,
    CheckAnswer,
    CheckRequest,
    DeletedEntry,
    DeletedList,
    FaultEntry,
    SaveRequest,
    Text,
    VersionDetail,
    VersionEntry,
    WarningEntry,
)
from etabli.server.auth import Caller
from etabli.server.services import Services

_OWNER = (f"user:{OWNER_ID}",)
"""Who sees a text that never said for whom it is: the account that set the installation up."""
Entries = list[AssistantEntry]


class AssistantBuilder:
    """What the pages of assistants do.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._files = AssistantFiles(services.settings.assistants_dir)
        self._versions = VersionStore(services.database, services.settings.assistants_dir)
        self._pictures = PictureStore(services.database)

    def list(self, caller: Caller) -> AssistantList:
        """The assistants that the caller may use, those whose files have faults included."""
        heads = self._versions.heads()
        pictures = self._pictures.digests()
        usable = {one.name: one for one in self._services.assistants.list()}
        entries: Entries = []
        for name in self._files.names():
            specification = usable.get(name)
            faults: Sequence[Fault] = []
            if specification is None:
                _, specification, faults = self._read(name)
            if not caller.may_use(self._audience(name, specification)):
                continue
            known = (
                {"title": name}
                if specification is None
                else specification.model_dump(include=set(AssistantEntry.model_fields) - {"name"})
            )
            head = heads.get(name)
            entries.append(
                AssistantEntry(
                    name=name,
                    **known,
                    version=head.number if head is not None else 0,
                    has_picture=name in pictures,
                    picture_url=_picture_url(name, pictures.get(name)),
                    faults=_faults(faults),
                )
            )
        return AssistantList(data=entries)

    def get(self, name: str, caller: Caller) -> AssistantDetail:
        """All of one assistant.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        head = self._head(name, caller)
        text, specification, faults = self._read(name)
        return AssistantDetail(
            name=name,
            specification=_values(specification),
            yaml=text,
            version=head.number if head is not None else 0,
            versions=[_version(each) for each in self._versions.list(name)],
            picture_url=_picture_url(name, self._pictures.digests().get(name)),
            faults=_faults(faults),
        )

    def check(self, request: CheckRequest, caller: Caller) -> CheckAnswer:
        """What is wrong with an assistant that is not saved yet, and what may not be meant.

        Raises:
            InvalidInputError: neither or both of text and values are given.
        """
        text = _text(request)
        specification, faults = diagnose(text, f"{request.name or 'assistant'}.yaml", name=request.name)
        return CheckAnswer(
            specification=_values(specification),
            yaml=text,
            faults=_faults(faults),
            warnings=self._warnings(request, specification, caller),
        )

    def save(self, name: str, request: SaveRequest, caller: Caller) -> AssistantDetail:
        """Save a version of an assistant, new or not, and give all of it.

        Raises:
            InvalidInputError: it is no assistant; `param` is the field that is wrong.
            ConflictError: somebody saved meanwhile, or the name is taken.
        """
        text = _text(request, name=name)
        if self._exists(name) and not self._may_use(name, caller):
            raise ConflictError(
                tr("There is already an assistant named {name}. Choose another name.", name=name)
            )
        version = self._versions.save(
            name, text, note=request.note, account_id=caller.account_id, based_on=request.based_on
        )
        return self._saved(version, caller)

    def version(self, name: str, number: int, caller: Caller) -> VersionDetail:
        """One version of an assistant and what it says.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        self._head(name, caller)
        text = self._versions.text(name, number)
        specification, faults = diagnose(text, f"{name}.yaml", name=name)
        if specification is not None and not caller.may_use(specification.audience):
            raise NotFoundError(tr("The assistant {name} has no version {number}.", name=name, number=number))
        row = next(each for each in self._versions.list(name) if each.number == number)
        return VersionDetail(
            **_version(row).model_dump(),
            specification=_values(specification),
            yaml=text,
            faults=_faults(faults),
        )

    def restore(self, name: str, number: int, caller: Caller, *, based_on: int | None) -> AssistantDetail:
        """Make an older version the newest again.

        Raises: as `version` and `save`.
        """
        self.version(name, number, caller)
        version = self._versions.restore(name, number, account_id=caller.account_id, based_on=based_on)
        return self._saved(version, caller)

    def delete(self, name: str, caller: Caller) -> None:
        """Delete an assistant; `undelete` brings it back.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        self._head(name, caller)
        self._versions.delete(name, account_id=caller.account_id)

    def deleted(self, caller: Caller) -> DeletedList:
        """The assistants that the caller may bring back."""
        entries = []
        for last in self._versions.deleted():
            specification, _ = diagnose(
                self._versions.text(last.name, last.number), f"{last.name}.yaml", name=last.name
            )
            if caller.may_use(self._audience(last.name, specification)):
                title = specification.title if specification is not None else last.name
                entries.append(
                    DeletedEntry(name=last.name, title=title, version=last.number, deleted_at=last.saved_at)
                )
        return DeletedList(data=entries)

    def undelete(self, name: str, caller: Caller) -> AssistantDetail:
        """Bring back a deleted assistant.

        Raises:
            NotFoundError: none of this name was deleted, or it is not for this caller.
        """
        if not any(entry.name == name for entry in self.deleted(caller).data):
            raise NotFoundError(tr("No assistant named {name} was deleted.", name=name[:80]))
        return self._saved(self._versions.restore(name, account_id=caller.account_id), caller)

    def picture(self, name: str, caller: Caller) -> Picture:
        """The picture of an assistant.

        Raises:
            NotFoundError: it has none, there is no such assistant, or it is not for this caller.
        """
        self._head(name, caller)
        return self._pictures.get(name)

    def put_picture(self, name: str, data: bytes, caller: Caller) -> str:
        """Give an assistant a picture; the address of it.

        Raises:
            NotFoundError: there is no such assistant, or it is not for this caller.
            InvalidInputError: the picture cannot be used.
        """
        self._head(name, caller)
        return str(_picture_url(name, self._pictures.put(name, data).digest))

    def delete_picture(self, name: str, caller: Caller) -> None:
        """Take the picture of an assistant away.

        Raises:
            NotFoundError: there is no such assistant, or it is not for this caller.
        """
        self._head(name, caller)
        self._pictures.delete(name)

    def _exists(self, name: str) -> bool:
        try:
            return self._files.path(name).exists()
        except NotFoundError:
            return False

    def _may_use(self, name: str, caller: Caller) -> bool:
        return caller.may_use(self._audience(name, self._read(name)[1]))

    def _head(self, name: str, caller: Caller) -> Version | None:
        """The newest version of an assistant that the caller may use; None while its file cannot be read."""
        if not self._exists(name) or not self._may_use(name, caller):
            raise NotFoundError(tr("There is no assistant {name}.", name=name[:80]))
        try:
            return self._versions.head(name)
        except ConfigurationError:
            return None

    def _read(self, name: str) -> tuple[str, AssistantSpecification | None, Sequence[Fault]]:
        """The file of an assistant: its text, what it says, and its faults."""
        file = self._files.path(name).name
        try:
            text = self._files.read(name) or ""
        except ConfigurationError as error:
            return "", None, [Fault(file, 1, None, str(error).rstrip("."))]
        return text, *diagnose(text, file, name=name)

    def _audience(self, name: str, specification: AssistantSpecification | None) -> Sequence[str]:
        """For whom an assistant is: as its file says, else as the last version says that can be understood."""
        if specification is not None:
            return specification.audience
        for version in self._versions.list(name):
            known, _ = diagnose(self._versions.text(name, version.number), f"{name}.yaml", name=name)
            if known is not None:
                return known.audience
        return _OWNER

    def _saved(self, version: Version, caller: Caller) -> AssistantDetail:
        """What was just saved, also when the caller shut themselves out by it."""
        name = version.name
        text = self._versions.text(name, version.number)
        specification, faults = diagnose(text, f"{name}.yaml", name=name)
        return AssistantDetail(
            name=name,
            specification=_values(specification),
            yaml=text,
            version=version.number,
            versions=[_version(each) for each in self._versions.list(name)],
            picture_url=_picture_url(name, self._pictures.digests().get(name)),
            faults=_faults(faults),
        )

    def _warnings(
        self, request: CheckRequest, specification: AssistantSpecification | None, caller: Caller
    ) -> Sequence[WarningEntry]:
        found: list[WarningEntry] = []

        def warn(field: str | None, message: str) -> None:
            found.append(WarningEntry(field=field, message=message))

        name = specification.name if specification is not None else request.name
        if request.yaml is None and name is not None and self._has_comments(name, caller):
            warn(
                None,
                tr("The file holds remarks (#…): saving the form drops them, saving the text keeps them."),
            )
        if specification is None:
            return found
        running, wanted = self._services.engine.model, specification.model
        if wanted not in (None, running):
            warn(
                "model",
                tr(
                    "The engine runs {running}: this assistant answers only while it runs {wanted}.",
                    running=running,
                    wanted=wanted,
                ),
            )
        if specification.name == running:
            warn(
                "name",
                tr("The model that runs has the same name, and programs that ask for it get the model."),
            )
        if not caller.may_use(specification.audience):
            warn("audience", tr("You are not among those who may use it: you will not see it."))
        known = self._collections(caller)
        for index, each in enumerate(specification.collections):
            if each not in known:
                warn(
                    f"collections.{index}",
                    tr(
                        "There is no collection {name} that you may see. Add documents to it first.",
                        name=each,
                    ),
                )
        return found

    def _has_comments(self, name: str, caller: Caller) -> bool:
        return self._exists(name) and self._may_use(name, caller) and has_comments(self._read(name)[0])

    def _collections(self, caller: Caller) -> set[str]:
        with self._services.database.reader(caller.principals) as connection:
            rows = connection.execute(
                "SELECT name FROM collection WHERE conversation_id IS NULL AND removed_at IS NULL"
            )
            return {str(name) for (name,) in rows}


def _text(request: Text, *, name: str | None = None) -> str:
    if (request.yaml is None) == (request.specification is None):
        raise InvalidInputError(tr("Send either “yaml” or “specification”."), param="yaml")
    if request.yaml is not None:
        return request.yaml
    assert request.specification is not None
    return values_yaml({"name": name, **request.specification} if name is not None else request.specification)


def _values(specification: AssistantSpecification | None) -> dict[str, Any] | None:
    return specification.model_dump(mode="json") if specification is not None else None


def _faults(faults: Sequence[Fault]) -> "Sequence[FaultEntry]":
    return [
        FaultEntry(
            field=fault.field, line=fault.line, message=fault.reason[:1].upper() + fault.reason[1:] + "."
        )
        for fault in faults
    ]


def _version(version: Version) -> VersionEntry:
    return VersionEntry(
        number=version.number,
        kind=version.kind,
        note=version.note,
        restored_from=version.restored_from,
        account_id=version.account_id,
        saved_at=version.saved_at,
    )


def _picture_url(name: str, digest: str | None) -> str | None:
    return f"/v1/etabli/assistants/{name}/picture?v={digest[:16]}" if digest is not None else None
