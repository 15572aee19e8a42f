"""Chat with the engine's own model: passed on, and in OpenAI's form whatever the engine sends."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from etabli.engines.fake import FakeEngine, ToolCalls
from etabli.server.openai.chat_completions.protocol import ChatCompletionChunk
from etabli.server.openai.passthrough import ChunkTidier

ASK: dict[str, Any] = {"model": "qwen-test", "messages": [{"role": "user", "content": "dis"}]}
CHAT = "/v1/chat/completions"
USAGE = {"include_usage": True}


class Replay(FakeEngine):
    """An engine that sends given payloads."""

    payloads: tuple[bytes, ...] = ()

    async def stream_raw(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[bytes, None]:
        for payload in self.payloads:
            yield payload


def replay(*chunks: Mapping[str, Any]) -> Replay:
    engine = Replay(model="qwen-test")
    engine.payloads = tuple(json.dumps(chunk).encode() for chunk in chunks)
    return engine


def chunk_of(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }


def test_whole_and_streamed(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    client = api()
    body = client.post(CHAT, json=ASK).json()
    assert (
        body["choices"][0]["message"]["content"] == "un deux trois"
        and body["usage"]["completion_tokens"] == 3
    )
    chunks = stream_of(client, ASK)
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks[1:-1]] == [
        "un",
        " deux",
        " trois",
    ]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert all("usage" not in chunk for chunk in chunks)
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)


def test_usage_chunk(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    chunks = stream_of(api(), {**ASK, "stream_options": USAGE})
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["completion_tokens"] == 3
    assert chunks[-1]["id"] == chunks[0]["id"]


def test_what_the_engine_is_sent(api: Callable[..., TestClient]) -> None:
    engine = FakeEngine(["x"], model="qwen-test")
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    api(engine=engine).post(
        CHAT,
        json={
            **ASK,
            "messages": [
                {"role": "developer", "content": "sois bref"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "3"},
            ],
            "tools": [tool],
            "tool_choice": "auto",
            "logprobs": True,
            "top_logprobs": 2,
            "max_tokens": 5,
            "min_p": 0.1,
            "lora": [{"id": 0, "scale": 1}],
            "id_slot": 1,
            "cache_prompt": False,
        },
    )
    assert engine.bodies[0] == {
        "model": "qwen-test",
        "messages": [
            {"role": "system", "content": "sois bref"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "content": "3", "tool_call_id": "c"},
        ],
        "tools": [tool],
        "tool_choice": "auto",
        "logprobs": True,
        "top_logprobs": 2,
        "max_tokens": 5,
        "min_p": 0.1,
    }


def test_several_answers(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    engine = FakeEngine(["un", "deux"], model="qwen-test")
    client = api(engine=engine)
    body = client.post(CHAT, json={**ASK, "n": 2, "seed": 5}).json()
    assert [(choice["index"], choice["message"]["content"]) for choice in body["choices"]] == [
        (0, "un"),
        (1, "deux"),
    ]
    assert body["usage"]["prompt_tokens"] == 1 and body["usage"]["completion_tokens"] == 2
    assert [sent["seed"] for sent in engine.bodies] == [5, 6] and "n" not in engine.bodies[0]
    chunks = stream_of(client, {**ASK, "n": 3, "stream_options": USAGE})
    assert {chunk["choices"][0]["index"] for chunk in chunks[:-1]} == {0, 1, 2}
    assert len({chunk["id"] for chunk in chunks}) == 1 and len({chunk["created"] for chunk in chunks}) == 1
    assert chunks[-1]["usage"] == {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    assert sum(not chunk["choices"] for chunk in chunks) == 1


def test_pictures_go_to_a_model_that_sees(api: Callable[..., TestClient]) -> None:
    class Seeing(FakeEngine):
        has_vision = True

    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    ask = {**ASK, "messages": [{"role": "user", "content": [{"type": "text", "text": "quoi ?"}, part]}]}
    engine = Seeing(["un chat"], model="qwen-test")
    assert api(engine=engine).post(CHAT, json=ask).status_code == 200
    assert engine.bodies[0]["messages"][0]["content"][1] == part
    blind = api().post(CHAT, json=ask)
    assert blind.status_code == 400 and "picture" in blind.json()["error"]["message"]
    assert blind.json()["error"]["param"] == "messages.0.content.1"


def test_plain_payloads_are_the_same_bytes(api: Callable[..., TestClient]) -> None:
    odd = b'{ "choices": [{"index":0,"delta":{"content":"\\"usage\\" \xc3\xa9"}}]  }'
    engine = replay(chunk_of({"role": "assistant", "content": None}))
    engine.payloads += (odd,)
    response = api(engine=engine).post(CHAT, json={**ASK, "stream": True})
    assert b"\n\ndata: " + odd + b"\n\ndata: [DONE]\n\n" in response.content


def test_engines_with_other_habits(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    counted = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    engine = replay(
        chunk_of({"content": "a"}),  # no role
        chunk_of({"content": "b"}, usage={**counted, "completion_tokens": 1}),  # counts on the way
        chunk_of(
            {"tool_calls": [{"id": "x", "function": {"name": "f", "arguments": None}}]}
        ),  # no index, no type
        chunk_of({"tool_calls": [{"function": {"arguments": {"k": 1}}}]}),  # an object
        chunk_of({}, "tool_calls", usage=counted),  # counts with the end
    )
    chunks = stream_of(api(engine=engine), {**ASK, "stream_options": USAGE})
    assert chunks[0]["choices"][0]["delta"] == {"content": "a", "role": "assistant"}
    assert [chunk["usage"] for chunk in chunks] == [None, None, None, None, None, counted]
    assert chunks[2]["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}
    ]
    assert chunks[3]["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "function": {"arguments": '{"k": 1}'}}
    ]
    silent = stream_of(api(engine=engine), ASK)
    assert len(silent) == 5 and all("usage" not in chunk for chunk in silent)


def test_a_stream_without_counts_has_no_usage_chunk() -> None:
    tidier = ChunkTidier(include_usage=True, has_role=False)
    tidier.shape(json.dumps(chunk_of({}, "stop", usage=None)).encode())
    assert tidier.usage_chunk() is None


@pytest.mark.parametrize("stream", [False, True])
def test_openais_client_assembles_tool_calls(
    openai_client: Callable[..., openai.OpenAI], stream: bool
) -> None:
    calls = ToolCalls([("météo", {"ville": "Lyon"}), ("heure", {})])
    client = openai_client(engine=FakeEngine([calls], model="qwen-test"))
    tools: Any = [{"type": "function", "function": {"name": "météo", "parameters": {"type": "object"}}}]
    if stream:
        with client.chat.completions.stream(**ASK, tools=tools) as events:
            completion: Any = events.get_final_completion()
    else:
        completion = client.chat.completions.create(**ASK, tools=tools)
    made = completion.choices[0].message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in made] == list(calls.calls)
    assert len({call.id for call in made}) == 2 and completion.choices[0].finish_reason == "tool_calls"
