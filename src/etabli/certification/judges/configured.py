"""The engine that the settings name as judge: an OpenAI-compatible address, or the assistants' own."""

import hashlib
from collections.abc import Callable

from etabli.certification.bundle import EngineIdentity
from etabli.certification.judges.calibration import FILE, JudgeRegistry
from etabli.certification.judges.panel import Panel, seat_judges
from etabli.engines.base import ChatEngine
from etabli.engines.openai import OpenAIEngine
from etabli.settings import Settings

LOCAL = "local"
"""The value of `judge_url` that names the engine which the assistants run on."""


def judge_registry(settings: Settings) -> JudgeRegistry:
    """The calibrations of a workspace."""
    return JudgeRegistry(settings.workspace / FILE)


def judge_engine(
    settings: Settings, engine: Callable[[], ChatEngine], identity: Callable[[], EngineIdentity]
) -> tuple[ChatEngine, str, bool] | None:
    """The engine, what names its weights for good, and whether it is the caller's to close; None without a judge.

    Args:
        settings: of the workspace.
        engine: the assistants' engine.
        identity: what that is; reads its weights, so it blocks.
    """
    if settings.judge_url is None:
        return None
    if settings.judge_url == LOCAL:
        known = identity()
        return engine(), known.weights or named(known.build, known.model), False
    assert settings.judge_model is not None, "the settings ask for both"
    key = settings.judge_key.get_secret_value() if settings.judge_key is not None else None
    made = OpenAIEngine(settings.judge_url, key, model=settings.judge_model)
    return made, named(settings.judge_url, settings.judge_model), True


def named(address: str, model: str) -> str:
    """A digest for weights that cannot be read: of the address and the name of the model there."""
    return hashlib.sha256(f"{address}\x00{model}".encode()).hexdigest()


def configured_panel(
    settings: Settings, engine: ChatEngine, identity: Callable[[], EngineIdentity]
) -> Panel | None:
    """The judges that a campaign of this workspace may ask; None where no judge is configured. Blocks."""
    found = judge_engine(settings, lambda: engine, identity)
    if found is None:
        return None
    judge, digest, owned = found
    return seat_judges(judge, judge_registry(settings), model_digest=digest, owned=owned)
