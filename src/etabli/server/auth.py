"""Who calls. Nothing answers without the key or a session, but for a short list of open paths.

An ASGI layer around the whole application: a route that somebody adds later is closed without a further word.
The key is compared in constant time; neither it nor a session's token is ever logged.

A browser sends its cookie along whoever made it send a request, so a request that changes something and comes with a
cookie must say that it comes from our own page. Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet,
"Fetch Metadata headers"; Fetch Metadata Request Headers (W3C).
"""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Annotated, Protocol
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etabli.errors import AuthenticationError, CrossSiteError
from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import SESSION_LIFE, Session
from etabli.messages import speak, tr
from etabli.server.errors import error_response
from etabli.storage.database import EVERYONE

OPEN_PATHS = frozenset({"/health", "/sign-in"})
"""Exact paths that anybody may ask for."""
OPEN_PREFIX = "/static/"
"""The files of the screens, which hold nothing of an installation."""
COOKIE_PREFIX = "etabli_session_"

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_PAGES = ("/v1/", "/openapi.json", "/status", "/health")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Args:
        principals: the groups whose documents and assistants they may see.
        account_id: whose account it is; the key of the installation is the owner's.
    """

    principals: tuple[str, ...]
    account_id: int = OWNER_ID

    @classmethod
    def of_account(cls, account_id: int) -> "Caller":
        """The person of an account: everyone's things and their own."""
        return cls(principals=(EVERYONE, f"user:{account_id}"), account_id=account_id)

    def may_use(self, audience: Iterable[str]) -> bool:
        """Whether something made for `audience` is for them."""
        return not set(self.principals).isdisjoint(audience)


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie that holds a session's token.

    Cookies of one host are shared by all its ports (RFC 6265, section 8.5): each installation has a name of its own,
    so that signing in to one does not sign out of another.

    Args:
        name: of the cookie.
    """

    name: str

    @classmethod
    def of(cls, api_key: str) -> "SessionCookie":
        """The cookie of the installation that has this key; 32 bits of a hash tell nothing of a random key."""
        return cls(COOKIE_PREFIX + hashlib.sha256(f"cookie:{api_key}".encode()).hexdigest()[:8])

    def token(self, scope: Scope) -> str | None:
        """The token, as it was sent."""
        for name, value in scope.get("headers", ()):
            if name == b"cookie":
                # One strange cookie of another program on this host must not hide ours, as a strict parser would
                # let it.
                for pair in value.decode("latin-1").split(";"):
                    key, _, token = pair.strip().partition("=")
                    if key == self.name and token:
                        return str(token)
        return None

    def set(self, response: Response, scope: Scope, token: str) -> None:
        """Have the browser keep a session; an empty token ends it."""
        response.set_cookie(
            self.name,
            token,
            max_age=int(SESSION_LIFE.total_seconds()) if token else 0,
            path="/",
            httponly=True,
            samesite="lax",
            secure=scope.get("scheme") == "https",
        )


class FindsSessions(Protocol):
    """What knows the sessions. Called from a thread."""

    def find(self, token: str) -> Session | None:
        """The session of a token, or None."""
        ...


class KnowsLanguages(Protocol):
    """What knows the languages that people chose."""

    async def of(self, account_id: int) -> str | None:
        """The language of an account, or None."""
        ...


class Authentication:
    """Lets through who shows the key (`Authorization: Bearer …` or `x-api-key: …`) or the cookie of a session.

    A browser that asks for a page without a session is led to the one that says how to sign in.

    Args:
        app: what it protects.
        api_key: the key; an empty one opens nothing.
        sessions: the sessions; None where there are none.
        cookie: that holds a session; the one of the installation that has the key if None.
        languages: what people chose to be spoken to in; None where nobody did.
        open_paths: exact paths that need nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        api_key: str,
        sessions: FindsSessions | None = None,
        cookie: SessionCookie | None = None,
        languages: KnowsLanguages | None = None,
        open_paths: Set[str] = OPEN_PATHS,
    ) -> None:
        self._app = app
        self._digest = _digest(api_key.encode()) if api_key else None
        self._sessions = sessions
        self._cookie = cookie or SessionCookie.of(api_key)
        self._languages = languages
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path in self._open_paths or path.startswith(OPEN_PREFIX):
            return await self._app(scope, receive, send)
        keys = _shown_keys(scope)
        token = self._cookie.token(scope)
        # Every key is compared, so that the time tells nothing of which header was right.
        if any([self._is_right(key) for key in keys]):
            await self._let_in(scope, OWNER_ID)
            return await self._app(scope, receive, send)
        if keys or token is None or self._sessions is None:
            return await _refuse(scope, receive, send, shown=bool(keys))
        session = await asyncio.to_thread(self._sessions.find, token)
        if session is None:
            return await _refuse(scope, receive, send, shown=False)
        await self._let_in(scope, session.account_id)
        if scope.get("method") not in _SAFE_METHODS and not comes_from_us(scope):
            message = tr(
                "This request came from another site and was refused. Use the page of this installation."
            )
            return await error_response(CrossSiteError(message))(scope, receive, send)
        if session.prolonged:
            send = _renewing(scope, send, token, self._cookie)
        return await self._app(scope, receive, send)

    async def _let_in(self, scope: Scope, account_id: int) -> None:
        """Note who calls, and speak their language from here on."""
        scope.setdefault("state", {})["caller"] = Caller.of_account(account_id)
        chosen = await self._languages.of(account_id) if self._languages is not None else None
        if chosen is not None:
            speak(chosen)

    def _is_right(self, key: bytes) -> bool:
        return self._digest is not None and hmac.compare_digest(_digest(key), self._digest)


