"""`/v1/responses`, after OpenAI's API; `etabli` in the body is our extension."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from etabli.server.auth import CurrentCaller
from etabli.server.openai.payloads import encode
from etabli.server.openai.responses.protocol import (
    ItemList,
    ResponseDeleted,
    ResponseObject,
    ResponseRequest,
)
from etabli.server.openai.responses.runs import Runs
from etabli.server.openai.responses.service import Responses
from etabli.server.openai.responses.stream import ResponseStream
from etabli.server.services import Services
from etabli.server.sse import unless_client_leaves

_JSON = "application/json"


def responses_router(services: Services, runs: Runs) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/responses", tags=["responses"])
    service = Responses(services, runs)

    @router.post("", response_model=ResponseObject)
    async def create(body: ResponseRequest, request: Request, caller: CurrentCaller) -> Response:
        """Answer, whole or as a stream of events; in the background if asked for."""
        if body.stream:
            return ResponseStream(service.stream(body, caller))
        work = service.create(body, caller)
        answer = await (work if body.background else unless_client_leaves(request.receive, work))
        return Response(encode(answer), media_type=_JSON)

    @router.get("/{response_id}", response_model=ResponseObject)
    async def get(
        response_id: str,
        caller: CurrentCaller,
        stream: bool = False,
        starting_after: Annotated[int | None, Query(ge=-1)] = None,
    ) -> Response:
        """Give a response; with `stream`, its events after number `starting_after`."""
        if stream:
            after = -1 if starting_after is None else starting_after
            return ResponseStream(service.resume(response_id, after, caller))
        return Response(encode(await service.get(response_id, caller)), media_type=_JSON)

    @router.delete("/{response_id}")
    async def delete(response_id: str, caller: CurrentCaller) -> ResponseDeleted:
        """Delete a response; those after it follow the one before it."""
        await service.delete(response_id, caller)
        return ResponseDeleted(id=response_id)

    @router.post("/{response_id}/cancel", response_model=ResponseObject)
    async def cancel(response_id: str, caller: CurrentCaller) -> Response:
        """Stop an answer; what was written so far is kept."""
        return Response(encode(await service.cancel(response_id, caller)), media_type=_JSON)

    @router.get("/{response_id}/input_items")
    async def input_items(
        response_id: str,
        caller: CurrentCaller,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: str | None = None,
        order: Literal["asc", "desc"] = "desc",
    ) -> ItemList:
        """Give what was asked, as items."""
        return await service.input_items(
            response_id, caller, limit=limit, after=after, newest_first=order == "desc"
        )

    return router
