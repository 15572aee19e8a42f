"""Conversations as the chat needs them. Knows nothing of HTTP; what blocks runs in threads."""

import asyncio

import anyio
import anyio.to_process

from etabli.conversations.branches import newest_turns, siblings
from etabli.conversations.conversations import Conversations
from etabli.conversations.export import Export, ExportFormat, export, export_pdf
from etabli.conversations.rows import find_conversation, find_turn
from etabli.conversations.sharing import Sharing
from etabli.conversations.turns import Turns
from etabli.conversations.values import Conversation, Turn
from etabli.knowledge.library import Library
from etabli.messages import language, told
from etabli.server.auth import Caller
from etabli.server.conversations.protocol import (
    AnswerTrace,
    ConversationChange,
    ConversationCollection,
    ConversationDetails,
    ConversationList,
    Feedback,
    SharedEntry,
    SharedLink,
    TurnEntry,
    TurnPage,
    details,
    entry,
    turn_entry,
)
from etabli.server.openai.responses.runs import Runs
from etabli.server.services import Services


class ConversationService:
    """Conversations for people.

    Args:
        services: the parts of the workspace.
        runs: what is being written.
    """

    def __init__(self, services: Services, runs: Runs) -> None:
        self._database = services.database
        self._files_dir = services.settings.files_dir
        self._runs = runs
        self._conversations = Conversations(services.database)
        self._turns = Turns(services.database)
        self._sharing = Sharing(services.database)
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def listing(
        self, caller: Caller, *, query: str, pinned: bool | None, limit: int, after: str | None
    ) -> ConversationList:
        """A page of the caller's conversations.

        Raises:
            NotFoundError: `after` is not one of them.
        """
        listed, has_more = await asyncio.to_thread(
            self._conversations.listing, caller, query=query, pinned=pinned, limit=limit, after=after
        )
        running = self._runs.running()
        data = [entry(one, running) for one in listed]
        return ConversationList(data=data, has_more=has_more, last_id=data[-1].id if data else None)

    async def get(self, key: str, caller: Caller) -> ConversationDetails:
        """One conversation.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        return self._details(await asyncio.to_thread(self._conversations.get, key, caller))

    async def turns(self, key: str, caller: Caller, *, before: str | None, limit: int) -> TurnPage:
        """A part of the branch that is shown.

        Raises:
            NotFoundError: the conversation or the turn is not there.
        """
        found, has_more = await asyncio.to_thread(
            self._conversations.page, key, caller, before=before, limit=limit
        )
        return TurnPage(data=[turn_entry(turn, beside) for turn, beside in found], has_more=has_more)

    async def change(self, key: str, change: ConversationChange, caller: Caller) -> ConversationDetails:
        """Rename, pin, or show another branch.

        Raises:
            NotFoundError: the conversation or the turn is not there.
            InvalidInputError: the title is empty, or the turn is of another conversation.
        """
        changed = await asyncio.to_thread(
            self._conversations.change,
            key,
            caller,
            title=change.title,
            pinned=change.pinned,
            head=change.head,
        )
        return self._details(changed)

    async def remove(self, key: str, caller: Caller) -> None:
        """Remove a conversation, for 30 days not for good; what is being written in it stops.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        await asyncio.to_thread(self._conversations.remove, key, caller)
        await self._runs.stop_conversation(key)

    async def restore(self, key: str, caller: Caller) -> ConversationDetails:
        """Bring a removed conversation back.

        Raises:
            NotFoundError: there is none, it is somebody else's, or it was removed too long ago.
        """
        return self._details(await asyncio.to_thread(self._conversations.restore, key, caller))

    async def export(self, key: str, form: ExportFormat, caller: Caller) -> Export:
        """The branch that is shown, as a file.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        conversation, turns = await asyncio.to_thread(self._branch, key, caller)
        values = [turn.model_dump(mode="json") for turn in turns]
        if form != "pdf":
            return await asyncio.to_thread(export, conversation, values, form)
        return await anyio.to_process.run_sync(
            export_pdf, conversation, values, language(), cancellable=True, limiter=self._one_at_a_time
        )

    async def share(self, key: str, caller: Caller) -> SharedLink:
        """Make a copy of the branch that is shown, for everyone of this installation; anew when there was one.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        token = await asyncio.to_thread(self._share, key, caller)
        return SharedLink(url=f"/shared/{token}")

    async def stop_sharing(self, key: str, caller: Caller) -> None:
        """Forget the copy.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        await asyncio.to_thread(self._sharing.stop, key, caller)

    async def shared(self, token: str, caller: Caller) -> SharedEntry:
        """A copy that somebody shared.

        Raises:
            NotFoundError: there is none, or it is not shared any more.
        """
        found = await asyncio.to_thread(self._sharing.open, token, caller)
        turns = [TurnEntry.model_validate(turn) for turn in found.turns]
        return SharedEntry(title=found.title, assistant=found.model, created_at=found.created_at, turns=turns)

    async def collection(self, key: str, caller: Caller) -> ConversationCollection:
        """The collection of a conversation's own documents, made on demand.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        await asyncio.to_thread(self._conversations.get, key, caller)
        library = Library(self._database, self._files_dir)
        number = await asyncio.to_thread(library.conversation_collection, key, caller.account_id)
        return ConversationCollection(id=number)

    async def judge(self, key: str, feedback: Feedback, caller: Caller) -> Feedback:
        """Keep what the caller thinks of an answer.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        kept = None if feedback.rating is None else feedback.model_dump()
        await asyncio.to_thread(self._turns.judge, key, caller, kept)
        return feedback

    async def trace(self, key: str, caller: Caller) -> AnswerTrace:
        """How an answer came about.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        turn, trace = await asyncio.to_thread(self._turns.trace, key, caller)
        known = {
            "question": turn.input_text,
            "model": turn.engine,
            "assistant": turn.assistant,
            "guarded": turn.guarded,
            "written_by": turn.written_by,
        }
        energy = (trace or {}).get("energy")
        if energy is not None:
            energy = {**energy, "explanation": told(energy["explanation"])}
        return AnswerTrace.model_validate({**known, **(trace or {}), "energy": energy})

    def _details(self, conversation: Conversation) -> ConversationDetails:
        return details(conversation, self._runs.running())

    def _branch(self, key: str, caller: Caller) -> tuple[Conversation, list[TurnEntry]]:
        """All turns of the branch that is shown, the oldest first."""
        with self._database.reader(caller.principals) as connection:
            conversation = find_conversation(connection, key, account_id=caller.account_id)
            turns: list[Turn] = []
            if conversation.head is not None:
                last = find_turn(connection, conversation.head, account_id=caller.account_id)
                turns = newest_turns(connection, last.number)[::-1]
            beside = siblings(connection, turns)
        return conversation, [turn_entry(turn, beside[turn.number]) for turn in turns]

    def _share(self, key: str, caller: Caller) -> str:
        turns = self._branch(key, caller)[1]
        copies = [{**turn.model_dump(mode="json"), "siblings": [turn.response_id]} for turn in turns]
        return self._sharing.share(key, caller, copies)
