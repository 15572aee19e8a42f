"""`POST /v1/moderations`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from etabli.server.openai.moderations.protocol import ModerationRequest, ModerationResponse
from etabli.server.openai.moderations.service import Moderations
from etabli.server.openai.payloads import encode
from etabli.server.sse import unless_client_leaves


def moderations_router() -> APIRouter:
    """The route."""
    router = APIRouter(tags=["moderations"])
    service = Moderations()

    @router.post("/v1/moderations", response_model=ModerationResponse)
    async def create(body: ModerationRequest, request: Request) -> Response:
        """Say which kinds of harm a text, or each of several, may hold."""
        answer = await unless_client_leaves(request.receive, service.create(body))
        return Response(encode(answer), media_type="application/json")

    return router
