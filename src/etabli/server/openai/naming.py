"""What a `model` name of the API stands for: an assistant, the engine's model or one of its adapters, embeddings."""

import asyncio

from etabli.assistants.specification import AssistantSpecification
from etabli.engines.adapters import PREFIX
from etabli.engines.base import Embedder
from etabli.errors import ConfigurationError, ConflictError, ModelNotFoundError, NotFoundError
from etabli.identity.accounts import OWNER_ID
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.services import Services
from etabli.settings import Settings
from etabli.training.adapters import require_adapter


async def find_assistant(services: Services, name: str, caller: Caller) -> AssistantSpecification | None:
    """The assistant of this name, or None when the name is that of the engine's own model or of an adapter.

    `name@3` is version 3 of the assistant `name`.

    The engine's model wins over an assistant of the same name, so that a request for it never touches a file.

    A numbered version is a trial and passes no gate; the assistant itself does.

    Raises:
        ModelNotFoundError: there is none, or it is not for this caller.
        NotEstablishedError: it is published, and not what was certified.
        ConfigurationError: the assistant's file cannot be used.
        ConflictError: the assistant wants another model than the one that runs, or the adapter is not loaded.
    """
    if name == services.engine.model:
        return None
    if name.startswith(PREFIX):
        await asyncio.to_thread(require_loaded, services, name, caller)
        return None
    plain, at, number = name.rpartition("@")
    assistant = await _known_assistant(services, plain if at else name, caller)
    if at:
        assistant = await _version(services, plain, number, caller)
    elif services.certification is not None:
        await asyncio.to_thread(services.certification.gate.require, assistant)
    require_model_of(services, assistant)
    return assistant


def require_model_of(services: Services, assistant: AssistantSpecification) -> None:
    """Check that the engine runs the model that an assistant wants.

    Raises:
        ConflictError: it runs another.
    """
    if assistant.model is not None and assistant.model != services.engine.model:
        raise ConflictError(
            tr(
                "The assistant “{name}” wants the model {wanted}, and the engine runs {running}. Name {wanted} as "
                "`model` in etabli.toml and start Établi again, or let the assistant use {running}.",
                name=assistant.name,
                wanted=assistant.model,
                running=services.engine.model,
            )
        )


async def _known_assistant(services: Services, name: str, caller: Caller) -> AssistantSpecification:
    try:
        assistant = await asyncio.to_thread(services.assistants.get, name)
    except NotFoundError:
        raise unknown_model(name) from None
    if not caller.may_use(assistant.audience):
        raise unknown_model(name)
    return assistant


async def _version(services: Services, name: str, number: str, caller: Caller) -> AssistantSpecification:
    """An earlier state of an assistant: both it and what it is now must be for the caller."""
    unknown = unknown_model(f"{name}@{number}")
    if services.versions is None or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise unknown
    try:
        assistant = await asyncio.to_thread(services.versions.get, name, int(number))
    except NotFoundError:
        raise unknown from None
    if not caller.may_use(assistant.audience):
        raise unknown
    return assistant


def require_engine_model(services: Services, name: str, caller: Caller) -> None:
    """Check that `name` is the engine's own model, or an adapter that it holds. Blocks for an adapter.

    Raises:
        ModelNotFoundError: it is not.
        ConflictError: the adapter is approved and not loaded.
    """
    if name.startswith(PREFIX):
        require_loaded(services, name, caller)
    elif name != services.engine.model:
        raise unknown_model(name)


def require_loaded(services: Services, name: str, caller: Caller) -> None:
    """Check that an adapter answers. Blocks.

    By its bare name it answers the owner only: people get it through assistants, each with its audience.

    Raises:
        ModelNotFoundError: it is unknown or not approved; nobody is told which.
        ConflictError: it is approved, and the engine does not hold it.
    """
    if services.training is None or caller.account_id != OWNER_ID:
        raise unknown_model(name)
    try:
        require_adapter(services.database, name, running=services.engine.model)
    except ConfigurationError:
        raise unknown_model(name) from None
    if name not in services.training.loaded():
        raise ConflictError(
            tr(
                "The adapter {name} is approved, and the engine does not hold it. See: etabli adapters list",
                name=name,
            )
        )


def embedding_model_name(settings: Settings, embedder: Embedder) -> str:
    """The name of the embedding model at the API: the configured one, else the first part of its identity."""
    return settings.embeddings_model or embedder.name.partition(":")[0]


def unknown_model(name: str) -> ModelNotFoundError:
    """The error for a name that stands for nothing the caller may use."""
    return ModelNotFoundError(
        tr(
            "There is no model or assistant named “{name}”. GET /v1/models lists those you may use.",
            name=name,
        )
    )
