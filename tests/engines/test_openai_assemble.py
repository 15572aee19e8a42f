"""A stream put together equals the whole answer, for every kind of reply of the fake."""

import asyncio
from typing import Any

import pytest

from etabli.engines.fake import FakeEngine, Reply, ToolCalls
from etabli.engines.openai_assemble import assemble

BODY: dict[str, Any] = {
    "messages": [{"role": "user", "content": "x y"}],
    "stream_options": {"include_usage": True},
}


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
@pytest.mark.parametrize(
    ("reply", "more"),
    [
        ("un deux trois", {}),
        ("un deux trois", {"max_tokens": 2}),
        ({"a": ["é", 1]}, {}),
        (ToolCalls([("f", {"x": 1}), ("g", {"y": "é"})]), {}),
    ],
)
def test_stream_equals_whole(reply: Reply, more: dict[str, Any], path: str) -> None:
    if isinstance(reply, ToolCalls) and path == "/completions":
        pytest.skip("no tools there")

    async def both() -> tuple[Any, Any]:
        chunks = [chunk async for chunk in FakeEngine([reply]).stream({**BODY, **more}, path=path)]
        return assemble(chunks), await FakeEngine([reply]).complete({**BODY, **more}, path=path)

    streamed, whole = asyncio.run(both())
    assert streamed == whole


def test_several_choices_reasoning_and_probabilities() -> None:
    def chunk(index: int, **delta: Any) -> dict[str, Any]:
        logprobs = {"content": [{"token": delta.get("content")}]}
        return {"id": "c", "usage": None, "choices": [{"index": index, "delta": delta, "logprobs": logprobs}]}

    last = {"id": "c", "choices": [], "usage": {"total_tokens": 3}, "timings": {"cache_n": 2}}
    answer = assemble([chunk(1, content="b"), chunk(0, reasoning_content="r"), chunk(1, content="B"), last])
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": None, "reasoning_content": "r"}
    assert answer["choices"][1]["message"]["content"] == "bB"
    assert answer["choices"][1]["logprobs"] == {"content": [{"token": "b"}, {"token": "B"}]}
    assert answer["usage"] == {"total_tokens": 3} and answer["timings"] == {"cache_n": 2}
