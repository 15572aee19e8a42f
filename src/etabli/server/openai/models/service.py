"""What may be asked under which name: assistants, the engine's model and its adapters, the embedding model."""

import time
from datetime import UTC, datetime
from pathlib import Path

from etabli.assistants.specification import AssistantSpecification
from etabli.identity.accounts import OWNER_ID
from etabli.server.auth import Caller
from etabli.server.openai.models.protocol import Model, ModelDetails, ModelList, Standing
from etabli.server.openai.naming import embedding_model_name, unknown_model
from etabli.server.services import Services


class Models:
    """Lists names. Reads the assistants' files, so call it from a thread.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._started = int(time.time())

    def list(self, caller: Caller) -> ModelList:
        """The assistants made for this caller, the engine's model, its adapters and the embedding model."""
        engine = self._services.engine
        visible = [spec for spec in self._services.assistants.list() if caller.may_use(spec.audience)]
        entries = [self._assistant(spec) for spec in visible if spec.name != engine.model]
        entries.append(self._model(engine.model, kind="model", context_tokens=engine.context_tokens))
        if self._services.training is not None and caller.account_id == OWNER_ID:
            loaded = self._services.training.loaded()
            entries += [
                self._model(name, kind="adapter", context_tokens=engine.context_tokens) for name in loaded
            ]
        embedder = self._services.embedder
        if embedder is not None:
            name = embedding_model_name(self._services.settings, embedder)
            entries.append(self._model(name, kind="embeddings", context_tokens=None))
        return ModelList(data=entries)

    def get(self, name: str, caller: Caller) -> Model:
        """The one of this name.

        Raises:
            ModelNotFoundError: it stands for nothing the caller may use.
        """
        for model in self.list(caller).data:
            if model.id == name:
                return model
        raise unknown_model(name)

    def _assistant(self, specification: AssistantSpecification) -> Model:
        context = self._services.engine.context_tokens
        return Model(
            id=specification.name,
            created=_modified(self._services.settings.assistants_dir / f"{specification.name}.yaml")
            or self._started,
            context_length=context,
            max_model_len=context,
            title=specification.title,
            etabli=ModelDetails(
                kind="assistant",
                description=specification.description,
                language=specification.language,
                first_questions=list(specification.first_questions),
                standing=standing_of(self._services, specification),
            ),
        )

    def _model(self, name: str, *, kind: str, context_tokens: int | None) -> Model:
        return Model(
            id=name,
            created=self._started,
            context_length=context_tokens,
            max_model_len=context_tokens,
            title=name,
            etabli=ModelDetails.model_validate({"kind": kind}),
        )


def standing_of(services: Services, assistant: AssistantSpecification) -> Standing | None:
    """What the gate says of an assistant, in the words of certificates; None for a server without a gate. Blocks."""
    if services.certification is None:
        return None
    standing = services.certification.gate.standing(assistant)
    until = None if standing.until is None else int(standing.until.timestamp())
    state: str = standing.state
    if state == "established":
        state = "certified"
    elif state == "closed":
        ended = standing.until is not None and standing.until <= datetime.now(UTC)
        state = "expired" if ended else "none"
    return Standing.model_validate({"state": state, "certificate": standing.certificate, "until": until})


def _modified(path: Path) -> int | None:
    """When a file was last changed, in seconds; None where there is none."""
    try:
        return int(path.stat().st_mtime)
    except OSError:
        return None
