"""`POST /v1/chat/completions`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from etabli.server.auth import CurrentCaller
from etabli.server.openai.chat_completions.protocol import ChatCompletion, ChatCompletionRequest
from etabli.server.openai.chat_completions.service import ChatCompletions
from etabli.server.openai.payloads import encode
from etabli.server.services import Services
from etabli.server.sse import EventStream, unless_client_leaves


def chat_completions_router(services: Services) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["chat"])
    service = ChatCompletions(services)

    @router.post("/v1/chat/completions", response_model=ChatCompletion)
    async def create(body: ChatCompletionRequest, request: Request, caller: CurrentCaller) -> Response:
        """Answer a conversation, whole or as a stream of chunks."""
        if body.stream:
            return EventStream(service.stream(body, caller))
        answer = await unless_client_leaves(request.receive, service.create(body, caller))
        return Response(encode(answer), media_type="application/json")

    return router
