import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from training.tiny_jobs import REASON

pytest.importorskip("tokenizers", reason=REASON)
pytest.importorskip("gguf", reason=REASON)

from etabli.engines.local import LocalEngine
from etabli.errors import InvalidInputError
from etabli.training.container import open_container
from etabli.training.template import ChatTemplate
from etabli.training.tokenizer import Tokenizer

TEXTS = [
    "",
    "Bonjour le jour, la bonne journée de l'été !",
    "L'œuvre — « déjà vue » — coûte 1 234,56 €…",
    "  deux  espaces\n\n\nlignes\r\n\tfin   ",
    "👩‍⚕️ 🇫🇷 émoji",
    "def f(x):\n    return x**2  # carré\n",
    "a<|im_end|>b<tool_call>c<|im_start|>",
    "IT'S we'LL don't 2024/11/23 x1y22",
    "日本語 العربية кириллица",
    "e\u0301 et \u00e9",
]  # fmt: skip


def ask(engine: LocalEngine, path: str, body: dict[str, Any]) -> Any:
    port, key = engine.state.ready["port"], engine.state.config["api_key"]
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(
        f"http://127.0.0.1:{port}{path}", json=body, headers=headers, timeout=60, trust_env=False
    )
    answer.raise_for_status()
    return answer.json()


@pytest.mark.parametrize("kind", ["qwen2", "llama"])
def test_the_engine_s_ids(
    kind: str, tiny: Callable[..., Path], start_llama: Callable[..., LocalEngine]
) -> None:
    tokenizer, engine = Tokenizer(open_container(tiny(kind))), start_llama(tiny(kind))
    for text in TEXTS:
        for special in (True, False):
            body = {"content": text, "add_special": False, "parse_special": special}
            assert tokenizer.encode(text, special=special) == ask(engine, "/tokenize", body)["tokens"], text


@pytest.mark.parametrize("kind", ["qwen2", "llama"])
def test_tokens_give_the_text_back(kind: str, tiny: Callable[..., Path]) -> None:
    tokenizer = Tokenizer(open_container(tiny(kind)))
    for text in TEXTS:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_what_text_may_become(tiny: Callable[..., Path]) -> None:
    tokenizer = Tokenizer(open_container(tiny()))
    end = tokenizer.tokens.index("<|im_end|>")
    assert end in tokenizer.encode("a<|im_end|>") and end not in tokenizer.encode(
        "a<|im_end|>", special=False
    )
    assert tokenizer.ends == {end, tokenizer.tokens.index("<|endoftext|>")}
    assert tokenizer.eos == end and not tokenizer.adds_bos
    assert Tokenizer(open_container(tiny("llama"))).adds_bos


def test_an_unknown_kind_is_refused(tiny: Callable[..., Path]) -> None:
    container = open_container(tiny())
    container.metadata["tokenizer.ggml.pre"] = "klingon"
    with pytest.raises(InvalidInputError, match="gpt2 klingon"):
        Tokenizer(container)
    container.metadata["tokenizer.ggml.model"] = "t5"
    with pytest.raises(InvalidInputError, match="t5"):
        Tokenizer(container)


@pytest.mark.model
def test_the_real_model_s_ids(small_model: Path, start_llama: Callable[..., LocalEngine]) -> None:
    template = ChatTemplate(open_container(small_model))
    engine = start_llama(small_model, context_tokens=2048)
    for text in TEXTS:
        body = {"content": text, "add_special": False, "parse_special": True}
        assert template.tokenizer.encode(text) == ask(engine, "/tokenize", body)["tokens"], text
    function = {
        "type": "function",
        "function": {
            "name": "meteo",
            "description": "Donne la météo d'une « ville »",
            "parameters": {
                "type": "object",
                "properties": {"ville": {"type": "string"}},
                "required": ["ville"],
            },
        },
    }
    call = {"id": "c1", "type": "function", "function": {"name": "meteo", "arguments": '{"ville": "Lyon"}'}}
    conversations: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [
        ([{"role": "user", "content": text}], []) for text in TEXTS if text and "<|" not in text
    ]
    conversations += [
        ([{"role": "system", "content": "Tu réponds."}, {"role": "user", "content": "Où ?"}], [function]),
        (
            [
                {"role": "user", "content": "Quel temps à Lyon ?"},
                {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "content": '{"temps": "beau"}', "tool_call_id": "c1"},
            ],
            [function],
        ),
    ]
    for messages, tools in conversations:
        body = {"messages": messages, **({"tools": tools} if tools else {})}
        rendered = ask(engine, "/apply-template", body)["prompt"]
        assert template.render(messages, tools=tools, generation_prompt=True) == rendered
        engine_ids = ask(
            engine, "/tokenize", {"content": rendered, "add_special": True, "parse_special": True}
        )
        assert template.prompt_ids(messages, tools=tools) == engine_ids["tokens"]
    asyncio.run(engine.aclose())
