"""The pages. Each is the frame with one element in it; scripts fill it over the API, as any client would."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from etabli.server.services import Services
from etabli.server.web.rendering import Renderer, preferred_language

SHELL = "js/shell/shell.js"
"""The module of the frame: sidebar, palette, keys."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the application.

    Args:
        path: its route; the parameters are handed to the scripts.
        name: `css/<name>.css` and `js/pages/<name>.js` are its own.
        title: in English.
    """

    path: str
    name: str
    title: str

    @property
    def mount(self) -> str:
        """The custom element that the page is."""
        return f"etabli-{self.name}"


PAGES = (
    Page("/", "chat", "New conversation"),
    Page("/c/{id}", "chat", "Conversation"),
    Page("/documents", "documents", "Documents"),
    Page("/documents/{document_id:int}/versions/{version_id:int}", "source", "Source"),
    Page("/assistants", "assistants", "Assistants"),
    Page("/assistants/new", "builder", "New assistant"),
    Page("/assistants/{name}", "builder", "Assistant"),
    Page("/assistants/{name}/compare", "compare", "Compare versions"),
    Page("/models", "models", "Models"),
    Page("/shared/{token}", "shared", "Shared conversation"),
)


def pages_router(services: Services, renderer: Renderer) -> APIRouter:
    """The route of each page."""
    router = APIRouter(include_in_schema=False)
    for page in PAGES:
        router.add_api_route(page.path, _route(page, renderer), methods=["GET"], response_class=Response)
    return router


def _route(page: Page, renderer: Renderer) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        return renderer.page(
            request,
            "app.html",
            name=page.name,
            language=preferred_language(request.headers.get("accept-language", "")),
            account={"id": 1, "name": ""},
            parameters=request.path_params,
            scripts=[SHELL],
            values={"mount": page.mount, "title": page.title},
        )

    return show
