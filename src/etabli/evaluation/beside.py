"""What engines have in common that stand in for another one: its name, its limits, its count of tokens."""

from etabli.engines.base import ChatEngine


class EngineBeside:
    """The part of a `ChatEngine` that is another engine's; who inherits it answers otherwise.

    Args:
        engine: the other one, which stays the caller's.
    """

    def __init__(self, engine: ChatEngine) -> None:
        self._engine = engine

    @property
    def model(self) -> str:
        """The other engine's."""
        return self._engine.model

    @property
    def context_tokens(self) -> int:
        """The other engine's."""
        return self._engine.context_tokens

    async def count_tokens(self, text: str) -> int:
        """The other engine's count."""
        return await self._engine.count_tokens(text)

    async def aclose(self) -> None:
        """Nothing to give back: the other engine is its owner's to close."""
