from pathlib import Path

import numpy as np
import pytest

from training.tiny_jobs import REASON

torch = pytest.importorskip("torch", reason=REASON)
gguf = pytest.importorskip("gguf", reason=REASON)

from etabli.errors import InvalidInputError  # noqa: E402
from etabli.training.container import Container, open_container  # noqa: E402
from etabli.training.torch.weights import Rows, _routine, dequantise, read_tensor  # noqa: E402

NAMES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "BF16", "F16", "F32"]


def written(path: Path, values: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> Container:
    writer = gguf.GGUFWriter(str(path), "qwen2")
    for name in NAMES:
        kind = gguf.GGMLQuantizationType[name]
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    random = np.random.default_rng(1)
    for name, block in (("Q4_K", 144), ("Q6_K", 210), ("Q5_K", 176)):
        blocks = random.integers(0, 255, (6, block * 2)).astype(np.uint8)
        scales = np.float16([0.01]).view(np.uint8)
        for start in (0, block):
            where = start + (208 if name == "Q6_K" else 0)
            blocks[:, where : where + 2] = scales
            if name != "Q6_K":
                blocks[:, where + 2 : where + 4] = scales
        writer.add_tensor(name, blocks, raw_dtype=gguf.GGMLQuantizationType[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return open_container(path)


def test_numbers_come_back(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((6, 512)).astype(np.float32)
    container = written(tmp_path / "w.gguf", values)
    errors = {
        "Q4_0": 0.4,
        "Q4_1": 0.3,
        "Q5_0": 0.2,
        "Q5_1": 0.15,
        "Q8_0": 0.03,
        "BF16": 0.02,
        "F16": 0.002,
        "F32": 0,
    }
    for name, most in errors.items():
        assert np.abs(read_tensor(container, name).numpy() - values).max() <= most, name
    rounded = read_tensor(container, "Q8_0", torch.bfloat16)
    assert rounded.dtype == torch.bfloat16


def test_the_engine_s_routines_as_the_library(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((6, 512)).astype(np.float32)
    container = written(tmp_path / "w.gguf", values)
    for name, entry in container.tensors.items():
        raw = container.raw(name)
        fast, slow = dequantise(container, name, raw), dequantise(container, name, raw, routines=False)
        assert fast.shape == slow.shape == (6, 512)
        np.testing.assert_array_equal(fast, slow, err_msg=name)
        assert name in ("BF16", "F16", "F32") or _routine(entry.kind) is not None


def test_rows_of_a_matrix_that_stays_in_the_file(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((6, 512)).astype(np.float32)
    container = written(tmp_path / "w.gguf", values)
    found = Rows(container, "Q5_0").take(np.array([3, 0, 3]), torch.float32)
    assert torch.equal(found, read_tensor(container, "Q5_0")[[3, 0, 3]])


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    values = np.full((2, 64), np.nan, dtype=np.float32)
    writer = gguf.GGUFWriter(str(tmp_path / "w.gguf"), "qwen2")
    writer.add_tensor("t", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(InvalidInputError, match="not finite"):
        read_tensor(open_container(tmp_path / "w.gguf"), "t")
