"""`/v1/responses` with the official client against a real server over a real database."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from server_parts import (
    BEARER,
    RH,
    TOOL_EVENTS,
    ScriptedAnswerer,
    answer,
    citation,
    told,
)

from etabli.assistants.answer import Progress, Stage, TextDelta
from etabli.engines.fake import Failure, FakeEngine, ToolCalls
from etabli.storage.database import Database

Client = Callable[..., openai.OpenAI]
QUESTION = "Combien de jours de congés ?"

GROUNDED = [
    Stage("searching", {"question": "q"}),
    Stage("reading", {"documents": ["Congés"]}),
    Progress(0.5, 60, 120),
    Stage("writing"),
    TextDelta("25 jours"),
    TextDelta(" [1]"),
    Stage("verifying"),
    answer("25 jours [1]", citations=(citation(),)),
]


def grounded(**changes: Any) -> ScriptedAnswerer:
    return ScriptedAnswerer([GROUNDED], **changes)


@pytest.fixture
def client(openai_client: Client, database: Database) -> Client:
    """The official client; changes go to the services."""
    return lambda **changes: openai_client(database=database, **changes)


def events_of(client: openai.OpenAI, **body: Any) -> list[dict[str, Any]]:
    """The raw events of a stream, read without the client's own accumulation."""
    with httpx.stream(
        "POST", f"{client.base_url}responses", headers=BEARER, json={**body, "stream": True}, timeout=30
    ) as response:
        assert response.status_code == 200, response.read()
        return parsed(response.read().decode())


