"""The events of one answer as OpenAI's response events, and the turn that they make.

Order: created, in_progress, then for each output item added, its parts and deltas, done; at the end completed,
incomplete or failed. An answer that was stopped ends with `response.incomplete` and the status `cancelled`: there
is no event of that name, and clients wait for one that they know. Sequence numbers are given by whoever sends.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from etabli.assistants.answer import Answer, Event, Progress, Stage, TextDelta, ToolCallDelta
from etabli.conversations.items import item_id
from etabli.conversations.values import Status, Turn
from etabli.server.openai.payloads import JSON
from etabli.server.openai.responses.shapes import flat_annotation, response_object, response_usage
from etabli.server.openai.tool_calls import ToolCallDeltas, whole_tool_calls

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponseWriter:
    """Writes one response.

    Args:
        turn: as it begins.
        stages: whether stages and progress are told as events of our own.
        results: whether the search item lists what was found.
        trace: whether the last event says how the answer came about.
    """

    def __init__(self, turn: Turn, *, stages: bool, results: bool, trace: bool = False) -> None:
        self._turn = turn
        self._stages = stages
        self._trace = trace
        self._results = results
        self._items: list[JSON] = []
        self._search: int | None = None
        self._message: int | None = None
        self._text: list[str] = []
        self._calls: dict[int, int] = {}
        self._shaper = ToolCallDeltas()

    @property
    def turn(self) -> Turn:
        """The turn as it is now. Its output is not changed by what is written later."""
        return replace(self._turn, output=self.output)

    @property
    def output(self) -> list[JSON]:
        """The output items as they are now."""
        items = [dict(item) for item in self._items]
        if self._message is not None and not items[self._message]["content"]:
            items[self._message]["content"] = [_part("".join(self._text))]
        return items

    def begin(self) -> Iterator[JSON]:
        """The two first events."""
        for name in ("response.created", "response.in_progress"):
            yield {"type": name, "response": response_object(self._turn)}

    def write(self, event: Event) -> Iterator[JSON]:
        """The events for one event of the answer: none, one or several."""
        match event:
            case Stage():
                yield from self._stage(event)
            case Progress():
                if self._stages:
                    yield {
                        "type": "response.etabli.progress",
                        "fraction": round(event.fraction, 4),
                        "tokens": event.tokens,
                        "total": event.total,
                    }
            case TextDelta(text):
                yield from self._say(text)
            case ToolCallDelta(tool_calls):
                for call in self._shaper.shape(tool_calls):
                    yield from self._call(call)
            case Answer():
                yield from self._answer(event)

    def stop(self, status: Status, *, reason: str | None = None, error: JSON | None = None) -> Iterator[JSON]:
        """The last events of an answer that was not finished.

        Args:
            status: how it ended.
            reason: why it is incomplete.
            error: code and message, when it failed.
        """
        if status != "failed":
            yield from self._close(None, status="incomplete")
        output = [
            {**item, "status": "incomplete"} if item.get("status") in ("in_progress", "searching") else item
            for item in self.output
        ]
        self._turn = replace(
            self._turn,
            status=status,
            output=output,
            incomplete_reason=reason,
            error=error,
            completed_at=datetime.now(UTC),
        )
        self._items = output
        name = "response.failed" if status == "failed" else "response.incomplete"
        yield {"type": name, "response": response_object(self._turn)}

    def _stage(self, stage: Stage) -> Iterator[JSON]:
        if self._stages:
            yield {"type": "response.etabli.stage", "stage": stage.name, "detail": stage.detail}
        if stage.name == "searching" and self._search is None:
            self._search = len(self._items)
            queries = [str(stage.detail["question"])] if "question" in stage.detail else []
            item = {"type": "file_search_call", "status": "in_progress", "queries": queries, "results": None}
            yield self._add(item)
            for status in ("in_progress", "searching"):
                yield self._at(self._search, {"type": f"response.file_search_call.{status}"})
            self._items[self._search]["status"] = "searching"
        elif stage.name == "reading" and self._search is not None:
            yield from self._searched()

    def _searched(self) -> Iterator[JSON]:
        assert self._search is not None
        item = self._items[self._search]
        if item["status"] != "completed":
            item["status"] = "completed"
            yield self._at(self._search, {"type": "response.file_search_call.completed"})
            yield self._done(self._search)

    def _say(self, text: str) -> Iterator[JSON]:
        if self._message is None:
            self._message = len(self._items)
            item = {"type": "message", "role": "assistant", "status": "in_progress", "content": []}
            yield self._add(item)
            yield self._in_part({"type": "response.content_part.added", "part": _part("")})
        if text:
            self._text.append(text)
            yield self._in_part({"type": "response.output_text.delta", "delta": text, "logprobs": []})

    def _call(self, delta: JSON) -> Iterator[JSON]:
        """A piece of a function's call; the first names it."""
        function = delta["function"]
        if delta["index"] not in self._calls:
            self._calls[delta["index"]] = len(self._items)
            yield self._add(
                {
                    "type": "function_call",
                    "status": "in_progress",
                    "call_id": delta["id"],
                    "name": function["name"],
                    "arguments": "",
                }
            )
        place = self._calls[delta["index"]]
        if function["arguments"]:
            self._items[place]["arguments"] += function["arguments"]
            event = {"type": "response.function_call_arguments.delta", "delta": function["arguments"]}
            yield self._at(place, event)

    def _answer(self, answer: Answer) -> Iterator[JSON]:
        sent = "".join(self._text)
        if answer.text.startswith(sent):
            if len(answer.text) > len(sent) or not (self._calls or answer.tool_calls):
                yield from self._say(answer.text[len(sent) :])
        else:
            self._text = [answer.text]  # mended JSON: what counts is the text that is done
        if not self._calls:
            for number, call in enumerate(whole_tool_calls(answer.tool_calls)):
                yield from self._call({"index": number, **call})
        if self._search is not None and self._results:
            self._items[self._search]["results"] = [_result(one) for one in answer.trace.passages]
        reason = _REASONS.get(answer.finish_reason)
        status: Status = "completed" if reason is None else "incomplete"
        yield from self._close(answer, status=status)
        self._turn = replace(
            self._turn,
            status=status,
            output=self.output,
            usage=response_usage(answer.usage),
            incomplete_reason=reason,
            finish_reason=answer.finish_reason,
            abstained=answer.abstained,
            guarded=answer.guarded,
            written_by=answer.written_by,
            trace=asdict(answer.trace) if self._trace else None,
            completed_at=datetime.now(UTC),
        )
        yield {"type": f"response.{status}", "response": response_object(self._turn)}

    def _close(self, answer: Answer | None, *, status: str) -> Iterator[JSON]:
        """Everything that is still open is done, in order."""
        if self._search is not None and answer is not None:
            yield from self._searched()
        for place, item in enumerate(self._items):
            if item["status"] != "in_progress":
                continue
            item["status"] = status
            if item["type"] == "function_call":
                done = {
                    "type": "response.function_call_arguments.done",
                    "name": item["name"],
                    "arguments": item["arguments"],
                }
                yield self._at(place, done)
            else:
                yield from self._close_message(item, answer)
            yield self._done(place)

    def _close_message(self, item: JSON, answer: Answer | None) -> Iterator[JSON]:
        text = "".join(self._text)
        annotations = [] if answer is None else [flat_annotation(one) for one in answer.citations]
        part = _part(text, annotations)
        item["content"] = [part]
        for number, annotation in enumerate(annotations):
            added = {"annotation_index": number, "annotation": annotation}
            yield self._in_part({"type": "response.output_text.annotation.added", **added})
        yield self._in_part({"type": "response.output_text.done", "text": text, "logprobs": []})
        yield self._in_part({"type": "response.content_part.done", "part": part})

    def _add(self, item: JSON) -> JSON:
        place = len(self._items)
        self._items.append(
            {"id": item_id(item["type"], self._turn.id, place, output=True), **item},
        )
        return {
            "type": "response.output_item.added",
            "output_index": place,
            "item": _copy(self._items[place]),
        }

    def _done(self, place: int) -> JSON:
        return {"type": "response.output_item.done", "output_index": place, "item": _copy(self._items[place])}

    def _at(self, place: int, event: JSON) -> JSON:
        return {**event, "item_id": self._items[place]["id"], "output_index": place}

    def _in_part(self, event: JSON) -> JSON:
        assert self._message is not None
        return {**self._at(self._message, event), "content_index": 0}


def final_events(turn: Turn) -> Iterator[JSON]:
    """The last events of a turn that is over, made again for a client that comes late."""
    for place, item in enumerate(turn.output):
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    name = turn.status if turn.status in ("completed", "failed") else "incomplete"
    yield {"type": f"response.{name}", "response": response_object(turn)}


def _part(text: str, annotations: list[JSON] | None = None) -> JSON:
    return {"type": "output_text", "text": text, "annotations": annotations or [], "logprobs": []}


def _result(passage: dict[str, Any]) -> JSON:
    attributes = {name: passage[name] for name in ("page", "title") if passage.get(name) is not None}
    return {"filename": passage.get("document"), "score": passage.get("score"), "attributes": attributes}


def _copy(item: JSON) -> JSON:
    copied: JSON = json.loads(json.dumps(item))
    return copied
