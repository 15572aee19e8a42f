"""Collections for callers. Whoever sees one may change it: a conversation's is seen by its own account only."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from etabli.errors import ConflictError, EtabliError
from etabli.knowledge.library_collections import CollectionEntry, Collections
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.collections.protocol import Collection
from etabli.server.documents.numbers import checked_number
from etabli.server.services import Services

Uses = Mapping[str, Sequence[tuple[str, Sequence[str]]]]
"""By collection: the assistants that answer from it, with their audiences."""


class CollectionService:
    """Lists and changes collections. Every method blocks, so call it from a thread.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._assistants = services.assistants
        self._collections = Collections(services.database, services.settings.documents_dir)

    def listed(self, caller: Caller) -> list[Collection]:
        """Those that the caller may see, without those of conversations."""
        used = self._used()
        entries = self._collections.listed(principals=caller.principals)
        return [_shown(entry, used, caller) for entry in entries]

    def get(self, collection_id: int, caller: Caller) -> Collection:
        """One of them.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        entry = self._collections.entry(checked_number(collection_id), principals=caller.principals)
        return _shown(entry, self._used(), caller)

    def create(self, name: str, caller: Caller) -> Collection:
        """A new one.

        Raises:
            InvalidInputError: the name cannot be used.
            ConflictError: another one has it.
        """
        return self.get(self._collections.create(name), caller)

    def rename(self, collection_id: int, name: str, caller: Caller) -> Collection:
        """Give one another name.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
            InvalidInputError: the name cannot be used.
            ConflictError: another one has it, or something relies on the old one.
        """
        entry = self._changeable(collection_id, caller)
        self._collections.rename(entry.id, name)
        return self.get(entry.id, caller)

    def remove(self, collection_id: int, caller: Caller) -> None:
        """Delete one with its documents.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
            ConflictError: assistants answer from it.
        """
        self._collections.remove(self._changeable(collection_id, caller).id)

    def restore(self, collection_id: int, caller: Caller) -> Collection:
        """Undo `remove`.

        Raises:
            NotFoundError: no such collection was deleted, or it is not for this caller.
            ConflictError: another one has its name now.
        """
        self._collections.restore(checked_number(collection_id), principals=caller.principals)
        return self.get(collection_id, caller)

    def _changeable(self, collection_id: int, caller: Caller) -> CollectionEntry:
        """A collection that the caller sees and that no assistant names.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
            ConflictError: assistants answer from it.
        """
        entry = self._collections.entry(checked_number(collection_id), principals=caller.principals)
        names = [] if entry.conversation_id else [name for name, _ in self._used().get(entry.name, ())]
        if names:
            raise ConflictError(
                tr(
                    "Assistants answer from “{name}” and would stop working: {assistants}. Take it out of them "
                    "first.",
                    name=entry.name,
                    assistants=", ".join(names),
                )
            )
        return entry

    def _used(self) -> Uses:
        """By collection: the assistants that answer from it and their audiences."""
        used: dict[str, list[tuple[str, list[str]]]] = {}
        try:
            assistants = self._assistants.list()
        except EtabliError:
            return used
        for assistant in assistants:
            for collection in assistant.collections:
                used.setdefault(collection, []).append((assistant.name, list(assistant.audience)))
        return used


def _shown(entry: CollectionEntry, used: Uses, caller: Caller) -> Collection:
    names = [] if entry.conversation_id else used.get(entry.name, [])
    visible = [name for name, audience in names if caller.may_use(audience)]
    return Collection(**asdict(entry), assistants=visible)