def parsed(text: str) -> list[dict[str, Any]]:
    """Events of a whole stream: names agree with types, numbers grow by one."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    assert blocks.pop() == "data: [DONE]"
    events = []
    for block in blocks:
        name, data = block.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    numbers = [event["sequence_number"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return events


def test_a_whole_answer(client: Client) -> None:
    api = client(answerer=grounded())
    response = api.responses.create(model="rh", input=QUESTION, metadata={"a": "b"})
    assert response.status == "completed"
    assert response.output_text == "25 jours [1]"
    assert [item.type for item in response.output] == ["file_search_call", "message"]
    assert response.output[0].queries == ["q"]
    note = response.output[1].content[0].annotations[0]
    assert (note.type, note.title, note.start_index, note.end_index) == ("url_citation", "Congés", 0, 12)
    assert note.url == "/documents/7/versions/9?page=3#char=120,160"
    assert note.etabli["quote"] == "25 jours ouvrés"
    assert response.usage.model_dump() | {"input_tokens_details": None} == {
        "input_tokens": 10,
        "input_tokens_details": None,
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 14,
    }
    assert response.metadata == {"a": "b"}
    by_model = {"abstained": False, "guarded": None, "written_by": "model"}
    assert response.etabli == {**by_model, "title": None}
    assert api.responses.retrieve(response.id) == response


def test_fields_that_clients_read_without_looking_are_never_null(client: Client) -> None:
    api = client(answerer=grounded())
    body = json.loads(api.responses.with_raw_response.create(model="rh", input="q").content)
    for name in (
        "temperature top_p presence_penalty frequency_penalty top_logprobs tool_choice truncation tools text"
        " parallel_tool_calls store background service_tier"
    ).split():
        assert body[name] is not None, name
    for name in (
        "completed_at previous_response_id instructions error incomplete_details reasoning usage max_output_tokens"
        " max_tool_calls safety_identifier prompt_cache_key"
    ).split():
        assert name in body, name


def test_the_stream_has_the_events_in_openais_order(client: Client) -> None:
    events = events_of(client(answerer=grounded()), model="rh", input=QUESTION)
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "file_search_call.in_progress",
        "file_search_call.searching",
        "file_search_call.completed",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    added = events[7]["item"]
    assert (added["status"], added["content"], added["role"]) == ("in_progress", [], "assistant")
    assert events[9]["logprobs"] == [] and events[9]["item_id"] == added["id"]
    assert events[0]["response"]["status"] == "in_progress" and events[0]["response"]["output"] == []
    final = events[-1]["response"]
    assert final["output"] == [events[6]["item"], events[14]["item"]]


def test_the_official_client_reads_the_stream(client: Client) -> None:
    api = client(answerer=grounded())
    with api.responses.stream(model="rh", input=QUESTION) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == "25 jours [1]"


def test_stages_and_progress_are_told_to_those_who_ask(client: Client) -> None:
    api = client(answerer=grounded())
    events = events_of(api, model="rh", input=QUESTION, etabli={"stages": True})
    own = [event for event in events if event["type"].startswith("response.etabli")]
    assert [event.get("stage", "progress") for event in own] == [
        "searching",
        "reading",
        "progress",
        "writing",
        "verifying",
    ]
    assert own[1]["detail"] == {"documents": ["Congés"]}
    assert (own[2]["fraction"], own[2]["tokens"], own[2]["total"]) == (0.5, 60, 120)


def test_the_engines_own_model(client: Client) -> None:
    engine = FakeEngine(["bonjour à vous"], model="qwen-test")
    api = client(engine=engine)
    response = api.responses.create(
        model="qwen-test", input="Bonjour", instructions="Sois bref.", temperature=0.5, max_output_tokens=100
    )
    assert response.output_text == "bonjour à vous"
    assert [item.type for item in response.output] == ["message"]
    body = engine.bodies[0]
    assert body["messages"] == [
        {"role": "system", "content": "Sois bref."},
        {"role": "user", "content": "Bonjour"},
    ]
    assert (body["temperature"], body["max_tokens"]) == (0.5, 100)
    assert "return_progress" not in body


def test_a_chain_of_responses_remembers(client: Client) -> None:
    engine = FakeEngine(["un", "deux"], model="qwen-test")
    api = client(engine=engine)
    first = api.responses.create(model="qwen-test", input="premier")
    second = api.responses.create(model="qwen-test", input="second", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert [one["content"] for one in engine.bodies[1]["messages"]] == ["premier", "un", "second"]


def test_what_is_not_stored_is_not_there(client: Client) -> None:
    api = client(engine=FakeEngine(["un"], model="qwen-test"))
    response = api.responses.create(model="qwen-test", input="q", store=False)
    assert response.output_text == "un" and response.store is False
    with pytest.raises(openai.NotFoundError):
        api.responses.retrieve(response.id)
    with pytest.raises(openai.BadRequestError, match="background"):
        api.responses.create(model="qwen-test", input="q", store=False, background=True)


def test_tools_are_items(client: Client) -> None:
    engine = FakeEngine([ToolCalls([("météo", {"ville": "Lyon"})]), "Il fait beau."], model="qwen-test")
    api = client(engine=engine)
    tool = {"type": "function", "name": "météo", "parameters": {"type": "object"}, "strict": None}
    first = api.responses.create(model="qwen-test", input="Temps ?", tools=[tool])
    (call,) = first.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "météo", {"ville": "Lyon"})
    assert engine.bodies[0]["tools"][0]["function"] == {"name": "météo", "parameters": {"type": "object"}}
    second = api.responses.create(
        model="qwen-test",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "soleil"}],
    )
    assert second.output_text == "Il fait beau."
    roles = [one["role"] for one in engine.bodies[1]["messages"]]
    assert roles == ["user", "assistant", "tool"]
    assert engine.bodies[1]["messages"][1]["tool_calls"][0]["id"] == call.call_id


def test_tool_calls_stream(client: Client) -> None:
    events = events_of(client(answerer=ScriptedAnswerer([TOOL_EVENTS])), model="rh", input="q")
    types = [event["type"].removeprefix("response.") for event in events]
    assert types[2:] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert (
        events[-2]["item"]["arguments"] == '{"ville": "Lyon"}' and events[-2]["item"]["call_id"] == "call_1"
    )


def test_json_schema(client: Client) -> None:
    engine = FakeEngine(["pas du JSON", {"jours": 25}], model="qwen-test")
    api = client(engine=engine)
    schema = {"type": "object", "required": ["jours"]}
    response = api.responses.create(
        model="qwen-test",
        input="q",
        text={"format": {"type": "json_schema", "name": "congés", "schema": schema}},
    )
    assert json.loads(response.output_text) == {"jours": 25}
    assert engine.bodies[0]["response_format"]["json_schema"]["schema"] == schema
    assert response.text.format.name == "congés"


def test_an_answer_that_is_too_long_is_incomplete(client: Client) -> None:
    api = client(engine=FakeEngine(["un deux trois quatre"], model="qwen-test"))
    response = api.responses.create(model="qwen-test", input="q", max_output_tokens=2)
    assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens"
    assert response.output_text == "un deux" and response.output[0].status == "incomplete"
    events = events_of(api, model="qwen-test", input="q", max_output_tokens=2)
    assert events[-1]["type"] == "response.incomplete"


def test_a_failure_is_an_event_of_the_stream_and_an_error_otherwise(client: Client) -> None:
    engine = FakeEngine([Failure("die", after=2)], model="qwen-test")
    api = client(engine=engine)
    events = events_of(api, model="qwen-test", input="q")
    assert events[-1]["type"] == "response.failed"
    failed = events[-1]["response"]
    assert failed["error"]["code"] == "engine_unavailable" and failed["status"] == "failed"
    assert api.responses.retrieve(failed["id"]).output_text == "one two"
    with pytest.raises(openai.InternalServerError, match="engine stopped"):
        api.responses.create(model="qwen-test", input="q")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "rh"}, "input"),
        ({"input": "q"}, "model"),
        ({"model": "rh", "input": []}, "input"),
        ({"model": "rh", "input": [{"type": "computer_call"}]}, "input.0.type"),
        (
            {"model": "rh", "input": [{"role": "user", "content": [{"type": "input_file"}]}]},
            "input.0.content.0",
        ),
        ({"model": "rh", "input": "q", "etabli": {"stages": True, "colour": 1}}, "etabli.colour"),
        ({"model": "rh", "input": "q", "metadata": {"k" * 65: "v"}}, None),
        ({"model": "rh", "input": "q", "tools": [{"type": "function"}]}, "tools.0.name"),
    ],
)
def test_what_cannot_be_done_is_refused(client: Client, body: dict[str, Any], param: str | None) -> None:
    api = client(answerer=grounded())
    response = httpx.post(f"{api.base_url}responses", headers=BEARER, json=body)
    assert response.status_code == 400, response.text
    if param is not None:
        assert response.json()["error"]["param"] == param


def test_unknown_names(client: Client) -> None:
    api = client(answerer=grounded())
    with pytest.raises(openai.NotFoundError):
        api.responses.create(model="nobody", input="q")
    for body in (
        {"previous_response_id": "resp_0"},
        {"conversation": "conv_0"},
        {"extra_body": {"etabli": {"attachments": [99]}}},
    ):
        with pytest.raises(openai.NotFoundError):
            api.responses.create(model="rh", input="q", **body)


def test_input_items_and_references(client: Client) -> None:
    engine = FakeEngine(["un", "deux"], model="qwen-test")
    api = client(engine=engine)
    items = [{"role": "user", "content": f"message {number}"} for number in range(3)]
    first = api.responses.create(model="qwen-test", input=items)
    newest = api.responses.input_items.list(first.id, limit=2)
    assert [item.content[0].text for item in newest.data] == ["message 2", "message 1"] and newest.has_more
    oldest = list(api.responses.input_items.list(first.id, limit=2, order="asc"))  # pages by itself
    assert [item.content[0].text for item in oldest] == ["message 0", "message 1", "message 2"]
    api.responses.create(
        model="qwen-test",
        input=[{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "et ?"}],
    )
    assert [one["content"] for one in engine.bodies[1]["messages"]] == ["un", "et ?"]


def test_deleting(client: Client) -> None:
    api = client(engine=FakeEngine(["un"], model="qwen-test"))
    response = api.responses.create(model="qwen-test", input="q")
    api.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        api.responses.retrieve(response.id)


def test_a_draft_answers_without_being_saved(client: Client) -> None:
    answerer = grounded()
    api = client(answerer=answerer)
    draft = {"name": "essai", "title": "Essai", "instructions": "Réponds.", "max_tokens": 77}
    response = api.responses.create(input="q", extra_body={"etabli": {"draft": draft}})
    assert response.model == "essai" and response.output_text == "25 jours [1]"


def test_a_version_of_an_assistant_answers(client: Client) -> None:
    class Versions:
        def get(self, name: str, number: int) -> Any:
            assert (name, number) == ("rh", 3)
            return RH.model_copy(update={"title": "Version 3", "temperature": 0.7})

    api = client(answerer=grounded(), versions=Versions())
    response = api.responses.create(model="rh@3", input="q")
    assert response.model == "rh@3" and response.temperature == 0.7
    with pytest.raises(openai.NotFoundError):
        api.responses.create(model="rh@x", input="q")


def test_the_trace_comes_with_the_answer_for_those_who_ask(client: Client) -> None:
    api = client(answerer=grounded())
    told_all = api.responses.create(model="rh", input="q", extra_body={"etabli": {"trace": True}})
    assert told_all.etabli["trace"]["passages"] == [{"name": "a.pdf"}]  # type: ignore[attr-defined]
    assert "trace" not in api.responses.retrieve(told_all.id).etabli  # type: ignore[attr-defined]


def test_search_results_on_request(client: Client) -> None:
    api = client(answerer=grounded())
    response = api.responses.create(model="rh", input="q", include=["file_search_call.results"])
    assert response.output[0].results is not None


def test_attachments_are_named(client: Client, database: Database) -> None:
    with database.owner() as connection:
        connection.execute("INSERT INTO collection (name, acl_set) VALUES ('c', 1)")
        row = connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " VALUES (1, 1, 'bail.pdf', 'x', 1, 'ready') RETURNING id"
        ).fetchone()
    assert row is not None
    api = client(answerer=ScriptedAnswerer([told("oui")]))
    conversation = api.conversations.create()
    api.responses.create(
        model="rh", input="q", conversation=conversation.id, extra_body={"etabli": {"attachments": [row[0]]}}
    )
    page = httpx.get(f"{api.base_url}etabli/conversations/{conversation.id}/turns", headers=BEARER).json()
    assert page["data"][0]["attachments"] == [{"document_id": row[0], "name": "bail.pdf"}]


def test_answers_take_little_of_the_servers_time(client: Client) -> None:
    """A thousand pieces of text pass, and each is one event."""
    pieces = [TextDelta("mot ") for _ in range(1000)]
    script = [Stage("writing"), *pieces, answer("mot " * 1000)]
    began = time.perf_counter()
    events = events_of(client(answerer=ScriptedAnswerer([script])), model="rh", input="q")
    assert sum(event["type"] == "response.output_text.delta" for event in events) == 1000
    assert time.perf_counter() - began < 60  # the limit is for a broken product only