async def current_caller(request: Request) -> Caller:
    """The caller of a request that passed `Authentication`. Asynchronous: FastAPI gives others a thread."""
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


CurrentCaller = Annotated[Caller, Depends(current_caller)]


def comes_from_us(scope: Scope) -> bool:
    """Whether the browser says that our own page sent this request."""
    headers: dict[bytes, str] = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
    if b"sec-fetch-site" in headers:
        return headers[b"sec-fetch-site"] == "same-origin"
    origin = urlsplit(headers.get(b"origin", ""))
    return bool(origin.netloc) and origin.netloc == headers.get(b"host")


def _renewing(scope: Scope, send: Send, token: str, own: SessionCookie) -> Send:
    """Send, with a cookie that lasts as long as the session does now, unless the answer sets its own."""
    response = Response()
    own.set(response, scope, token)
    cookie = next(header for header in response.raw_headers if header[0] == b"set-cookie")

    async def renewed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ())]
            if not any(name == b"set-cookie" for name, _ in headers):
                message["headers"] = [*headers, cookie]
        await send(message)

    return renewed


def _digest(key: bytes) -> bytes:
    """Equal lengths for the comparison."""
    return hashlib.sha256(key).digest()


def _shown_keys(scope: Scope) -> list[bytes]:
    keys = []
    for name, value in scope.get("headers", ()):
        if name == b"x-api-key":
            keys.append(value.strip())
        elif name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() == b"bearer":
                keys.append(key.strip())
    return [key for key in keys if key]


def wants_page(scope: Scope) -> bool:
    """Whether a browser asks for something to show to a person."""
    if scope.get("method") not in ("GET", "HEAD") or scope["path"].startswith(_NOT_PAGES):
        return False
    accepted = b",".join(value for name, value in scope.get("headers", ()) if name == b"accept")
    return b"text/html" in accepted


async def _refuse(scope: Scope, receive: Receive, send: Send, *, shown: bool) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    if wants_page(scope):
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        address = "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='/')}"
        headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
        return await RedirectResponse(address, status_code=303, headers=headers)(scope, receive, send)
    message = (
        tr("This key is not the one of this installation.")
        if shown
        else tr("A key is needed: send it as “Authorization: Bearer <key>” or as “x-api-key: <key>”.")
    )
    await error_response(AuthenticationError(message))(scope, receive, send)
