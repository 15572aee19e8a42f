"""Chat with an assistant: its events as OpenAI's answer, whole and streamed."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from openai.types.chat.chat_completion_message import Annotation as OpenAIAnnotation
from server_parts import SECRET, TOOL_EVENTS, ScriptedAnswerer, Shelf, answer, citation, told

from etabli.assistants.answer import Stage, TextDelta
from etabli.assistants.specification import AssistantSpecification
from etabli.errors import EngineUnavailableError
from etabli.server.openai.chat_completions.protocol import ChatCompletion, ChatCompletionChunk
from etabli.storage.database import EVERYONE

ASK: dict[str, Any] = {"model": "rh", "messages": [{"role": "user", "content": "Combien de congés ?"}]}
CHAT = "/v1/chat/completions"


def whole(client: TestClient, **changes: Any) -> dict[str, Any]:
    response = client.post(CHAT, json={**ASK, **changes})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    ChatCompletion.model_validate(body)
    return body


def test_a_whole_answer(api: Callable[..., TestClient]) -> None:
    body = whole(api())
    assert (
        body["object"] == "chat.completion" and body["model"] == "rh" and body["id"].startswith("chatcmpl-")
    )
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "25 jours [1]", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"] == {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


def test_what_the_answerer_is_asked(api: Callable[..., TestClient]) -> None:
    answerer = ScriptedAnswerer([told("x")])
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c", "annotations": [], "refusal": None},
        {"role": "user", "content": "d"},
    ]
    whole(
        api(answerer=answerer),
        messages=messages,
        temperature=0.5,
        max_completion_tokens=7,
        max_tokens=9,
        stop=["x"],
        seed=3,
        store=True,
        metadata={"a": "b"},
        lora=[{"id": 0}],
        future_field=1,
    )
    asked = answerer.requests[0]
    assert asked.messages == [
        {"role": "system", "content": "a\nb"},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]
    assert asked.generation == {"temperature": 0.5, "seed": 3, "stop": ["x"], "max_tokens": 7}
    assert list(answerer.principals[0]) == [EVERYONE, "user:1"]


def test_a_stream(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    chunks = stream_of(api(), ASK)
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)
        assert set(chunk) == {"id", "object", "created", "model", "choices"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas == [{"role": "assistant", "content": ""}, {"content": "25 jours"}, {"content": " [1]"}, {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]


def test_usage_is_one_extra_last_chunk_and_only_when_asked(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    client = api()
    chunks = stream_of(client, {**ASK, "stream_options": {"include_usage": True}})
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] == 14
    assert all("usage" not in chunk for chunk in stream_of(client, {**ASK, "stream_options": {}}))


def test_usage_is_never_invented(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    client = api(answerer=ScriptedAnswerer([told("x", usage=None)]))
    assert "usage" not in whole(client)
    chunks = stream_of(client, {**ASK, "stream_options": {"include_usage": True}})
    assert all(chunk["choices"] for chunk in chunks)


def test_citations_are_annotations_that_openais_types_accept(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    cited = told("25 jours", " [1]", citations=(citation(), citation(title=None, page=None)))
    client = api(answerer=ScriptedAnswerer([cited]))
    first, second = whole(client)["choices"][0]["message"]["annotations"]
    assert first["type"] == "url_citation" and first["url_citation"] == {
        "start_index": 0,
        "end_index": 12,
        "title": "Congés",
        "url": "/documents/7/versions/9?page=3#char=120,160",
    }
    assert second["url_citation"]["title"] == "rh/congés.pdf"
    assert second["url_citation"]["url"] == "/documents/7/versions/9#char=120,160"
    assert first["etabli"]["quote"] == "25 jours ouvrés" and first["etabli"]["status"] == "verified"
    assert OpenAIAnnotation.model_validate(first).url_citation.end_index == 12
    chunks = stream_of(client, ASK)
    assert chunks[-2]["choices"][0]["delta"] == {"annotations": [first, second]}
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_stages_and_trace_only_when_asked(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    client = api()
    assert "etabli" not in json.dumps(whole(client)) and "etabli" not in json.dumps(stream_of(client, ASK))
    shown = {"etabli": {"stages": True, "trace": True}}
    message = whole(client, **shown)["choices"][0]["message"]
    assert [stage["name"] for stage in message["etabli"]["stages"]] == ["searching", "writing"]
    assert message["etabli"]["abstained"] is False and message["etabli"]["trace"]["question"] == "q"
    chunks = stream_of(client, {**ASK, **shown})
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    stages = [chunk for chunk in chunks if "stage" in chunk.get("etabli", {})]
    assert [chunk["etabli"]["stage"]["name"] for chunk in stages] == ["searching", "writing"]
    assert all(chunk["choices"][0]["delta"] == {} for chunk in stages)
    assert chunks[-1]["etabli"]["trace"]["times_ms"] == {"total": 1.5}


def test_several_answers(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    answerer = ScriptedAnswerer([told("un"), told("deux"), told("trois")])
    client = api(answerer=answerer)
    body = whole(client, n=3, seed=10)
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in body["choices"]} == {"un", "deux", "trois"}
    assert sorted(request.generation["seed"] for request in answerer.requests) == [10, 11, 12]
    assert body["usage"] == {"prompt_tokens": 10, "completion_tokens": 12, "total_tokens": 22}
    chunks = stream_of(client, {**ASK, "n": 2, "stream_options": {"include_usage": True}})
    texts = {0: "", 1: ""}
    for chunk in chunks[:-1]:
        texts[chunk["choices"][0]["index"]] += chunk["choices"][0]["delta"].get("content", "")
    assert texts == {0: "trois", 1: "trois"} and chunks[-1]["usage"]["completion_tokens"] == 8


def test_tool_calls_are_well_formed(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    client = api(answerer=ScriptedAnswerer([TOOL_EVENTS]))
    choice = whole(client)["choices"][0]
    function = {"name": "météo", "arguments": '{"ville": "Lyon"}'}
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [{"id": "call_1", "type": "function", "function": function}]
    deltas = [chunk["choices"][0]["delta"] for chunk in stream_of(client, ASK)]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert calls == [
        {"index": 0, "id": "call_1", "type": "function", "function": {"name": "météo", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"ville": '}},
        {"index": 0, "function": {"arguments": '"Lyon"}'}},
    ]


def test_an_answer_that_was_not_streamed_is_sent_whole(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    client = api(answerer=ScriptedAnswerer([[Stage("searching"), answer("Je ne sais pas.", abstained=True)]]))
    deltas = [chunk["choices"][0]["delta"] for chunk in stream_of(client, ASK)]
    assert deltas == [{"role": "assistant", "content": ""}, {"content": "Je ne sais pas."}, {}]


def test_an_answer_cut_short_is_an_error(api: Callable[..., TestClient]) -> None:
    response = api(answerer=ScriptedAnswerer([[TextDelta("x")]])).post(CHAT, json=ASK)
    assert response.status_code == 502


@pytest.mark.parametrize("name", ["direction", "nobody", "../rh"])
def test_assistants_of_others_do_not_exist(api: Callable[..., TestClient], name: str) -> None:
    response = api().post(CHAT, json={**ASK, "model": name})
    assert response.status_code == 404 and response.json()["error"]["code"] == "model_not_found"
    assert SECRET.title not in response.json()["error"]["message"]


def test_an_assistant_of_another_model_says_so(api: Callable[..., TestClient]) -> None:
    other = AssistantSpecification(name="other", title="Other", model="mistral")
    response = api(assistants=Shelf([other])).post(CHAT, json={**ASK, "model": "other"})
    assert response.status_code == 409 and response.headers["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "conflict"
    assert "Name mistral as `model` in etabli.toml" in response.json()["error"]["message"]
    assert (
        "mistral" in response.json()["error"]["message"]
        and "qwen-test" in response.json()["error"]["message"]
    )


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"logprobs": True}, "logprobs"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
                ]
            },
            "messages.0.content.0",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages.0.content.0"),
    ],
)
def test_what_an_assistant_cannot_do_is_refused(
    api: Callable[..., TestClient], changes: dict[str, Any], param: str
) -> None:
    response = api().post(CHAT, json={**ASK, **changes})
    assert response.status_code == 400 and response.json()["error"]["param"] == param


def test_errors_of_the_answerer_keep_their_status(api: Callable[..., TestClient]) -> None:
    client = api(answerer=ScriptedAnswerer([[EngineUnavailableError("later")]]))
    assert client.post(CHAT, json=ASK).headers["retry-after"] == "5"
    assert client.post(CHAT, json={**ASK, "stream": True}).status_code == 503


def test_openais_client_reads_it_all(openai_client: Callable[..., openai.OpenAI]) -> None:
    client = openai_client(answerer=ScriptedAnswerer([told("25 jours", " [1]", citations=(citation(),))]))
    extra = {"etabli": {"stages": True, "trace": True}}
    completion = client.chat.completions.create(**ASK, extra_body=extra)
    message = completion.choices[0].message
    assert message.annotations and message.annotations[0].url_citation.url.startswith("/documents/7/")
    assert message.model_extra and message.model_extra["etabli"]["trace"]["question"] == "q"
    with client.chat.completions.stream(**ASK, extra_body=extra) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "25 jours [1]"
    assert (
        final.choices[0].message.annotations
        and final.choices[0].message.annotations[0].type == "url_citation"
    )
