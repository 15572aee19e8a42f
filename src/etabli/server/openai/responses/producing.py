"""The work of one response: the answer's events are written, sent to whoever follows, and kept about every second."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from typing import cast

from etabli.assistants.answer import Answer, Event
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.conversations.energy import EnergyMeter
from etabli.conversations.items import JSON
from etabli.conversations.turns import Turns
from etabli.conversations.values import STOPPED, Turn
from etabli.engines.adapters import PREFIX
from etabli.engines.local import LocalEngine
from etabli.engines.switching import SwitchingEngine
from etabli.errors import EngineError
from etabli.messages import kept, language, tr
from etabli.server.auth import Caller
from etabli.server.errors import describe
from etabli.server.openai.payloads import add_usage
from etabli.server.openai.responses.direct import answer_directly
from etabli.server.openai.responses.messages import (
    CHARACTERS_PER_TOKEN,
    chat_messages,
    generation_parameters,
    messages_that_fit,
)
from etabli.server.openai.responses.protocol import ResponseRequest
from etabli.server.openai.responses.runs import Run
from etabli.server.openai.responses.writer import ResponseWriter
from etabli.server.openai.structured import OutputFormat, mend, wrong_form
from etabli.server.services import Services

SAVE_EVERY_S = 1.0
TURNS_AT_ONCE = 40
_ANSWER_TOKENS, _MARGIN_TOKENS = 512, 128
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a response is made with.

    Args:
        request: what was asked.
        caller: who asked.
        assistant: who answers; None for the engine's own model.
        form: that the answer must have.
        tools: functions that the model may call.
    """

    request: ResponseRequest
    caller: Caller
    assistant: AssistantSpecification | None
    form: OutputFormat | None
    tools: Sequence[JSON]


