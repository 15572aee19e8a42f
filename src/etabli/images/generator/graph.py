"""The denoiser and the upscaler as OpenVINO graphs, built from a weights file; no PyTorch, no converter.

The twin of `etabli.images.training.denoiser` and `.upscaler`, which say what the layers are for; a test holds the two
to the same numbers. int8 matrices stay int8 times a scale in the graph: the plug-in multiplies them so where it can.
"""

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from etabli.engines.base import FloatMatrix
from etabli.engines.e5_graph import import_openvino
from etabli.images.generator.text import STATE, VECTOR
from etabli.images.generator.weights import GeneratorWeights

TIME_UNITS = 128
EPSILON = 1e-6
_MASKED = -10_000.0


def compile_denoiser(weights: GeneratorWeights, *, threads: int, exact: bool = False) -> Any:
    """Compile the denoiser.

    Args:
        weights: the weights file.
        threads: CPU threads of one inference.
        exact: compute in f32 throughout, for comparisons; else what suits the processor.

    Returns:
        An `openvino.CompiledModel`. Inputs: patches (B, N, P) f32, time (B, 1), vector (B, 384), states (B, T, 192),
        mask (B, T) of ones and zeros. Output: the clean patches that it expects, (B, N, P).
    """
    openvino = import_openvino()
    return openvino.Core().compile_model(
        _Denoiser(openvino, weights).model(), "CPU", _options(threads, exact)
    )


def compile_upscaler(weights: GeneratorWeights, *, threads: int, exact: bool = False) -> Any:
    """Compile the upscaler. Input: pictures (B, 3, S, S) from -1 to 1. Output: (B, 3, S · factor, S · factor)."""
    openvino = import_openvino()
    return openvino.Core().compile_model(
        _Upscaler(openvino, weights).model(), "CPU", _options(threads, exact)
    )


