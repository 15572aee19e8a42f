"""`/v1/etabli/assistants…`: build assistants in the browser, or from a script."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Request, Response

from etabli.assistants.pictures import MAX_BYTES
from etabli.errors import RequestTooLargeError
from etabli.messages import tr
from etabli.server.assistants.protocol import (
    AssistantDetail,
    AssistantList,
    BasedOn,
    CheckAnswer,
    CheckRequest,
    DeletedList,
    PictureAnswer,
    SaveRequest,
    VersionDetail,
)
from etabli.server.assistants.service import AssistantBuilder
from etabli.server.auth import CurrentCaller
from etabli.server.services import Services

_PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp")
        },
    }
}
_PICTURE_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
_KEEP = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"


def assistants_router(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/etabli", tags=["assistants"])
    builder = AssistantBuilder(services)

    @router.get("/assistants")
    async def list_assistants(caller: CurrentCaller) -> AssistantList:
        """List the assistants that the caller may use, with the faults of files that cannot be used."""
        return await asyncio.to_thread(builder.list, caller)

    @router.post("/assistants/check")
    async def check(body: CheckRequest, caller: CurrentCaller) -> CheckAnswer:
        """Say what is wrong with an assistant that is not saved, by field and by line of its YAML."""
        return await asyncio.to_thread(builder.check, body, caller)

    @router.get("/deleted/assistants")
    async def deleted(caller: CurrentCaller) -> DeletedList:
        """List the deleted assistants, which can be restored."""
        return await asyncio.to_thread(builder.deleted, caller)

    @router.get("/assistants/{name}")
    async def get(name: str, caller: CurrentCaller) -> AssistantDetail:
        """Give one assistant: what it says, its YAML and its versions."""
        return await asyncio.to_thread(builder.get, name, caller)

    @router.put("/assistants/{name}")
    async def save(name: str, body: SaveRequest, caller: CurrentCaller) -> AssistantDetail:
        """Save a version of an assistant, new or not."""
        return await asyncio.to_thread(builder.save, name, body, caller)

    @router.delete("/assistants/{name}", status_code=204)
    async def delete(name: str, caller: CurrentCaller) -> None:
        """Delete an assistant; it can be restored."""
        await asyncio.to_thread(builder.delete, name, caller)

    @router.post("/assistants/{name}/restore")
    async def undelete(name: str, caller: CurrentCaller) -> AssistantDetail:
        """Bring back a deleted assistant."""
        return await asyncio.to_thread(builder.undelete, name, caller)

    @router.get("/assistants/{name}/versions/{number}")
    async def version(name: str, number: int, caller: CurrentCaller) -> VersionDetail:
        """Give one version of an assistant."""
        return await asyncio.to_thread(builder.version, name, number, caller)

    @router.post("/assistants/{name}/versions/{number}/restore")
    async def restore(
        name: str, number: int, caller: CurrentCaller, body: Annotated[BasedOn | None, Body()] = None
    ) -> AssistantDetail:
        """Make an older version the newest again."""
        based_on = body.based_on if body is not None else None
        return await asyncio.to_thread(builder.restore, name, number, caller, based_on=based_on)

    @router.get("/assistants/{name}/picture", response_class=Response, responses=_PICTURE_ANSWER)
    async def picture(
        name: str,
        caller: CurrentCaller,
        v: str | None = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Give the picture of an assistant: 256 × 256 pixels, PNG."""
        found = await asyncio.to_thread(builder.picture, name, caller)
        tag = f'"{found.digest[:32]}"'
        headers = {
            "etag": tag,
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": _KEEP if v is not None and found.digest.startswith(v) else _ASK_AGAIN,
        }
        if if_none_match == tag:
            return Response(status_code=304, headers=headers)
        return Response(found.png, media_type="image/png", headers=headers)

    @router.put("/assistants/{name}/picture", openapi_extra=_PICTURE_BODY)
    async def put_picture(name: str, request: Request, caller: CurrentCaller) -> PictureAnswer:
        """Give an assistant a picture: the bytes of a PNG, JPEG or WebP file of 1 MB at most."""
        url = await asyncio.to_thread(builder.put_picture, name, await _bytes(request), caller)
        return PictureAnswer(picture_url=url)

    @router.delete("/assistants/{name}/picture", status_code=204)
    async def delete_picture(name: str, caller: CurrentCaller) -> None:
        """Take the picture of an assistant away."""
        await asyncio.to_thread(builder.delete_picture, name, caller)

    return router


async def _bytes(request: Request) -> bytes:
    """The body, as long as it is no larger than a picture may be."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MAX_BYTES:
            raise RequestTooLargeError(tr("A picture may have 1 MB at most. Send a smaller one."))
    return bytes(data)