class Producer:
    """Makes responses.

    Args:
        services: the parts of the workspace.
        turns: where turns are kept.
    """

    def __init__(self, services: Services, turns: Turns) -> None:
        self._services = services
        self._turns = turns
        self._meter = EnergyMeter(lambda: _engine_pid(services))

    async def produce(self, run: Run, plan: Plan) -> None:
        """Do the work of a run to its end, whatever that is."""
        writer = ResponseWriter(
            run.turn,
            stages=plan.request.etabli.stages,
            trace=plan.request.etabli.trace,
            results="file_search_call.results" in (plan.request.include or ()),
        )
        for event in writer.begin():
            run.publish(event)
        saving = asyncio.ensure_future(self._save_regularly(run, writer))
        reading = self._meter.begin()
        trace: JSON | None = None
        error: Exception | None = None
        try:
            if run.stop_reason is not None:  # before it began
                raise asyncio.CancelledError
            answer = await self._answer(run, plan, writer)
            last = list(writer.write(answer))
            trace = self._trace(run.turn, answer)
        except asyncio.CancelledError:
            if run.stop_reason == "cancelled":
                last = list(writer.stop("cancelled"))
            else:
                last = list(writer.stop("incomplete", reason=STOPPED))
        except Exception as failure:
            error = failure
            last = list(writer.stop("failed", error=_error(failure)))
        run.ending = True
        saving.cancel()
        energy = asdict(self._meter.end(reading))
        if trace is not None:
            trace["energy"] = {**energy, "explanation": kept(energy["explanation"])}
        await self._keep(run, writer.turn, trace)
        for event in last:
            run.publish(event)
        run.finish(writer.turn, error)

    async def _answer(self, run: Run, plan: Plan, writer: ResponseWriter) -> Answer:
        """Everything up to the last event, which is given in the form that was asked for."""
        answer: Answer | None = None
        messages = await asyncio.to_thread(self._messages, run.turn, plan)
        async with aclosing(self._events(run.turn, plan, messages)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    answer = event
                    continue
                for written in writer.write(event):
                    run.publish(written)
        if answer is None:
            raise EngineError(tr("The answer ended before it was whole. Try again in a moment."))
        return await self._in_form(answer, plan)

    def _events(self, turn: Turn, plan: Plan, messages: list[JSON]) -> AsyncGenerator[Event, None]:
        engine = self._services.engine
        generation = generation_parameters(plan.request, plan.tools)
        assistant = plan.assistant
        collections = () if turn.collection_id is None else (turn.collection_id,)
        if assistant is None:
            if not collections:
                return answer_directly(engine, messages, generation, model=turn.model)
            assistant = AssistantSpecification(
                name="conversation",
                title="Établi",
                language="fr" if language() == "fr" else "en",
                adapter=turn.model if turn.model.startswith(PREFIX) else None,
            )
        asked = AnswerRequest(messages=messages, generation=generation, collection_ids=collections)
        events = self._services.answerer.answer(assistant, engine, asked, principals=plan.caller.principals)
        return cast(AsyncGenerator[Event, None], events)

    def _messages(self, turn: Turn, plan: Plan) -> list[JSON]:
        """Instructions, what fits of the turns before, and the question. Blocks."""
        instructions = plan.request.instructions
        head: list[JSON] = [{"role": "system", "content": instructions}] if instructions else []
        asked = chat_messages(turn.input)
        room = None if plan.request.truncation == "disabled" else self._room(plan, len(str([*head, *asked])))
        return [*head, *messages_that_fit(self._earlier(turn, plan.caller), room), *asked]

    def _earlier(self, turn: Turn, caller: Caller) -> Iterator[Turn]:
        """The turns before one, the newest first. Blocks."""
        last = turn.parent
        while last is not None:
            turns = self._turns.branch(last, caller, most=TURNS_AT_ONCE)
            yield from turns
            last = turns[-1].parent if turns else None

    def _room(self, plan: Plan, characters: int) -> int:
        """Characters of earlier turns that fit beside `characters` and the answer."""
        answer_tokens = plan.request.max_output_tokens or (
            plan.assistant.max_tokens if plan.assistant is not None else _ANSWER_TOKENS
        )
        if plan.assistant is not None:
            characters += len(plan.assistant.instructions)
        tokens = self._services.engine.context_tokens - answer_tokens - _MARGIN_TOKENS
        return tokens * CHARACTERS_PER_TOKEN - characters

    async def _in_form(self, answer: Answer, plan: Plan) -> Answer:
        """The answer, mended where it is not the JSON that was asked for and nobody has read it yet.

        Raises:
            OutputFormatError: it is not, and a stream has shown it already, or mending did not help.
        """
        if plan.form is None or answer.finish_reason != "stop":
            return answer
        fault = await plan.form.fault(answer.text)
        if fault is None:
            return answer
        if plan.request.stream:
            raise wrong_form(fault)
        limit = plan.request.max_output_tokens
        text, cost = await mend(self._services.engine, answer.text, fault, plan.form, max_tokens=limit)
        # The new text has its markers elsewhere, so that no citation can be placed any more.
        return replace(answer, text=text, citations=(), usage=add_usage((answer.usage, cost)))

    def _trace(self, turn: Turn, answer: Answer) -> JSON:
        engine = self._services.engine
        return {
            **asdict(answer.trace),
            "usage": answer.usage,
            "tokens_per_s": _tokens_per_s(answer),
            "model": engine.model,
            "engine": "local" if isinstance(engine, LocalEngine | SwitchingEngine) else "endpoint",
            "assistant": turn.assistant,
        }

    async def _save_regularly(self, run: Run, writer: ResponseWriter) -> None:
        saved: list[JSON] = []
        while run.stored:
            await asyncio.sleep(SAVE_EVERY_S)
            output = writer.output
            if output == saved:
                continue
            try:
                await asyncio.to_thread(self._turns.save, run.turn, output)
                saved = output
            except Exception:
                log.exception("what was written of %s so far could not be kept; trying again", run.turn.id)

    async def _keep(self, run: Run, turn: Turn, trace: JSON | None) -> None:
        if not run.stored:
            return
        try:
            await asyncio.to_thread(self._turns.finish, turn, trace)
        except Exception:
            log.exception("the response %s could not be kept", turn.id)


def _error(failure: Exception) -> JSON:
    """What a failed response says of it."""
    error = describe(failure)[1]["error"]
    return {"code": error["code"], "message": error["message"], "param": error["param"]}


def _tokens_per_s(answer: Answer) -> float | None:
    """Tokens a second once writing had begun; None where the engine did not count."""
    written = (answer.usage or {}).get("completion_tokens")
    times = answer.trace.times_ms
    if not written or "first_token" not in times:
        return None
    took_ms = times.get("total", 0.0) - times["first_token"] - times.get("verifying", 0.0)
    return round(written / took_ms * 1000, 1) if took_ms > 0 else None


def _engine_pid(services: Services) -> int | None:
    engine = services.engine
    return engine.state.pid if isinstance(engine, LocalEngine | SwitchingEngine) else None
