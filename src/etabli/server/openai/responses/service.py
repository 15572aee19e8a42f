"""Responses: begun, followed, stopped, read and deleted. Knows nothing of HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime

from etabli.assistants.specification import AssistantSpecification
from etabli.conversations.conversations import Conversations
from etabli.conversations.item_store import Items
from etabli.conversations.items import JSON, identified, new_key
from etabli.conversations.turns import Turns
from etabli.conversations.values import NewTurn, Turn
from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.openai.chat_completions.conversation import sees_images
from etabli.server.openai.naming import find_assistant, require_model_of
from etabli.server.openai.payloads import encode
from etabli.server.openai.responses.inputs import input_items
from etabli.server.openai.responses.messages import function_tools, response_format
from etabli.server.openai.responses.producing import Plan, Producer
from etabli.server.openai.responses.protocol import ItemList, ResponseRequest, item_list
from etabli.server.openai.responses.runs import Run, Runs
from etabli.server.openai.responses.shapes import response_object, told_back
from etabli.server.openai.responses.writer import final_events
from etabli.server.openai.structured import output_format
from etabli.server.services import Services


class Responses:
    """Answers, and keeps what was answered.

    Args:
        services: the parts of the workspace.
        runs: the answers in the making.
    """

    def __init__(self, services: Services, runs: Runs) -> None:
        self._services = services
        self._runs = runs
        self._turns = Turns(services.database)
        self._conversations = Conversations(services.database)
        self._items = Items(services.database, self._turns)
        self._producer = Producer(services, self._turns)

    async def create(self, request: ResponseRequest, caller: Caller) -> JSON:
        """Answer and give the whole response; in the background, give it as it begins.

        When this is cancelled, so is the answer, unless it is made in the background.

        Raises:
            ModelNotFoundError: the name stands for nothing the caller may use.
            NotFoundError: the request names a conversation, response, item or document that is not there.
            InvalidInputError: something in the request cannot be done.
            ConflictError: the answer before is still being written.
            OutputFormatError: the model did not write the JSON that was asked for.
            EngineError: the engine failed.
        """
        run = await self.start(request, caller)
        if request.background:
            return response_object(run.turn)
        try:
            await run.wait()
        finally:
            run.cancel("cancelled")
        if run.error is not None:
            raise run.error
        return response_object(run.turn)

    async def stream(self, request: ResponseRequest, caller: Caller) -> AsyncGenerator[bytes, None]:
        """Answer and give the events, each as its JSON. Closing it stops the answer, unless in the background.

        Raises: as `create` before the first event; a failure after that is an event.
        """
        run = await self.start(request, caller)
        try:
            async for payload in run.follow():
                yield payload
        finally:
            if not request.background:
                run.cancel("cancelled")

    async def resume(self, key: str, after: int, caller: Caller) -> AsyncGenerator[bytes, None]:
        """The events of a response after number `after`; of one that ended long ago, the last ones made again.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        run = self._runs.get(key, caller.account_id)
        if run is not None and run.stored:
            async for payload in run.follow(after):
                yield payload
            return
        turn = await asyncio.to_thread(self._turns.get, key, caller)
        for number, event in enumerate(final_events(turn), after + 1):
            yield encode({**event, "sequence_number": number})

    async def get(self, key: str, caller: Caller) -> JSON:
        """A stored response, as it is now.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        return response_object(await asyncio.to_thread(self._turns.get, key, caller))

    async def cancel(self, key: str, caller: Caller) -> JSON:
        """Stop an answer; what was written so far stays. One that ended stays as it is.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        run = self._runs.get(key, caller.account_id)
        if run is None:
            return await self.get(key, caller)
        await run.stop("cancelled")
        return response_object(run.turn)

    async def delete(self, key: str, caller: Caller) -> None:
        """Delete a response, stopping it first.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        run = self._runs.get(key, caller.account_id)
        if run is not None:
            await run.stop("cancelled")
        await asyncio.to_thread(self._turns.delete, key, caller)
        self._runs.forget(key)

    async def input_items(
        self, key: str, caller: Caller, *, limit: int, after: str | None, newest_first: bool
    ) -> ItemList:
        """What a response was asked, as items.

        Raises:
            NotFoundError: there is no such response, or it is somebody else's.
        """
        items = list((await asyncio.to_thread(self._turns.get, key, caller)).input)
        if newest_first:
            items.reverse()
        places = {item["id"]: place for place, item in enumerate(items)}
        start = places.get(after, -1) + 1 if after is not None else 0
        return item_list(items[start : start + limit], has_more=len(items) > start + limit)

    async def start(self, request: ResponseRequest, caller: Caller) -> Run:
        """Check a request, keep its turn and begin to answer it.

        When this is cancelled, what it had begun is stopped, so that no turn stays that nobody writes.

        Raises: as `create`, but for what happens while answering.
        """
        _check(request)
        beginning = asyncio.ensure_future(self._start(request, caller))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            if not request.background:
                beginning.add_done_callback(_let_go)
            raise

    async def _start(self, request: ResponseRequest, caller: Caller) -> Run:
        form = output_format(response_format(request.text.format if request.text else None))
        tools = function_tools(request)
        name, assistant = await self._who_answers(request, caller)
        new = NewTurn(
            id=new_key("resp"),
            model=name,
            assistant=None if assistant is None else assistant.name,
            engine=self._services.engine.model,
            request=told_back(request, tools, assistant),
            input=None,
            metadata=request.metadata or {},
            conversation_id=request.conversation_id,
            previous_id=request.previous_response_id,
            replaces=request.etabli.replaces,
        )
        turn = await asyncio.to_thread(self._begin, request, new, caller)
        run = Run(turn, stored=request.stored)
        plan = Plan(request, caller, assistant, form, tools)
        self._runs.start(run, lambda: self._producer.produce(run, plan))
        return run

    async def _who_answers(
        self, request: ResponseRequest, caller: Caller
    ) -> tuple[str, AssistantSpecification | None]:
        """The name that answers, and the assistant behind it."""
        draft = request.etabli.draft
        if draft is not None:
            require_model_of(self._services, draft)
            return draft.name, draft
        name = request.model
        if name is None and request.etabli.replaces is not None:
            name = (await asyncio.to_thread(self._turns.get, request.etabli.replaces, caller)).model
        if name is None and request.conversation_id is not None:
            conversation = await asyncio.to_thread(self._conversations.get, request.conversation_id, caller)
            name = conversation.model
        if not name:
            raise InvalidInputError(tr("“{param}” is missing.", param="model"), param="model")
        return name, await find_assistant(self._services, name, caller)

    def _begin(self, request: ResponseRequest, new: NewTurn, caller: Caller) -> Turn:
        """The turn as it begins, kept unless the caller wants it not to be. Blocks."""
        asked = None
        if request.input is not None:
            found = input_items(
                request.input,
                find=lambda identifier: self._items.find(identifier, caller),
                images=sees_images(self._services.engine),
            )
            asked = identified(found, new.id)
        attachments = self._attachments(request.etabli.attachments, caller)
        new = replace(new, input=asked, attachments=attachments)
        if request.stored:
            return self._turns.begin(new, caller)
        previous = self._turns.get(new.previous_id, caller) if new.previous_id else None
        return Turn(
            number=0,
            id=new.id,
            account_id=caller.account_id,
            parent=None if previous is None else previous.number,
            previous_id=new.previous_id,
            conversation_id=None,
            conversation_title=None,
            collection_id=None,
            status="in_progress",
            model=new.model,
            assistant=new.assistant,
            engine=new.engine,
            request=new.request,
            input=asked or [],
            metadata=new.metadata,
            created_at=datetime.now(UTC),
        )

    def _attachments(self, numbers: list[int] | None, caller: Caller) -> list[JSON] | None:
        """Names of the documents that stand beside a question.

        Raises:
            NotFoundError: one is not there, or not for the caller.
        """
        if numbers is None:
            return None
        with self._services.database.reader(caller.principals) as connection:
            rows = connection.execute(
                "SELECT id, name FROM document WHERE id = ANY (%s) AND removed_at IS NULL", (numbers,)
            ).fetchall()
        names = {int(number): str(name) for number, name in rows}
        if not set(numbers) <= names.keys():
            raise NotFoundError(tr("There is no such document, or it is not for you."))
        return [{"document_id": number, "name": names[number]} for number in dict.fromkeys(numbers)]


def _let_go(beginning: "asyncio.Future[Run]") -> None:
    """Stop what was begun for a client that is gone."""
    if not beginning.cancelled() and beginning.exception() is None:
        beginning.result().cancel("cancelled")


def _check(request: ResponseRequest) -> None:
    """Refuse what contradicts itself."""
    if request.input is None and request.etabli.replaces is None:
        raise InvalidInputError(tr("“{param}” is missing.", param="input"), param="input")
    if request.stored:
        return
    for param, given in (
        ("background", request.background),
        ("conversation", request.conversation),
        ("etabli.replaces", request.etabli.replaces),
    ):
        if given:
            raise InvalidInputError(
                tr("“{param}” needs a response that is stored. Leave “store” out.", param=param), param=param
            )
