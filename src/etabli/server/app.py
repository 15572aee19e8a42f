"""The web application: every route, and the layers that every request passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from etabli import __version__
from etabli.identity.sessions import Sessions
from etabli.knowledge.pages import PagePictures
from etabli.server.activity import Activity, ActivityCount
from etabli.server.assistants.router import assistants_router
from etabli.server.auth import Authentication, SessionCookie
from etabli.server.certification.router import certification_router
from etabli.server.collections.router import collections_router
from etabli.server.conversations.router import conversations_router
from etabli.server.conversations.upkeep import upkeep
from etabli.server.documents.receiving import ROOM_BYTES
from etabli.server.documents.router import PREFIX as DOCUMENTS
from etabli.server.documents.router import documents_router
from etabli.server.errors import install_error_handlers
from etabli.server.identity.router import identity_router
from etabli.server.languages import AccountLanguages, ReaderLanguage
from etabli.server.middleware import BodyLimit, RequestLog
from etabli.server.models.router import machine_models_router
from etabli.server.openai.chat_completions.router import chat_completions_router
from etabli.server.openai.completions.router import completions_router
from etabli.server.openai.conversations.router import openai_conversations_router
from etabli.server.openai.embeddings.router import embeddings_router
from etabli.server.openai.files.router import PREFIX as FILES
from etabli.server.openai.files.router import files_router
from etabli.server.openai.fine_tuning.router import fine_tuning_router
from etabli.server.openai.models.router import models_router
from etabli.server.openai.moderations.router import moderations_router
from etabli.server.openai.responses.router import responses_router
from etabli.server.openai.responses.runs import Runs
from etabli.server.search.router import search_router
from etabli.server.services import Services
from etabli.server.status import status_router
from etabli.server.training.inspection_router import inspection_router
from etabli.server.training.review import review_router
from etabli.server.training.router import training_router
from etabli.server.web.pages import install_page_errors, pages_router
from etabli.server.web.rendering import Renderer
from etabli.server.web.static_files import static_router, static_tree
from etabli.training.files import MOST_BYTES


def create_app(services: Services) -> FastAPI:
    """Build the application over the parts of one workspace.

    The parts stay the caller's: only the engine's connections, which belong to the event loop, are closed here.
    """
    pictures = PagePictures(services.settings)
    runs = Runs()
    languages = AccountLanguages(services.database)
    cookie = SessionCookie.of(services.api_key)
    activity = Activity()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with upkeep(services, runs):
            yield
        await services.engine.aclose()
        await asyncio.to_thread(pictures.close)

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
    renderer = Renderer(static_tree())
    install_error_handlers(app)
    install_page_errors(app, renderer)
    for router in (
        status_router(services),
        models_router(services),
        chat_completions_router(services),
        completions_router(services),
        responses_router(services, runs),
        openai_conversations_router(services, runs),
        conversations_router(services, runs),
        embeddings_router(services),
        moderations_router(),
        collections_router(services),
        documents_router(services, pictures),
        assistants_router(services),
        machine_models_router(services),
        identity_router(services, renderer, languages=languages, cookie=cookie),
        static_router(static_tree()),
        pages_router(services, renderer),
        search_router(services),
    ):
        app.include_router(router)
    if services.certification is not None:
        app.include_router(
            certification_router(services.certification, activity, writing=lambda: bool(runs.running()))
        )
    if services.training is not None:
        for router in (
            files_router(services.training),
            fine_tuning_router(services.training),
            training_router(services.training),
            inspection_router(services),
            review_router(services),
        ):
            app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(
        BodyLimit,
        larger={
            DOCUMENTS: services.settings.max_document_bytes + ROOM_BYTES,
            FILES: MOST_BYTES + ROOM_BYTES,
        },
    )
    app.add_middleware(
        Authentication,
        api_key=services.api_key,
        sessions=Sessions(services.database),
        cookie=cookie,
        languages=languages,
    )
    app.add_middleware(ActivityCount, activity=activity)
    app.add_middleware(RequestLog)
    app.add_middleware(ReaderLanguage)
    return app
