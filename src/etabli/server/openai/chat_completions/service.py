"""Chat completions: as an assistant, over its documents, or straight from the engine's model.

Knows nothing of HTTP: it takes the wire types and gives a value or the payloads of a stream.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import cast

from etabli.assistants.answer import Answer, Event, Stage
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.errors import EngineError, InvalidInputError
from etabli.knowledge.collection_names import collection_numbers
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.openai.chat_completions.annotations import annotations
from etabli.server.openai.chat_completions.chunks import (
    ChoiceWriter,
    ChunkWriter,
    answer_details,
    stage_value,
)
from etabli.server.openai.chat_completions.conversation import (
    engine_messages,
    for_choice,
    generation_parameters,
)
from etabli.server.openai.chat_completions.direct import DirectChat
from etabli.server.openai.chat_completions.protocol import ChatCompletionRequest
from etabli.server.openai.merging import merge
from etabli.server.openai.naming import find_assistant
from etabli.server.openai.payloads import JSON, add_usage, new_id
from etabli.server.openai.structured import OutputFormat, mend, output_format, wrong_form
from etabli.server.openai.tool_calls import whole_tool_calls
from etabli.server.services import Services


class ChatCompletions:
    """Answers conversations.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._direct = DirectChat(services.engine)

    async def create(self, request: ChatCompletionRequest, caller: Caller) -> JSON:
        """Give the whole answer.

        Raises:
            ModelNotFoundError: the name stands for nothing the caller may use.
            InvalidInputError: something in the request cannot be done.
            OutputFormatError: the model did not write the JSON that was asked for.
            EngineError: as `ChatEngine.complete`.
        """
        form = _checked(request)
        assistant = await self._assistant(request, caller)
        if assistant is None:
            return await self._direct.create(request, form)
        runs = self._runs(request, assistant, caller)
        answered = await asyncio.gather(*(self._whole(request, run, form) for run in runs))
        response: JSON = {
            "id": new_id("chatcmpl"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": request.model,
            "choices": [
                _choice(request, index, answer, stages) for index, (answer, stages) in enumerate(answered)
            ],
        }
        usage = add_usage((answer.usage for answer, _ in answered), same_prompt=True)
        return response if usage is None else {**response, "usage": usage}

    async def stream(self, request: ChatCompletionRequest, caller: Caller) -> AsyncGenerator[bytes, None]:
        """Give the chunks, each as its JSON.

        JSON that was asked for is checked at its end: what was sent cannot be mended any more.

        Raises: as `create`.
        """
        form = _checked(request)
        assistant = await self._assistant(request, caller)
        if assistant is None:
            payloads = self._direct.stream(request, form)
        else:
            payloads = self._assistant_stream(request, assistant, caller, form)
        try:
            async for payload in payloads:
                yield payload
        finally:
            await payloads.aclose()

    async def _assistant(
        self, request: ChatCompletionRequest, caller: Caller
    ) -> AssistantSpecification | None:
        """Who answers, and from what; None for the engine's own model."""
        assistant = await find_assistant(self._services, request.model, caller)
        names = request.etabli.collections
        if assistant is None or not names:
            return assistant
        await asyncio.to_thread(
            collection_numbers, self._services.database, names, principals=caller.principals
        )
        return assistant.model_copy(update={"collections": names})

    async def _assistant_stream(
        self,
        request: ChatCompletionRequest,
        assistant: AssistantSpecification,
        caller: Caller,
        form: OutputFormat | None,
    ) -> AsyncGenerator[bytes, None]:
        writer = ChunkWriter(request, completion_id=new_id("chatcmpl"), created=int(time.time()))
        choices = [ChoiceWriter(writer, index, request.etabli) for index in range(request.choices)]
        usages: list[JSON | None] = []
        events = merge(self._runs(request, assistant, caller))
        try:
            async for index, event in events:
                if isinstance(event, Answer):
                    usages.append(event.usage)
                    fault = await _fault(event, form)
                    if fault is not None:
                        raise wrong_form(fault)
                for payload in choices[index].write(event):
                    yield payload
        finally:
            await events.aclose()
        for payload in writer.usage(add_usage(usages, same_prompt=True)):
            yield payload

    def _runs(
        self, request: ChatCompletionRequest, assistant: AssistantSpecification, caller: Caller
    ) -> list[AsyncGenerator[Event, None]]:
        """The events of each of the `n` answers."""
        if request.logprobs:
            raise InvalidInputError(
                tr(
                    "Assistants give no logprobs. Ask the model itself: {model}.",
                    model=self._services.engine.model,
                ),
                param="logprobs",
            )
        messages = engine_messages(request.messages, images=False)
        parameters = generation_parameters(request)
        runs = []
        for number in range(request.choices):
            asked = AnswerRequest(messages=messages, generation=for_choice(parameters, number))
            events = self._services.answerer.answer(
                assistant, self._services.engine, asked, principals=caller.principals
            )
            runs.append(cast(AsyncGenerator[Event, None], events))
        return runs

    async def _whole(
        self, request: ChatCompletionRequest, events: AsyncGenerator[Event, None], form: OutputFormat | None
    ) -> tuple[Answer, list[Stage]]:
        """The answer of one run, mended where it must be, and what was done for it."""
        answer: Answer | None = None
        stages = []
        try:
            async for event in events:
                if isinstance(event, Stage):
                    stages.append(event)
                elif isinstance(event, Answer):
                    answer = event
        finally:
            await events.aclose()
        if answer is None:
            raise EngineError(tr("The answer ended before it was whole. Try again in a moment."))
        fault = await _fault(answer, form)
        if fault is not None and form is not None:
            limit = request.max_completion_tokens or request.max_tokens
            text, cost = await mend(self._services.engine, answer.text, fault, form, max_tokens=limit)
            # The new text has its markers elsewhere, so that no citation can be placed any more.
            answer = replace(answer, text=text, citations=(), usage=add_usage((answer.usage, cost)))
        return answer, stages


def _checked(request: ChatCompletionRequest) -> OutputFormat | None:
    """Refuse what nobody could do; give the form that the answer must have."""
    if request.functions:
        raise InvalidInputError(tr("“functions” was withdrawn. Send “tools” instead."), param="functions")
    asked = request.response_format
    return None if asked is None else output_format(asked.model_dump(exclude_none=True))


async def _fault(answer: Answer, form: OutputFormat | None) -> str | None:
    """Why an answer that ended by itself is not the JSON that was asked for."""
    if form is None or answer.finish_reason != "stop":
        return None
    return await form.fault(answer.text)


def _choice(request: ChatCompletionRequest, index: int, answer: Answer, stages: list[Stage]) -> JSON:
    message: JSON = {
        "role": "assistant",
        "content": answer.text if answer.text or not answer.tool_calls else None,
        "refusal": None,
        "annotations": annotations(answer.citations),
    }
    if answer.tool_calls:
        message["tool_calls"] = whole_tool_calls(answer.tool_calls)
    etabli: JSON = {}
    if request.etabli.stages:
        etabli["stages"] = [stage_value(stage) for stage in stages]
    if request.etabli.trace:
        etabli.update(answer_details(answer))
    if etabli:
        message["etabli"] = etabli
    return {"index": index, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
