"""The models of the machine for the page of models. Reads files, so call it from a thread."""

from dataclasses import asdict

from etabli.errors import ConflictError, ModelStoreError
from etabli.messages import retold, tr
from etabli.models.background import Transfers
from etabli.models.catalogue import Entry, Verdict, can_run
from etabli.models.machine import Machine, read_machine
from etabli.models.pull import source_labels
from etabli.models.sizes import format_bytes
from etabli.models.store import Manifest
from etabli.server.models.protocol import (
    CanRun,
    LicenceEntry,
    MachineEntry,
    ModelEntry,
    ModelShelf,
    Removed,
    TransferState,
)
from etabli.server.services import Services


class Models:
    """What there is, what can be had, and what is done with it.

    Args:
        services: the parts of the workspace.
        transfers: what fetches and verifies.
    """

    def __init__(self, services: Services, transfers: Transfers) -> None:
        self._services = services
        self._transfers = transfers
        self._store = transfers.store

    def list(self) -> ModelShelf:
        """The catalogue, then what was imported by hand."""
        machine = read_machine(self._store.root)
        here = {found.name: found for found in self._store.manifests() if self._store.present(found)}
        catalogue = self._transfers.catalogue
        known = [self._known(entry, here.get(entry.name), machine) for entry in catalogue.models]
        imported = [self._imported(each) for name, each in here.items() if catalogue.find(name) is None]
        return ModelShelf(
            active=self._services.engine.model,
            memory_bytes=machine.memory_total,
            machine=_machine(machine),
            data=[*known, *imported],
        )

    def pull(self, name: str) -> TransferState:
        """Begin to fetch a model.

        Raises:
            NotFoundError: the catalogue does not know it.
            ConflictError: something is under way.
        """
        self._transfers.pull(name)
        return self._state(name) or _done()

    def verify(self, name: str) -> TransferState:
        """Begin to compare the bytes of a model with their hash.

        Raises:
            NotFoundError: it is not here.
            ConflictError: something is under way.
        """
        self._transfers.verify(name)
        return self._state(name) or _done()

    def cancel(self, name: str) -> TransferState | None:
        """Stop the work on a model; None where there was none."""
        self._transfers.cancel(name)
        return self._state(name)

    def remove(self, name: str) -> Removed:
        """Delete a model.

        Raises:
            NotFoundError: it is not here.
            ConflictError: it answers now, or is the one of the settings, or something is done with it.
        """
        if name == self._services.engine.model:
            raise ConflictError(
                tr(
                    "{name} is the model that answers now. Name another one as `model` in etabli.toml and start "
                    "again, then delete it.",
                    name=name,
                )
            )
        settings = self._services.settings
        if settings.engine_url is None and name == settings.model:
            raise ConflictError(
                tr(
                    "{name} is the model that etabli.toml names: the next start would fetch it again. Name another "
                    "one there first.",
                    name=name,
                )
            )
        state = self._transfers.state(name)
        if state is not None and state.is_running:
            raise ConflictError(tr("{name} is under way. Wait for its end, or cancel it.", name=name))
        try:
            return Removed(freed_bytes=self._store.remove(name))
        except OSError as error:
            raise ModelStoreError(
                tr("{name} cannot be deleted: {reason}.", name=name, reason=error.strerror or str(error))
            ) from None

    def _known(self, entry: Entry, manifest: Manifest | None, machine: Machine) -> ModelEntry:
        settings = self._services.settings
        verdict = can_run(
            entry,
            machine,
            context_tokens=settings.context_tokens,
            slots=settings.slots or 1,
            installed=manifest is not None,
        )
        licence = self._transfers.catalogue.licences[entry.licence]
        return ModelEntry(
            name=entry.name,
            title=entry.title,
            publisher=entry.publisher,
            licence=LicenceEntry(
                name=entry.licence, commercial=licence.commercial, words=str(licence.words), url=licence.url
            ),
            languages=[*entry.languages],
            size_bytes=manifest.size_bytes if manifest is not None else entry.size_bytes,
            parameters=entry.parameters,
            context_tokens=entry.context_tokens,
            memory_bytes=verdict.needed_bytes,
            installed=manifest is not None,
            active=entry.name == self._services.engine.model,
            verified_at=self._store.verified_at(manifest) if manifest is not None else None,
            sha256=manifest.sha256 if manifest is not None else entry.sha256,
            can_run=_verdict(verdict),
            state=self._state(entry.name),
            sources=source_labels(settings, entry),
            note=str(entry.note) if entry.note is not None else None,
        )

    def _imported(self, manifest: Manifest) -> ModelEntry:
        return ModelEntry(
            name=manifest.name,
            title=manifest.name,
            publisher="",
            licence=LicenceEntry(name=manifest.licence),
            languages=[],
            size_bytes=manifest.size_bytes,
            parameters=None,
            context_tokens=None,
            memory_bytes=None,
            installed=True,
            active=manifest.name == self._services.engine.model,
            verified_at=self._store.verified_at(manifest),
            sha256=manifest.sha256,
            can_run=CanRun(
                ok=True,
                level="unknown",
                sentence=tr("Imported by hand: whether it fits is seen when it is started."),
            ),
            state=self._state(manifest.name),
            sources=[],
            note=None,
        )

    def _state(self, name: str) -> TransferState | None:
        state = self._transfers.state(name)
        if state is None:
            return None
        error = None if state.error is None else retold(state.error)
        return TransferState(**{**asdict(state), "error": error})


def _done() -> TransferState:
    """Of work that ended before anybody could look."""
    return TransferState(stage="checking", done_bytes=0, total_bytes=None, bytes_per_s=0.0, error=None)


def _verdict(verdict: Verdict) -> CanRun:
    sentence = verdict.sentence[:1].upper() + verdict.sentence[1:] + "."
    return CanRun(ok=verdict.level != "no", level=verdict.level, sentence=sentence)


def _machine(machine: Machine) -> MachineEntry:
    return MachineEntry(
        cores=machine.cores,
        memory_bytes=machine.memory_total,
        memory_available=machine.memory_available,
        disk_free=machine.disk_free,
        sentence=tr(
            "This machine: {cores} cores, {free} of {total} memory free, {disk} of disk free.",
            cores=machine.cores,
            free=format_bytes(machine.memory_available),
            total=format_bytes(machine.memory_total),
            disk=format_bytes(machine.disk_free),
        ),
    )
