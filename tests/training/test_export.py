import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.tiny_jobs import REASON

gguf = pytest.importorskip("gguf", reason=REASON)

from etabli.errors import InvalidInputError  # noqa: E402
from etabli.training.architecture import read_architecture  # noqa: E402
from etabli.training.base import TrainingPlan  # noqa: E402
from etabli.training.container import open_container  # noqa: E402
from etabli.training.export import check_adapter, read_adapter, write_adapter  # noqa: E402

SHA256 = "a" * 64


class Numbers:
    """Stands for a tensor of the trainer."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values, dtype=np.float32)

    def detach(self) -> "Numbers":
        return self

    def cpu(self) -> "Numbers":
        return self

    def numpy(self) -> Any:
        return self._values


class Trained:
    alpha = 8.0

    def __init__(self, base: Path, value: float = 0.5) -> None:
        shapes = read_architecture(open_container(base)).shapes
        self._pairs: dict[str, tuple[Any, Any]] = {
            name: (Numbers(np.full((4, columns), value)), Numbers(np.full((rows, 4), value)))
            for name, (rows, columns) in shapes.items()
        }

    def tensors(self) -> dict[str, tuple[Any, Any]]:
        return self._pairs


def plan(base: Path) -> TrainingPlan:
    return TrainingPlan(base="tiny", base_path=base, base_sha256=SHA256, training_file=base)


def test_written_and_read(tiny: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    sha256, size = write_adapter(path, Trained(tiny()), plan(tiny()))
    assert size == path.stat().st_size and len(sha256) == 64
    assert write_adapter(tmp_path / "b.gguf", Trained(tiny()), plan(tiny()))[0] == sha256
    found = check_adapter(path, tiny(), SHA256)
    assert (found.architecture, found.base, found.rank, found.alpha) == ("qwen2", "tiny", 4, 8.0)
    a, b = found.factors("blk.0.attn_k.weight")
    assert a.shape == (4, 64) and b.shape == (32, 4) and float(a[0, 0]) == 0.5


def test_another_base_is_refused(tiny: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_adapter(path, Trained(tiny()), plan(tiny()))
    with pytest.raises(InvalidInputError, match="was trained on tiny, another base"):
        check_adapter(path, tiny(), "b" * 64)
    with pytest.raises(InvalidInputError, match="does not fit llama.gguf"):
        check_adapter(path, tiny("llama"), SHA256)


def test_numbers_that_ran_away_are_not_written(tiny: Callable[..., Path], tmp_path: Path) -> None:
    for value in (float("nan"), 1e6):
        with pytest.raises(InvalidInputError, match="ran away"):
            write_adapter(tmp_path / "a.gguf", Trained(tiny(), value), plan(tiny()))
    assert not (tmp_path / "a.gguf").exists()


def craft(path: Path, tensors: dict[str, Any], **metadata: Any) -> Path:
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_type(metadata.get("kind", "adapter"))
    writer.add_string("adapter.type", metadata.get("adapter", "lora"))
    writer.add_float32("adapter.lora.alpha", metadata.get("alpha", 8.0))
    if metadata.get("sha256", SHA256):
        writer.add_string("etabli.base.sha256", metadata.get("sha256", SHA256))
    for name, values in tensors.items():
        writer.add_tensor(name, np.asarray(values, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


A, B = np.zeros((4, 64)), np.zeros((64, 4))
PAIR = {"blk.0.attn_q.weight.lora_a": A, "blk.0.attn_q.weight.lora_b": B}
HALF = {"blk.0.attn_q.weight.lora_a": A}
WITH_NAN = {**PAIR, "blk.0.attn_q.weight.lora_b": np.full((64, 4), np.nan)}


@pytest.mark.parametrize(
    "tensors, metadata, reason",
    [
        (PAIR, {"kind": "model"}, "no low-rank adapter"),
        (PAIR, {"adapter": "dora"}, "no low-rank adapter"),
        (PAIR, {"alpha": float("inf")}, "alpha is inf"),
        (PAIR, {"alpha": -1.0}, "alpha is -1.0"),
        (PAIR, {"sha256": ""}, "which base"),
        (HALF, {}, "no matching pair"),
        (WITH_NAN, {}, "not finite"),
        ({**PAIR, "blk.0.attn_q.weight.lora_magnitude": np.zeros(64)}, {}, "lora_magnitude is no part"),
        ({**PAIR, "blk.0.attn_q.bias": np.zeros(64)}, {}, "attn_q.bias is no part"),
        (
            {"token_embd.weight.lora_a": A, "token_embd.weight.lora_b": B},
            {},
            "token_embd.weight.lora_a is no part",
        ),
        ({"output.weight.lora_a": A, "output.weight.lora_b": B}, {}, "output.weight.lora_a is no part"),
        ({**PAIR, "blk.0.attn_q.weight.lora_b": np.zeros((64, 5))}, {}, "no matching pair"),
        ({}, {}, "not of one rank"),
        ({**HALF, "blk.1.attn_q.weight.lora_b": B}, {}, "no matching pair"),
    ],
)
def test_what_is_not_served_is_refused(
    tmp_path: Path, tensors: dict[str, Any], metadata: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read_adapter(craft(tmp_path / "a.gguf", tensors, **metadata))


def test_every_cut_of_an_adapter_is_refused(tiny: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_adapter(path, Trained(tiny()), plan(tiny()))
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 997):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        with pytest.raises(InvalidInputError):
            read_adapter(tmp_path / "cut.gguf")


def test_a_length_that_lies_is_refused(tiny: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_adapter(path, Trained(tiny()), plan(tiny()))
    content = bytearray(path.read_bytes())
    content[24:32] = struct.pack("<Q", 2**63)
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="past its end"):
        read_adapter(path)