def _options(threads: int, exact: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,
    }
    if exact:
        options |= {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    return options


class _Graph:
    """What both graphs are written with."""

    prefix = ""

    def __init__(self, openvino: ModuleType, weights: GeneratorWeights) -> None:
        self._openvino = openvino
        self._op = openvino.opset13
        self._weights = weights

    def _array(self, name: str) -> FloatMatrix:
        return self._weights.arrays[self.prefix + name]

    def _constant(self, name: str) -> Any:
        return self._op.constant(self._array(name))

    def _linear(self, states: Any, name: str) -> Any:
        """Times the matrix (out, in) plus the bias."""
        op, full = self._op, f"{self.prefix}{name}.weight"
        matrix = (
            self._int8(full) if full in self._weights.quantised else op.constant(self._weights.arrays[full])
        )
        return op.add(op.matmul(states, matrix, False, True), self._constant(name + ".bias"))

    def _int8(self, full: str) -> Any:
        op, matrix = self._op, self._weights.arrays[full]
        scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
        steps = op.constant(np.rint(matrix / scale).astype(np.int8))
        return op.multiply(op.convert(steps, "f32"), op.constant(scale))

    def _i64(self, *values: int) -> Any:
        return self._op.constant(np.array(values, np.int64))

    def _f32(self, value: float) -> Any:
        number: npt.NDArray[np.float32] = np.array(value, np.float32)
        return self._op.constant(number)


class _Denoiser(_Graph):
    """B pictures, N patches of P numbers, T tokens, W units, H heads."""

    prefix = "denoiser."

    def model(self) -> Any:
        op, shape = self._op, self._weights.denoiser
        patches = op.parameter([-1, shape.patches, shape.patch_values], np.float32, name="patches")
        time = op.parameter([-1, 1], np.float32, name="time")
        vector = op.parameter([-1, VECTOR], np.float32, name="vector")
        states = op.parameter([-1, -1, STATE], np.float32, name="states")
        mask = op.parameter([-1, -1], np.float32, name="mask")
        context, bias = self._context(states, mask)
        about = op.swish(op.add(self._time(time), self._linear(vector, "from_vector")))
        shared = op.reshape(self._linear(about, "modulation"), self._i64(0, 6, shape.width), True)
        picture_bias = self._with_picture(bias)
        tokens = op.add(self._linear(patches, "from_patches"), self._constant("positions"))
        for layer in range(shape.layers):
            tokens = self._block(tokens, context, picture_bias, shared, f"blocks.{layer}.")
        scale, shift = self._split(self._linear(about, "last_modulation"), 2)
        tokens = self._modulated(tokens, scale, shift)
        return self._openvino.Model(
            [op.result(self._linear(tokens, "to_patches"))], [patches, time, vector, states, mask], "denoiser"
        )

    def _context(self, states: Any, mask: Any) -> tuple[Any, Any]:
        """The prompt's tokens after their own transformer, (B, T + 1, W), and the bias that hides padding."""
        op, shape = self._op, self._weights.denoiser
        batch = op.gather(op.shape_of(mask), self._i64(0), self._i64(0))
        one = op.concat([batch, self._i64(1)], 0)
        mask = op.concat([op.broadcast(self._f32(1.0), one), mask], 1)
        bias = op.unsqueeze(
            op.multiply(op.subtract(mask, self._f32(1.0)), self._f32(-_MASKED)), self._i64(1, 2)
        )
        first = op.broadcast(self._constant("register"), op.concat([batch, self._i64(1, shape.width)], 0))
        length = op.gather(op.shape_of(states), self._i64(1), self._i64(0))
        places = op.slice(self._constant("text_positions"), self._i64(0), length, self._i64(1), self._i64(0))
        tokens = op.concat([first, op.add(self._linear(states, "from_states"), places)], 1)
        for layer in range(shape.text_layers):
            name = f"text.{layer}."
            q, k, v = (self._heads(self._linear(self._norm(tokens), name + part)) for part in ("q", "k", "v"))
            tokens = op.add(tokens, self._linear(self._attention(q, k, v, bias), name + "out"))
            inner = op.gelu(self._linear(self._norm(tokens), name + "up"), "tanh")
            tokens = op.add(tokens, self._linear(inner, name + "down"))
        return self._norm(tokens), bias

    def _with_picture(self, bias: Any) -> Any:
        """The bias of patches (none) before that of the prompt's tokens, (B, 1, 1, N + T + 1)."""
        op = self._op
        batch = op.gather(op.shape_of(bias), self._i64(0), self._i64(0))
        whole = op.concat([batch, self._i64(1, 1, self._weights.denoiser.patches)], 0)
        return op.concat([op.broadcast(self._f32(0.0), whole), bias], 3)

    def _block(self, tokens: Any, context: Any, bias: Any, shared: Any, name: str) -> Any:
        op = self._op
        rows = self._rows(op.add(shared, self._constant(name + "modulation")), 6)
        scale, shift, gate, scale_2, shift_2, gate_2 = rows
        states = self._modulated(tokens, scale, shift)
        q = self._unit(self._heads(self._linear(states, name + "q")), name + "q_gain")
        k = op.concat([self._linear(states, name + "k"), self._linear(context, name + "text_k")], 1)
        v = op.concat([self._linear(states, name + "v"), self._linear(context, name + "text_v")], 1)
        mixed = self._attention(q, self._unit(self._heads(k), name + "k_gain"), self._heads(v), bias)
        tokens = op.add(tokens, op.multiply(gate, self._linear(mixed, name + "out")))
        inner = op.gelu(self._linear(self._modulated(tokens, scale_2, shift_2), name + "up"), "tanh")
        return op.add(tokens, op.multiply(gate_2, self._linear(inner, name + "down")))

    def _time(self, time: Any) -> Any:
        """Sines and cosines of the time, then two layers, (B, W)."""
        op = self._op
        waves = op.multiply(time, op.constant(time_frequencies()[None]))
        return self._linear(
            op.swish(self._linear(op.concat([op.cos(waves), op.sin(waves)], 1), "time.0")), "time.1"
        )

    def _rows(self, values: Any, number: int) -> list[Any]:
        """(B, number, W) as `number` arrays (B, 1, W)."""
        op = self._op
        return [
            op.slice(values, self._i64(row), self._i64(row + 1), self._i64(1), self._i64(1))
            for row in range(number)
        ]

    def _split(self, values: Any, number: int) -> list[Any]:
        return self._rows(
            self._op.reshape(values, self._i64(0, number, self._weights.denoiser.width), True), number
        )

    def _norm(self, tokens: Any) -> Any:
        return self._op.mvn(tokens, self._i64(2), True, EPSILON, "INSIDE_SQRT")

    def _modulated(self, tokens: Any, scale: Any, shift: Any) -> Any:
        op = self._op
        return op.add(op.multiply(self._norm(tokens), op.add(scale, self._f32(1.0))), shift)

    def _heads(self, flat: Any) -> Any:
        """(B, N, W) as (B, H, N, W / H)."""
        op, shape = self._op, self._weights.denoiser
        split = op.reshape(flat, self._i64(0, 0, shape.heads, shape.width // shape.heads), True)
        return op.transpose(split, self._i64(0, 2, 1, 3))

    def _unit(self, heads: Any, name: str) -> Any:
        """Root mean square 1 along a head, times a trained gain."""
        op = self._op
        mean = op.reduce_mean(op.multiply(heads, heads), self._i64(3), True)
        return op.multiply(op.divide(heads, op.sqrt(op.add(mean, self._f32(EPSILON)))), self._constant(name))

    def _attention(self, q: Any, k: Any, v: Any, bias: Any) -> Any:
        op, shape = self._op, self._weights.denoiser
        scaled = op.multiply(q, self._f32((shape.width // shape.heads) ** -0.5))
        scores = op.softmax(op.add(op.matmul(scaled, k, False, True), bias), -1)
        mixed = op.transpose(op.matmul(scores, v, False, False), self._i64(0, 2, 1, 3))
        return op.reshape(mixed, self._i64(0, 0, shape.width), True)


class _Upscaler(_Graph):
    """Convolutions at the small size, whose last channels are the pixels of the large one."""

    prefix = "upscaler."

    def model(self) -> Any:
        op, shape = self._op, self._weights.upscaler
        picture = op.parameter([-1, 3, -1, -1], np.float32, name="picture")
        states = op.relu(self._convolution(picture, "first"))
        for layer in range(shape.layers):
            inner = op.relu(self._convolution(states, f"layers.{layer}.0"))
            states = op.add(states, self._convolution(inner, f"layers.{layer}.1"))
        detail = op.depth_to_space(self._convolution(states, "last"), "depth_first", shape.factor)
        large = op.interpolate(
            picture,
            op.constant(np.array([shape.factor, shape.factor], np.float32)),
            "linear_onnx",
            "scales",
            coordinate_transformation_mode="half_pixel",
            axes=self._i64(2, 3),
        )
        return self._openvino.Model([op.result(op.add(large, detail))], [picture], "upscaler")

    def _convolution(self, states: Any, name: str) -> Any:
        """Edges are repeated outwards, so that a background has no frame."""
        op, kernel = self._op, self._array(name + ".weight")
        margin = kernel.shape[-1] // 2
        pads = self._i64(0, 0, margin, margin)
        padded = op.pad(states, pads, pads, "edge")
        product = op.convolution(padded, op.constant(kernel), [1, 1], [0, 0], [0, 0], [1, 1])
        return op.add(product, op.constant(self._array(name + ".bias").reshape(1, -1, 1, 1)))


def time_frequencies() -> FloatMatrix:
    """Frequencies of the time's sines, shape (TIME_UNITS / 2,): 1 to 1,000 radians over the whole path."""
    frequencies: FloatMatrix = np.geomspace(1.0, 1000.0, TIME_UNITS // 2).astype(np.float32)
    return frequencies
