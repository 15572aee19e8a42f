"""Tensors of a GGUF file, dequantised some rows at a time: the peak is the model in the wanted type and little more.

What is trained is thus the very weights that are served. The engine's own routines turn them into numbers where its
library can be loaded (ten times faster), else `gguf.quants.dequantize`; a test compares them bit for bit.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.training.container import BF16, BLOCKS, F16, F32, Container

_ROWS_AT_ONCE = 4096
_ROUTINES = {
    2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 10: "q2_K", 11: "q3_K", 12: "q4_K", 13: "q5_K", 14: "q6_K",
    20: "iq4_nl", 23: "iq4_xs",
}  # fmt: skip
Routine = Callable[[Any, Any, int], None]


def read_tensor(container: Container, name: str, dtype: Any = torch.float32) -> Any:
    """A tensor of the file.

    Args:
        container: of the file.
        name: of the tensor.
        dtype: wanted.

    Raises:
        InvalidInputError: it is stored in a form that is not known, or holds a number that is not finite.
    """
    entry = container.tensors[name]
    raw = container.raw(name).reshape(-1, entry.size // max(1, _rows(entry.shape)))
    out = torch.empty(entry.shape, dtype=dtype)
    lines = out.view(len(raw), -1)
    for start in range(0, len(raw), _ROWS_AT_ONCE):
        numbers = dequantise(container, name, raw[start : start + _ROWS_AT_ONCE])
        if not np.isfinite(numbers).all():
            raise InvalidInputError(
                tr("{model} is damaged: {tensor} holds numbers that are not finite. Fetch it again.",
                   model=container.name, tensor=name)
            )  # fmt: skip
        lines[start : start + _ROWS_AT_ONCE] = torch.from_numpy(numbers)
    container.forget()
    return out


class Rows:
    """Rows of a matrix that stays in the file: an embedding of which a step needs a few hundred.

    Args:
        container: of the file.
        name: of the matrix.
    """

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._name = name
        self._raw = container.raw(name)

    def take(self, numbers: NDArray[np.int64], dtype: Any) -> Any:
        """(N, width) rows, each dequantised once."""
        unique, inverse = np.unique(numbers, return_inverse=True)
        rows = torch.from_numpy(dequantise(self._container, self._name, self._raw[unique]))
        return rows.to(dtype)[torch.from_numpy(inverse)]


def dequantise(
    container: Container, name: str, raw: NDArray[np.uint8], *, routines: bool = True
) -> NDArray[np.float32]:
    """Rows of a tensor as numbers.

    Args:
        container: of the file.
        name: of the tensor.
        raw: (rows, bytes) of it.
        routines: whether the engine's own may be used.

    Raises:
        InvalidInputError: it is stored in a form that is not known.
    """
    kind = container.tensors[name].kind
    raw = np.ascontiguousarray(raw)
    if kind == F32:
        return raw.view(np.float32).copy()
    if kind == F16:
        return raw.view(np.float16).astype(np.float32)
    if kind == BF16:
        return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    routine = _routine(kind) if routines else None
    if routine is not None:
        elements, block = BLOCKS[kind]
        numbers = np.empty((len(raw), raw.shape[1] // block * elements), dtype=np.float32)
        routine(raw.ctypes.data, numbers.ctypes.data, numbers.size)
        return numbers
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    try:
        found: NDArray[np.float32] = dequantize(raw, GGMLQuantizationType(kind))
    except (NotImplementedError, ValueError):
        raise InvalidInputError(
            tr("{model} stores {tensor} in a form that cannot be read here. Use a file in Q4_K_M, Q8_0 or F16.",
               model=container.name, tensor=name)
        ) from None  # fmt: skip
    return found


@cache
def _routine(kind: int) -> Routine | None:
    """The engine's routine `dequantize_row_…(blocks, numbers, count)` for a type, where there is one."""
    spec = find_spec("xllamacpp")
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent
    for path in [] if folder is None or kind not in _ROUTINES else sorted(folder.glob("*.so")):
        try:
            routine = getattr(ctypes.CDLL(str(path)), f"dequantize_row_{_ROUTINES[kind]}")
        except (OSError, AttributeError):
            continue
        routine.argtypes, routine.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64], None
        return routine  # type: ignore[no-any-return]
    return None


def _rows(shape: tuple[int, ...]) -> int:
    count = 1
    for extent in shape[:-1]:
        count *= extent
    return count
