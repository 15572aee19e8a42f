from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.tiny_jobs import REASON

pytest.importorskip("gguf", reason=REASON)

from etabli.errors import InvalidInputError
from etabli.training.architecture import read_architecture
from etabli.training.container import open_container


def test_what_the_file_tells(tiny: Callable[..., Path]) -> None:
    gemma = read_architecture(open_container(tiny("gemma3")))
    assert gemma.local == (True, True, True, True, True, False, True) and gemma.window == 8
    assert (gemma.rope_base, gemma.local_rope_base, gemma.rope_scale) == (1_000_000.0, 10_000.0, 0.125)
    assert gemma.embedding_scale == 8.0 and gemma.activation == "gelu" and gemma.tied
    llama = read_architecture(open_container(tiny("llama")))
    assert llama.rope == "pairs" and llama.kv_heads == 2 and not any(llama.local)
    assert not read_architecture(open_container(tiny("qwen2-untied"))).tied
    assert llama.shapes["blk.1.attn_k.weight"] == (32, 64) and len(llama.shapes) == 14
    assert llama.adapter_parameters(4) == sum(4 * (rows + columns) for rows, columns in llama.shapes.values())


def changed(tiny: Callable[..., Path], change: Callable[[Any], None]) -> str:
    container = open_container(tiny())
    change(container)
    with pytest.raises(InvalidInputError) as caught:
        read_architecture(container)
    return str(caught.value)


def test_what_is_not_known_is_refused_by_name(tiny: Callable[..., Path]) -> None:
    def rename(old: str, new: str) -> Callable[[Any], None]:
        return lambda container: container.tensors.__setitem__(new, container.tensors.pop(old))

    def put(key: str, value: object) -> Callable[[Any], None]:
        return lambda container: container.metadata.__setitem__(key, value)

    assert "mamba" in changed(tiny, put("general.architecture", "mamba"))
    assert "stretched by yarn" in changed(tiny, put("qwen2.rope.scaling.type", "yarn"))
    assert "caps its logits" in changed(tiny, put("qwen2.final_logit_softcapping", 30.0))
    assert "blk.1.ffn_up.weight is missing" in changed(
        tiny, rename("blk.1.ffn_up.weight", "blk.9.ffn_up.weight")
    )
    extra = changed(tiny, lambda container: container.tensors.__setitem__("blk.0.ffn_gate_inp.weight", None))
    assert "blk.0.ffn_gate_inp.weight is not known for qwen2" in extra
    assert "qwen2.block_count is missing" in changed(
        tiny, lambda container: container.metadata.pop("qwen2.block_count")
    )
