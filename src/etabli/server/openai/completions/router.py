"""`POST /v1/completions`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from etabli.server.auth import CurrentCaller
from etabli.server.openai.completions.protocol import Completion, CompletionRequest
from etabli.server.openai.completions.service import Completions
from etabli.server.openai.payloads import encode
from etabli.server.services import Services
from etabli.server.sse import EventStream, unless_client_leaves


def completions_router(services: Services) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["completions"])
    service = Completions(services)

    @router.post("/v1/completions", response_model=Completion)
    async def create(body: CompletionRequest, request: Request, caller: CurrentCaller) -> Response:
        """Continue one or several texts, whole or as a stream of chunks."""
        if body.stream:
            return EventStream(service.stream(body, caller))
        answer = await unless_client_leaves(request.receive, service.create(body, caller))
        return Response(encode(answer), media_type="application/json")

    return router
