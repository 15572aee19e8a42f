"""Text completions by the engine's own model. Assistants hold conversations and are not offered here."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.openai.completions.protocol import CompletionRequest
from etabli.server.openai.naming import require_engine_model
from etabli.server.openai.passthrough import pass_on, together
from etabli.server.openai.payloads import JSON, add_usage
from etabli.server.services import Services

DEFAULT_MAX_TOKENS = 16
MAX_ANSWERS = 16
_PATH = "/completions"
_PASSED_ON = (
    "temperature",
    "top_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "echo",
    "suffix",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repetition_penalty",
)


class Completions:
    """Continues texts.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def create(self, request: CompletionRequest, caller: Caller) -> JSON:
        """Give the whole answer.

        Raises:
            ModelNotFoundError: it is not the engine's own model.
            InvalidInputError: too many answers are asked for.
            EngineError: as `ChatEngine.complete`.
        """
        bodies = await asyncio.to_thread(self._bodies, request, caller)
        engine = self._services.engine
        answers = await asyncio.gather(*(engine.complete(body, path=_PATH) for body in bodies))
        if len(answers) == 1:
            return answers[0]
        whole: JSON = {**answers[0], "choices": []}
        for index, answer in enumerate(answers):
            whole["choices"].append({**answer["choices"][0], "index": index})
        usage = add_usage(answer.get("usage") for answer in answers)
        return {**whole, "usage": usage}

    async def stream(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[bytes, None]:
        """Give the chunks, each as its JSON. Raises: as `create`."""
        streams = [
            pass_on(self._services.engine, body, path=_PATH, include_usage=request.include_usage)
            for body in await asyncio.to_thread(self._bodies, request, caller)
        ]
        several = len(streams) > 1
        payloads = together(streams, prefix="cmpl", same_prompt=False) if several else streams[0]
        async with aclosing(payloads):
            async for payload in payloads:
                yield payload

    def _bodies(self, request: CompletionRequest, caller: Caller) -> list[JSON]:
        """What the engine is sent, for each prompt and each of its `n` answers, in OpenAI's order."""
        require_engine_model(self._services, request.model, caller)
        count = request.n or 1
        if request.best_of is not None and request.best_of > count:
            raise InvalidInputError(tr("“best_of” is not offered. Leave it out."), param="best_of")
        if len(request.prompts) * count > MAX_ANSWERS:
            raise InvalidInputError(
                tr("{count} answers are asked for at once; at most {most} are given. Send several requests.",
                   count=len(request.prompts) * count, most=MAX_ANSWERS),
                param="n",
            )  # fmt: skip
        common: JSON = {"model": request.model, "max_tokens": DEFAULT_MAX_TOKENS}
        if request.max_tokens is not None:
            common["max_tokens"] = request.max_tokens
        for name in _PASSED_ON:
            value = getattr(request, name)
            if value is not None:
                common[name] = value
        bodies = []
        for prompt in request.prompts:
            for number in range(count):
                seed = {"seed": request.seed + number} if request.seed is not None else {}
                bodies.append({**common, "prompt": prompt, **seed})
        return bodies
