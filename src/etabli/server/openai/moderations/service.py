"""Looks at texts with the rules of `etabli.certification.moderation`."""

import asyncio

from etabli.certification.moderation import CATEGORIES, MOST_CHARACTERS, moderate
from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.server.openai.moderations.protocol import (
    MAX_CHARACTERS,
    MODELS,
    OWN_MODEL,
    InputPart,
    ModerationRequest,
)
from etabli.server.openai.naming import unknown_model
from etabli.server.openai.payloads import JSON, new_id

_AT_ONCE = 2
"""Requests that are looked at at once: the work is all processor."""


class Moderations:
    """Moderates texts; nothing is stored."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def create(self, request: ModerationRequest) -> JSON:
        """Look at each input.

        Raises:
            ModelNotFoundError: the name is none of those that are known.
            InvalidInputError: a picture, or too much text.
        """
        if request.model not in MODELS:
            raise unknown_model(request.model)
        texts = _texts(request)
        results = []
        async with self._turn:
            for text in texts:
                results.append(await asyncio.to_thread(_result, text))
        return {"id": new_id("modr"), "model": OWN_MODEL, "results": results}


def _texts(request: ModerationRequest) -> list[str]:
    """One text an input; the parts of a multimodal input are one."""
    if isinstance(request.input, str):
        texts = [request.input]
    else:
        parts = [item for item in request.input if isinstance(item, InputPart)]
        texts = [_joined(parts)] if parts else [str(item) for item in request.input]
    longest, total = max(map(len, texts)), sum(map(len, texts))
    if longest > MOST_CHARACTERS or total > MAX_CHARACTERS:
        raise InvalidInputError(
            tr(
                "An input has {longest} characters and all have {total} together; at most {most} in one and "
                "{most_total} together are looked at. Send less at once.",
                longest=longest,
                total=total,
                most=MOST_CHARACTERS,
                most_total=MAX_CHARACTERS,
            ),
            param="input",
        )
    return texts


def _joined(parts: list[InputPart]) -> str:
    if any(part.type == "image_url" for part in parts):
        raise InvalidInputError(
            tr("Pictures are not looked at here, and are never passed unseen. Send the text alone."),
            param="input",
        )
    return "\n".join(part.text or "" for part in parts)


def _result(text: str) -> JSON:
    found = moderate(text)
    return {
        "flagged": found.flagged,
        "categories": found.categories,
        "category_scores": {category: found.scores[category] for category in CATEGORIES},
        "category_applied_input_types": {category: ["text"] for category in CATEGORIES},
    }
