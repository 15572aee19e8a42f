"""`POST /v1/embeddings`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from etabli.server.openai.embeddings.protocol import EmbeddingList, EmbeddingRequest
from etabli.server.openai.embeddings.service import Embeddings
from etabli.server.openai.payloads import encode
from etabli.server.services import Services
from etabli.server.sse import unless_client_leaves


def embeddings_router(services: Services) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["embeddings"])
    service = Embeddings(services)

    @router.post("/v1/embeddings", response_model=EmbeddingList)
    async def create(body: EmbeddingRequest, request: Request) -> Response:
        """Give the vector of a text, or of each of several."""
        answer = await unless_client_leaves(request.receive, service.create(body))
        return Response(encode(answer), media_type="application/json")

    return router
