"""Chat straight from the engine's model: one answer is passed on as it is, several are put together."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from etabli.engines.base import ChatEngine
from etabli.server.openai.chat_completions.conversation import (
    engine_messages,
    for_choice,
    generation_parameters,
    sees_images,
)
from etabli.server.openai.chat_completions.protocol import ChatCompletionRequest
from etabli.server.openai.passthrough import pass_on, tidy_answer, together
from etabli.server.openai.payloads import JSON, add_usage
from etabli.server.openai.structured import OutputFormat, mend, wrong_form

_PATH = "/chat/completions"


class DirectChat:
    """The engine's own model as a chat endpoint.

    Args:
        engine: the engine.
    """

    def __init__(self, engine: ChatEngine) -> None:
        self._engine = engine

    async def create(self, request: ChatCompletionRequest, form: OutputFormat | None) -> JSON:
        """Give the whole answer. Raises: as `ChatCompletions.create`."""
        bodies = self._bodies(request)
        answers = await asyncio.gather(*(self._whole(body, form) for body in bodies))
        if len(answers) == 1:
            return answers[0]
        usage = add_usage((answer.get("usage") for answer in answers), same_prompt=True)
        whole: JSON = {**answers[0], "choices": [], "usage": usage}
        for index, answer in enumerate(answers):
            whole["choices"].append({**answer["choices"][0], "index": index})
        return whole

    def stream(
        self, request: ChatCompletionRequest, form: OutputFormat | None
    ) -> AsyncGenerator[bytes, None]:
        """Give the chunks, each as its JSON. Raises: as `ChatCompletions.create`."""
        bodies = self._bodies(request)
        streams = [
            pass_on(self._engine, body, path=_PATH, include_usage=request.include_usage) for body in bodies
        ]
        if form is not None:
            streams = [_checked(stream, form) for stream in streams]
        if len(streams) == 1:  # the usual case: no layer in between
            return streams[0]
        return together(streams, prefix="chatcmpl", same_prompt=True)

    def _bodies(self, request: ChatCompletionRequest) -> list[JSON]:
        """What the engine is sent, for each of the `n` answers."""
        messages = engine_messages(request.messages, images=sees_images(self._engine))
        parameters = generation_parameters(request)
        return [
            {"model": request.model, "messages": messages, **for_choice(parameters, number)}
            for number in range(request.choices)
        ]

    async def _whole(self, body: JSON, form: OutputFormat | None) -> JSON:
        answer = tidy_answer(await self._engine.complete(body, path=_PATH))
        choice = answer["choices"][0]
        if form is None or choice.get("finish_reason") != "stop":
            return answer
        text = str(choice["message"].get("content") or "")
        fault = await form.fault(text)
        if fault is not None:
            mended, cost = await mend(self._engine, text, fault, form, max_tokens=body.get("max_tokens"))
            choice["message"]["content"] = mended
            answer["usage"] = add_usage((answer.get("usage"), cost))
        return answer


async def _checked(payloads: AsyncGenerator[bytes, None], form: OutputFormat) -> AsyncGenerator[bytes, None]:
    """The same payloads; the text is checked before the one that says the answer is finished."""
    written: list[str] = []
    async with aclosing(payloads) as source:
        async for payload in source:
            for choice in json.loads(payload).get("choices") or ():
                written.append(choice["delta"].get("content") or "")
                if choice.get("finish_reason") == "stop":
                    fault = await form.fault("".join(written))
                    if fault is not None:
                        raise wrong_form(fault)
            yield payload
