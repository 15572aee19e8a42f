"""Clients that people use, against the application: OpenAI's asynchronous one in process, LangChain over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel
from server_parts import KEY, MakeServices, ScriptedAnswerer, citation, told

from etabli.engines.fake import FakeEngine, ToolCalls
from etabli.server.app import create_app

langchain_openai = pytest.importorskip("langchain_openai")

ASK: Any = {"messages": [{"role": "user", "content": "Combien ?"}]}


def test_openais_asynchronous_client_in_process(services: MakeServices) -> None:
    async def run() -> None:
        transport = httpx2.ASGITransport(app=create_app(services()))
        async with httpx2.AsyncClient(transport=transport) as http:
            client = openai.AsyncOpenAI(base_url="http://etabli/v1", api_key=KEY, http_client=http)
            answers = await asyncio.gather(
                client.chat.completions.create(**ASK, model="rh"),
                client.chat.completions.create(**ASK, model="qwen-test"),
            )
            assert [a.choices[0].message.content for a in answers] == ["25 jours [1]", "un deux trois"]
            raw = await client.models.with_raw_response.list()
            assert (raw.headers["x-request-id"] or "").startswith("req_")
            stream = await client.chat.completions.create(**ASK, model="rh", stream=True)
            assert "".join([c.choices[0].delta.content or "" async for c in stream]) == "25 jours [1]"
            embedded = await client.embeddings.create(model="letters", input="a")
            assert len(embedded.data[0].embedding) == 3

    asyncio.run(run())


Chat = Callable[..., Any]


@pytest.fixture
def chat(serve: Callable[..., str]) -> Chat:
    def make(model: str, **changes: Any) -> Any:
        url = serve(**changes) + "/v1"
        return langchain_openai.ChatOpenAI(
            model=model, base_url=url, api_key=KEY, max_retries=0, stream_usage=True
        )

    return make


def test_langchain_whole_and_streamed_with_usage(chat: Chat) -> None:
    cited = ScriptedAnswerer([told("25 jours", " [1]", citations=(citation(),))])
    for model, text, tokens in (("rh", "25 jours [1]", 4), ("qwen-test", "un deux trois", 3)):
        llm = chat(model, answerer=cited)
        assert llm.invoke("Combien ?").text == text
        pieces = list(llm.stream("Combien ?"))
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = whole + piece
        assert whole.text == text and whole.usage_metadata["output_tokens"] == tokens
        assert whole.response_metadata["finish_reason"] == "stop"


def test_langchain_tools(chat: Chat) -> None:
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return city

    engine = FakeEngine([ToolCalls([("weather", {"city": "Lyon"})])], model="qwen-test")
    llm = chat("qwen-test", engine=engine).bind_tools([weather])
    assert llm.invoke("?").tool_calls[0]["args"] == {"city": "Lyon"}
    whole = None
    for piece in llm.stream("?"):
        whole = piece if whole is None else whole + piece
    assert whole is not None and whole.tool_calls[0]["name"] == "weather"
    assert whole.tool_calls[0]["args"] == {"city": "Lyon"}
    assert engine.bodies[0]["tools"][0]["function"]["name"] == "weather"


def test_langchain_structured_output(chat: Chat) -> None:
    class Leave(BaseModel):
        """Days of leave."""

        days: int

    engine = FakeEngine(['{"days": 25}'], model="qwen-test")
    llm = chat("qwen-test", engine=engine).with_structured_output(Leave, method="json_schema")
    assert llm.invoke("?") == Leave(days=25)
    assert engine.bodies[0]["response_format"]["type"] == "json_schema"


def test_langchain_embeddings(serve: Callable[..., str]) -> None:
    embeddings = langchain_openai.OpenAIEmbeddings(
        model="letters", base_url=serve() + "/v1", api_key=KEY, check_embedding_ctx_length=False
    )
    assert len(embeddings.embed_documents(["a", "b"])) == 2 and len(embeddings.embed_query("a")) == 3
