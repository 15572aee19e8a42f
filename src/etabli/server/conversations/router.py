"""`/v1/etabli/conversations` and what belongs to them: the chat's own routes, beside OpenAI's."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from etabli.conversations.export import ExportFormat
from etabli.server.auth import CurrentCaller
from etabli.server.conversations.protocol import (
    AnswerTrace,
    ConversationChange,
    ConversationCollection,
    ConversationDetails,
    ConversationList,
    Feedback,
    SharedEntry,
    SharedLink,
    TurnPage,
)
from etabli.server.conversations.service import ConversationService
from etabli.server.openai.responses.runs import Runs
from etabli.server.services import Services


def conversations_router(services: Services, runs: Runs) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/etabli", tags=["conversations"])
    service = ConversationService(services, runs)

    @router.get("/conversations")
    async def conversations(
        caller: CurrentCaller,
        query: Annotated[str, Query(max_length=200)] = "",
        pinned: bool | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: str | None = None,
    ) -> ConversationList:
        """List conversations, the pinned ones first, then those that changed last; or search them."""
        return await service.listing(caller, query=query, pinned=pinned, limit=limit, after=after)

    @router.get("/conversations/{conversation_id}")
    async def conversation(conversation_id: str, caller: CurrentCaller) -> ConversationDetails:
        """Give one conversation."""
        return await service.get(conversation_id, caller)

    @router.get("/conversations/{conversation_id}/turns")
    async def turns(
        conversation_id: str,
        caller: CurrentCaller,
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 40,
    ) -> TurnPage:
        """Give the newest turns of the branch that is shown, or those before one of them; the oldest first."""
        return await service.turns(conversation_id, caller, before=before, limit=limit)

    @router.patch("/conversations/{conversation_id}")
    async def change(
        conversation_id: str, body: ConversationChange, caller: CurrentCaller
    ) -> ConversationDetails:
        """Rename, pin, or show the branch through a turn, down to its newest leaf."""
        return await service.change(conversation_id, body, caller)

    @router.delete("/conversations/{conversation_id}", status_code=204)
    async def remove(conversation_id: str, caller: CurrentCaller) -> None:
        """Remove a conversation; it can be brought back for 30 days."""
        await service.remove(conversation_id, caller)

    @router.post("/conversations/{conversation_id}/restore")
    async def restore(conversation_id: str, caller: CurrentCaller) -> ConversationDetails:
        """Bring a removed conversation back."""
        return await service.restore(conversation_id, caller)

    @router.get("/conversations/{conversation_id}/export", response_class=Response)
    async def export(
        conversation_id: str, caller: CurrentCaller, format: ExportFormat = "markdown"
    ) -> Response:
        """Give the branch that is shown as a file: Markdown, JSON or PDF."""
        made = await service.export(conversation_id, format, caller)
        return Response(made.content, media_type=made.media_type, headers=made.headers)

    @router.post("/conversations/{conversation_id}/share")
    async def share(conversation_id: str, caller: CurrentCaller) -> SharedLink:
        """Share a copy of the branch that is shown with everyone of this installation."""
        return await service.share(conversation_id, caller)

    @router.delete("/conversations/{conversation_id}/share", status_code=204)
    async def stop_sharing(conversation_id: str, caller: CurrentCaller) -> None:
        """Forget the shared copy."""
        await service.stop_sharing(conversation_id, caller)

    @router.get("/shared/{token}")
    async def shared(token: str, caller: CurrentCaller) -> SharedEntry:
        """Give a shared copy."""
        return await service.shared(token, caller)

    @router.post("/conversations/{conversation_id}/collection")
    async def collection(conversation_id: str, caller: CurrentCaller) -> ConversationCollection:
        """Give the collection of a conversation's own documents, made when there is none yet."""
        return await service.collection(conversation_id, caller)

    @router.put("/responses/{response_id}/feedback")
    async def judge(response_id: str, body: Feedback, caller: CurrentCaller) -> Feedback:
        """Say what you think of an answer; a null rating takes it back."""
        return await service.judge(response_id, body, caller)

    @router.get("/responses/{response_id}/trace")
    async def trace(response_id: str, caller: CurrentCaller) -> AnswerTrace:
        """Give how an answer came about."""
        return await service.trace(response_id, caller)

    return router
