"""The web application: every route, and the layers that every request passes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from etabli import __version__
from etabli.server.assistants.router import assistants_router
from etabli.server.auth import Authentication
from etabli.server.documents.router import documents_router
from etabli.server.errors import install_error_handlers
from etabli.server.middleware import BodyLimit, RequestLog
from etabli.server.models.router import machine_models_router
from etabli.server.openai.chat_completions.router import chat_completions_router
from etabli.server.openai.completions.router import completions_router
from etabli.server.openai.embeddings.router import embeddings_router
from etabli.server.openai.models.router import models_router
from etabli.server.search.router import search_router
from etabli.server.services import Services
from etabli.server.status import status_router
from etabli.server.web.pages import pages_router
from etabli.server.web.rendering import Renderer
from etabli.server.web.static_files import static_router, static_tree


def create_app(services: Services) -> FastAPI:
    """Build the application over the parts of one workspace.

    The parts stay the caller's: only the engine's connections, which belong to the event loop, are closed here.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await services.engine.aclose()

    # The interactive documentation loads scripts from elsewhere, so it is off; the description itself is served.
    app = FastAPI(
        title="Établi",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The environment could otherwise have it send requests, with their bodies, to a collector.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        lifespan=lifespan,
    )
    install_error_handlers(app)
    for router in (
        status_router(services),
        models_router(services),
        chat_completions_router(services),
        completions_router(services),
        embeddings_router(services),
        documents_router(services),
        assistants_router(services),
        machine_models_router(services),
        static_router(static_tree()),
        pages_router(services, Renderer(static_tree())),
        search_router(services),
    ):
        app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(Authentication, api_key=services.api_key)
    app.add_middleware(RequestLog)
    return app
