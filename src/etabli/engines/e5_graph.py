"""multilingual-e5-small (a 12-layer BERT encoder) as an OpenVINO graph, built by hand from the model file.

Takes word rows, not token ids: the 250,037-row table stays outside (see `e5_weights`). Shapes are dynamic and known
shapes are not recompiled. Sources: Devlin et al. 2019 (arXiv 1810.04805), Wang et al. 2024 (arXiv 2402.05672).
"""

import sys
from collections.abc import Collection
from importlib import resources
from types import ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from etabli.engines.base import FloatMatrix
from etabli.engines.e5_weights import WeightsFile

# Far below any score in bf16 too, yet finite: a row of -inf would make a softmax of NaN.
_MASKED = -10_000.0
# Smaller groups are closer to f32, larger ones no faster.
_INT8_GROUP = 64
# States of the last layer but one tell passages apart better than the last one's, which lean to the mean.
_STATES_AFTER_LAYER = 10
STATE_COMPONENTS = 192
_REPORTING_MODULES = ("openvino_telemetry", "openvino.tools.ovc")


def import_openvino() -> ModuleType:
    """Import OpenVINO without what reports its use to Google Analytics.

    `import openvino` imports its model converter, whose import sends an event through `openvino_telemetry`
    unless the person opted out. Neither is needed to run a graph. Everything in this product that needs
    OpenVINO gets it here, and first.

    Raises:
        ImportError: OpenVINO is not installed or does not run on this machine.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    for name in _REPORTING_MODULES:
        modules.setdefault(name, None)
    import openvino
    import openvino.opset13

    return cast(ModuleType, openvino)


def load_projection() -> FloatMatrix:
    """From token states to the components kept for late interaction, shape (384, 192)."""
    with (resources.files("etabli.engines") / "e5_projection.npy").open("rb") as file:
        projection: FloatMatrix = np.load(file, allow_pickle=False).astype(np.float32)
    return projection


def prefers_int8(cpu_flags: Collection[str]) -> bool:
    """Whether layers are faster in int8 than in what the plug-in would choose, by the processor's flags.

    Yes with VNNI instructions and no AMX. Measured on Zen 4, one thread: 1.3 times bf16 and 2.3 times f32, at
    cosines of 0.9996 and more (`benchmarks/embedding.py`); AMX does bf16 faster still.
    """
    return "amx_bf16" not in cpu_flags and not {"avx512_vnni", "avx_vnni"}.isdisjoint(cpu_flags)


def compile_graph(
    weights: WeightsFile, *, threads: int, int8: bool, projection: FloatMatrix | None = None
) -> Any:
    """Build and compile the graph (about 0.5 s).

    What is not int8 is bf16 where the processor computes in it (AMX, AVX512_BF16), else f32: the plug-in's choice.

    Args:
        weights: the model file.
        threads: CPU threads of one inference.
        int8: layers multiply in int8, weights by one scale a row, activations by one scale every 64 units.
        projection: of token states, shape (384, components); the shipped one (192 components) if None.

    Returns:
        An `openvino.CompiledModel`. Inputs: word rows (B, T, 384) f32, mask (B, T) f32 of ones and zeros.
        Outputs: vectors (B, 384) f32 of L2 norm 1, projected token states (B, T, 192) f32 (`_Encoder._tokens`).
    """
    openvino = import_openvino()
    options = {
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        # A pinned thread waits for its core while the engine or a document's embedding has it, and another is free.
        "ENABLE_CPU_PINNING": False,
    }
    if int8:
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _INT8_GROUP
    return openvino.Core().compile_model(
        _Encoder(openvino, weights, int8=int8, projection=projection).model(), "CPU", options
    )


class _Encoder:
    """Writes the graph. B texts, T tokens, H = 384 units, N = 12 heads of D = 32 units."""

    def __init__(
        self, openvino: ModuleType, weights: WeightsFile, *, int8: bool, projection: FloatMatrix | None
    ) -> None:
        self._int8 = int8
        self._projection = load_projection() if projection is None else projection
        self._openvino = openvino
        self._op = openvino.opset13
        self._weights = weights
        self._shape = weights.shape

    def model(self) -> Any:
        op, shape = self._op, self._shape
        words = op.parameter([-1, -1, shape.hidden], np.float32, name="words")
        mask = op.parameter([-1, -1], np.float32, name="mask")
        states = self._norm(op.add(words, self._positions(words)), "emb.ln")
        hidden_keys = op.multiply(op.subtract(mask, self._f32(1.0)), self._f32(-_MASKED))
        bias = op.unsqueeze(hidden_keys, self._i64(1, 2))  # (B, 1, 1, T)
        tokens = None
        for layer in range(shape.layers):
            states = self._layer(states, bias, f"l{layer}.")
            if layer == _STATES_AFTER_LAYER:
                tokens = self._tokens(states)
        outputs = [op.result(self._mean(states, mask)), op.result(tokens)]
        return self._openvino.Model(outputs, [words, mask], "multilingual-e5-small")

    def _tokens(self, states: Any) -> Any:
        """States for late interaction, (B, T, 192): unit length, projected on their main directions.

        The projection is in `e5_projection.npy`; `benchmarks/token_projection.py` makes it.
        """
        op = self._op
        unit = op.normalize_l2(states, self._i64(2), 1e-12, "max")
        return op.matmul(unit, op.constant(self._projection), False, False)

    def _layer(self, states: Any, bias: Any, prefix: str) -> Any:
        """Attention and feed-forward, each added to its input and then normalised."""
        op, hidden, inner = self._op, self._shape.hidden, self._shape.feed_forward
        attended = self._linear(self._attention(states, bias, prefix), prefix + "ao", hidden, hidden)
        states = self._norm(op.add(states, attended), prefix + "aln")
        expanded = op.gelu(self._linear(states, prefix + "fi", inner, hidden), "erf")
        contracted = self._linear(expanded, prefix + "fo", hidden, inner)
        return self._norm(op.add(states, contracted), prefix + "oln")

    def _attention(self, states: Any, bias: Any, prefix: str) -> Any:
        """Softmax(q k' / sqrt(D) + bias) v over N heads, (B, T, H)."""
        op, hidden, heads = self._op, self._shape.hidden, self._shape.heads
        width = hidden // heads

        def split(name: str) -> Any:
            flat = self._linear(states, prefix + name, hidden, hidden)
            return op.transpose(op.reshape(flat, self._i64(0, 0, heads, width), True), self._i64(0, 2, 1, 3))

        q, k, v = split("q"), split("k"), split("v")  # (B, N, T, D)
        scores = op.matmul(op.multiply(q, self._f32(width**-0.5)), k, False, True)
        mixed = op.matmul(op.softmax(op.add(scores, bias), -1), v, False, False)
        return op.reshape(op.transpose(mixed, self._i64(0, 2, 1, 3)), self._i64(0, 0, hidden), True)

    def _linear(self, states: Any, name: str, out: int, inner: int) -> Any:
        weight = self._weights.tensor(name + ".w", out, inner)
        constant = self._int8_constant(weight) if self._int8 else self._op.constant(weight)
        product = self._op.matmul(states, constant, False, True)
        return self._op.add(product, self._op.constant(self._weights.tensor(name + ".b", 1, 1, out)))

    def _int8_constant(self, weight: npt.NDArray[np.float32]) -> Any:
        """A weight as int8 times one scale a row, the pattern that the plug-in multiplies in int8."""
        op = self._op
        scales = np.abs(weight).max(axis=1, keepdims=True) / 127
        steps = op.constant(np.rint(weight / scales).astype(np.int8))
        return op.multiply(op.convert(steps, "f32"), op.constant(scales))

    def _norm(self, states: Any, name: str) -> Any:
        """Layer normalisation over H."""
        op, hidden = self._op, self._shape.hidden
        centred = op.mvn(states, self._i64(2), True, self._shape.epsilon, "INSIDE_SQRT")
        scaled = op.multiply(centred, op.constant(self._weights.tensor(name + ".w", 1, 1, hidden)))
        return op.add(scaled, op.constant(self._weights.tensor(name + ".b", 1, 1, hidden)))

    def _positions(self, words: Any) -> Any:
        """Rows 0 to T - 1 of the position table plus row 0 of the type table, (T, H)."""
        op, shape = self._op, self._shape
        types = self._weights.tensor("emb.type", shape.types, shape.hidden)
        table = self._weights.tensor("emb.pos", shape.positions, shape.hidden) + types[0]
        length = op.gather(op.shape_of(words), self._i64(1), self._i64(0))
        return op.slice(op.constant(table), self._i64(0), length, self._i64(1), self._i64(0))

    def _mean(self, states: Any, mask: Any) -> Any:
        """Mean of the states that the mask keeps, divided by its L2 norm, (B, H)."""
        op = self._op
        kept = op.unsqueeze(mask, self._i64(2))
        total = op.reduce_sum(op.multiply(states, kept), self._i64(1), False)
        mean = op.divide(total, op.reduce_sum(kept, self._i64(1), False))
        return op.normalize_l2(mean, self._i64(1), 1e-12, "max")

    def _i64(self, *values: int) -> Any:
        return self._op.constant(np.array(values, np.int64))

    def _f32(self, value: float) -> Any:
        scalar: npt.NDArray[np.float32] = np.array(value, np.float32)
        return self._op.constant(scalar)
