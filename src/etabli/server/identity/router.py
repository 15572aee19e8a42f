"""`/v1/etabli/me`, `/sign-in` and `/sign-out`."""

import asyncio
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from etabli.server.auth import CurrentCaller, SessionCookie
from etabli.server.identity.protocol import Me, MeChange, SignInLink
from etabli.server.identity.service import Identity
from etabli.server.languages import AccountLanguages, preferred_language
from etabli.server.services import Services
from etabli.server.web.rendering import Renderer

_PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def identity_router(
    services: Services, renderer: Renderer, *, languages: AccountLanguages, cookie: SessionCookie
) -> APIRouter:
    """The routes of signing in and of the own account."""
    router = APIRouter(tags=["identity"])
    identity = Identity(services.database)

    @router.get("/v1/etabli/me")
    async def me(caller: CurrentCaller) -> Me:
        """Say whose account asks, and what it chose."""
        return await asyncio.to_thread(identity.me, caller)

    @router.patch("/v1/etabli/me")
    async def change_me(change: MeChange, caller: CurrentCaller) -> Me:
        """Change the language or the theme of the screens."""
        changed = await asyncio.to_thread(identity.change, caller, change)
        languages.note(caller.account_id, changed.settings.language)
        return changed

    @router.post("/v1/etabli/sign-in-links", status_code=201)
    async def make_link(caller: CurrentCaller) -> SignInLink:
        """Make a link that signs in to the caller's account, once and within 15 minutes."""
        return await asyncio.to_thread(identity.make_link, caller)

    @router.get("/sign-in", include_in_schema=False)
    async def sign_in(request: Request, link: str = "", next: str = "/") -> Response:
        if "prefetch" in request.headers.get("sec-purpose", ""):
            return Response(
                status_code=204, headers=_PRIVATE
            )  # a guess of the browser must not use the link up
        target = _own_path(next)
        if link:
            agent = request.headers.get("user-agent", "")
            token = await asyncio.to_thread(identity.sign_in, link, user_agent=agent)
            if token is not None:
                response = RedirectResponse(target, status_code=303, headers=_PRIVATE)
                cookie.set(response, request.scope, token)
                return response
        if await asyncio.to_thread(identity.is_signed_in, cookie.token(request.scope)):
            return RedirectResponse(target, status_code=303, headers=_PRIVATE)
        return renderer.page(
            request,
            "sign_in.html",
            name="sign_in",
            language=preferred_language(request.headers.get("accept-language", "")),
            status=403 if link else 200,
            values={"stale": bool(link)},
        )

    @router.post("/sign-out", status_code=204)
    async def sign_out(request: Request, caller: CurrentCaller) -> Response:
        """End the session of this browser."""
        token = cookie.token(request.scope)
        if token is not None:
            await asyncio.to_thread(identity.sign_out, token)
        response = Response(status_code=204, headers=_PRIVATE)
        cookie.set(response, request.scope, "")
        return response

    return router


def _own_path(address: str) -> str:
    """A path of this server, whatever was asked for: nobody is led elsewhere after signing in.

    >>> _own_path("/c/1?a=b"), _own_path("https://evil.example/"), _own_path("//evil.example"), _own_path("/\\\\evil")
    ('/c/1?a=b', '/', '/', '/')
    """
    if not address.startswith("/") or any(character <= " " or character == "\\" for character in address):
        return "/"
    parts = urlsplit(address)
    return "/" if parts.scheme or parts.netloc or parts.path.startswith("//") else address
