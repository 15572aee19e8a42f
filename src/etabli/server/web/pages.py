"""The pages. Each is the frame with one element in it; scripts fill it over the API, as any client would."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from etabli.server.auth import CurrentCaller, wants_page
from etabli.server.identity.service import Identity
from etabli.server.languages import preferred_language
from etabli.server.services import Services
from etabli.server.web.rendering import Renderer

SHELL = "js/shell/shell.js"
"""The module of the frame: sidebar, palette, keys."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the application.

    Args:
        path: its route; the parameters are handed to the scripts.
        name: `css/<name>.css` and `js/pages/<name>.js` are its own, and `<etabli-name>` is its element.
        title: in English; its French twin is in `locale/fr/web_core.json`.
        sheets: of parts that it shares with other pages, `css/<sheet>.css` each.
        soon: modules that it imports late but needs at once: they are asked for with the others.
        later: modules that it may need: what they need in turn is told to its scripts.
    """

    path: str
    name: str
    title: str
    sheets: tuple[str, ...] = ()
    soon: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


ANSWERS = ("markdown", "answer")
"""The sheets of questions and answers."""
TURNS = "js/chat/turn.js"
"""The module that draws a question and its answer."""
TRAINING = ("certification", "training")
"""The sheets of one training."""

PAGES = (
    Page("/", "chat", "New conversation", ANSWERS, later=(TURNS,)),
    Page("/c/{id}", "chat", "Conversation", ANSWERS, soon=(TURNS,)),
    Page("/documents", "documents", "Documents", ("results", "uploads")),
    Page("/documents/{document_id:int}/versions/{version_id:int}", "source", "Source", ("sources",)),
    Page("/assistants", "assistants", "Assistants"),
    Page("/assistants/new", "builder", "New assistant", (*ANSWERS, "assistants", "try")),
    Page("/assistants/{name}", "builder", "Assistant", (*ANSWERS, "assistants", "try")),
    Page("/assistants/{name}/compare", "compare", "Compare versions", (*ANSWERS, "assistants")),
    Page("/models", "models", "Models"),
    Page("/training", "training", "Training", ("certification",)),
    Page("/training/new", "training_new", "New training", TRAINING),
    Page("/training/questions/{assistant}", "training_review", "Questions to look through", TRAINING),
    Page("/training/{id}", "training_job", "Training", TRAINING),
    Page("/certification", "certification", "Certification"),
    Page("/certification/campaigns/{id}", "campaign", "Campaign", ("certification",)),
    Page("/certification/campaigns/{id}/reading", "reading", "Reading", ("certification",)),
    Page("/certification/certificates/{id}", "certificate", "Certificate", ("certification",)),
    Page("/shared/{token}", "shared", "Shared conversation", (*ANSWERS, "chat")),
)


def pages_router(services: Services, renderer: Renderer) -> APIRouter:
    """The route of each page."""
    router = APIRouter(include_in_schema=False)
    identity = Identity(services.database)
    for page in PAGES:
        router.add_api_route(page.path, _route(page, identity, renderer), methods=["GET"])
    return router


def install_page_errors(app: FastAPI, renderer: Renderer) -> None:
    """Answer a browser that asks for a page which is not there with a page; programs keep their JSON."""
    for_programs = app.exception_handlers[HTTPException]

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if wants_page(request.scope):
            return error_page(request, renderer, status=error.status_code)
        answer: Response = await for_programs(request, error)  # type: ignore[misc]
        return answer

    app.add_exception_handler(HTTPException, http)


def error_page(request: Request, renderer: Renderer, *, status: int) -> Response:
    """A page that says what is wrong and leads back."""
    return renderer.page(
        request,
        "error.html",
        name="error",
        language=preferred_language(request.headers.get("accept-language", "")),
        status=status,
        values={"status": status},
    )


def _route(page: Page, identity: Identity, renderer: Renderer) -> Callable[..., Awaitable[Response]]:
    async def show(request: Request, caller: CurrentCaller) -> Response:
        try:
            me = await asyncio.to_thread(identity.me, caller)
            return renderer.page(
                request,
                "app.html",
                name=page.name,
                language=me.settings.language
                or preferred_language(request.headers.get("accept-language", "")),
                theme=me.settings.theme,
                account=me.account.model_dump(),
                parameters=request.path_params,
                scripts=[SHELL],
                sheets=page.sheets,
                soon=page.soon,
                later=page.later,
                values={"mount": f"etabli-{page.name}", "page_title": page.title},
            )
        except Exception:
            logger.exception("a page could not be made")
            return error_page(request, renderer, status=500)

    return show
