"""Tiny language models with random weights as GGUF files, of every family that can be trained: for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from etabli.training.tokenizer import _bytes_as_characters

CHATML = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
MERGES = ["Ġ l", "Ġ d", "o n", "e s", "Ġl a", "o u", "Ã ©", "b on", "j ou", "jou r", "Ġd e", "0 0"]
WORDS = [
    "▁",
    "la",
    "▁la",
    "on",
    "jou",
    "r",
    "jour",
    "bon",
    "▁de",
    "d",
    "e",
    "l",
    "a",
    "b",
    "j",
    "o",
    "n",
    "u",
]
SHAPES: dict[str, dict[str, Any]] = {
    "qwen2": {"architecture": "qwen2", "heads": 4, "kv_heads": 2, "bias": True},
    "qwen2-untied": {"architecture": "qwen2", "heads": 4, "kv_heads": 2, "bias": True, "untied": True},
    "qwen3": {"architecture": "qwen3", "heads": 4, "kv_heads": 2, "qk_norm": True, "head_size": 32},
    "llama": {"architecture": "llama", "heads": 4, "kv_heads": 2, "spm": True},
    "llama-factors": {"architecture": "llama", "heads": 4, "kv_heads": 1, "factors": True, "base": 500000.0},
    "gemma3": {
        "architecture": "gemma3", "heads": 4, "kv_heads": 2, "qk_norm": True, "post_norm": True, "layers": 7,
        "window": 8, "head_size": 32, "spm": True, "base": 1000000.0, "linear": 8.0,
    },
}  # fmt: skip


def write_model(
    path: Path, kind: str = "qwen2", *, seed: int = 0, template: str = CHATML, **changes: Any
) -> Path:
    """Write a model of a family; `changes` replace what `SHAPES` says of it."""
    from gguf import GGUFWriter

    shape = {"layers": 2, "width": 64, "feed_forward": 96, "spm": False, **SHAPES[kind], **changes}
    name = shape["architecture"]
    heads, kv_heads, width = shape["heads"], shape["kv_heads"], shape["width"]
    head_size = shape.get("head_size", width // heads)
    writer = GGUFWriter(str(path), name)
    writer.add_name(f"tiny {kind}")
    writer.add_block_count(shape["layers"])
    writer.add_context_length(512)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(shape["feed_forward"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_dimension_count(head_size)
    writer.add_rope_freq_base(shape.get("base", 10000.0))
    writer.add_layer_norm_rms_eps(1e-5)
    if "linear" in shape:
        writer.add_string(f"{name}.rope.scaling.type", "linear")
        writer.add_float32(f"{name}.rope.scaling.factor", shape["linear"])
    if "window" in shape:
        writer.add_sliding_window(shape["window"])
    vocabulary = _sentence_pieces(writer) if shape["spm"] else _byte_level(writer)
    writer.add_chat_template(template)
    for tensor, values in _tensors(shape, head_size, vocabulary, np.random.default_rng(seed)).items():
        writer.add_tensor(tensor, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(shape: dict[str, Any], head_size: int, vocabulary: int, random: Any) -> dict[str, Any]:
    width, feed = shape["width"], shape["feed_forward"]
    queries, keys = shape["heads"] * head_size, shape["kv_heads"] * head_size

    def matrix(rows: int, columns: int) -> Any:
        return (random.standard_normal((rows, columns)) / np.sqrt(columns) * 1.5).astype(np.float32)

    def norm(size: int) -> Any:
        return (1 + 0.2 * random.standard_normal(size)).astype(np.float32)

    found: dict[str, Any] = {
        "token_embd.weight": random.standard_normal((vocabulary, width)).astype(np.float32) * 0.3,
        "output_norm.weight": norm(width),
    }
    if shape.get("untied"):
        found["output.weight"] = matrix(vocabulary, width)
    if shape.get("factors"):
        found["rope_freqs.weight"] = np.linspace(1, 8, head_size // 2).astype(np.float32)
    for layer in range(shape["layers"]):
        sizes = {
            "attn_q": (queries, width), "attn_k": (keys, width), "attn_v": (keys, width),
            "attn_output": (width, queries), "ffn_gate": (feed, width), "ffn_up": (feed, width),
            "ffn_down": (width, feed),
        }  # fmt: skip
        for name, (rows, columns) in sizes.items():
            found[f"blk.{layer}.{name}.weight"] = matrix(rows, columns)
            if shape.get("bias") and name in ("attn_q", "attn_k", "attn_v"):
                found[f"blk.{layer}.{name}.bias"] = random.standard_normal(rows).astype(np.float32)
        norms = {"attn_norm": width, "ffn_norm": width}
        if shape.get("qk_norm"):
            norms |= {"attn_q_norm": head_size, "attn_k_norm": head_size}
        if shape.get("post_norm"):
            norms |= {"post_attention_norm": width, "post_ffw_norm": width}
        for name, size in norms.items():
            found[f"blk.{layer}.{name}.weight"] = norm(size)
    return found


def _byte_level(writer: Any) -> int:
    by_byte = {byte: character for character, byte in _bytes_as_characters().items()}
    tokens = [by_byte[byte] for byte in range(256)] + [merge.replace(" ", "") for merge in MERGES]
    kinds = [1] * len(tokens)
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens, kinds = tokens + specials, kinds + [3] * len(specials)
    tokens, kinds = [*tokens, "<tool_call>"], [*kinds, 4]
    _vocabulary(writer, "gpt2", tokens, kinds)
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_merges(MERGES)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    return len(tokens)


def _sentence_pieces(writer: Any) -> int:
    tokens = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    kinds = [2, 3, 3, 3, 3]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    kinds += [6] * 256
    words = sorted({*WORDS, *(chr(code) for code in range(33, 127))}, key=lambda word: (-len(word), word))
    tokens += words
    kinds += [1] * len(words)
    _vocabulary(writer, "llama", tokens, kinds)
    writer.add_token_scores([0.0] * 5 + [0.0] * 256 + [-float(place) for place in range(len(words))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(4)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    return len(tokens)


def _vocabulary(writer: Any, model: str, tokens: Sequence[str], kinds: Sequence[int]) -> None:
    writer.add_tokenizer_model(model)
    writer.add_token_list(list(tokens))
    writer.add_token_types(list(kinds))
