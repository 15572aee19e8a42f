import pytest

from training.tiny_jobs import REASON

torch = pytest.importorskip("torch", reason=REASON)

from etabli.training.torch.attention import rotate  # noqa: E402
from etabli.training.torch.head import label_log_probabilities  # noqa: E402
from etabli.training.torch.linear import gated_mlp, linear  # noqa: E402


def tensor(*shape: int, seed: int, grad: bool = False) -> "torch.Tensor":
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.5
    return drawn.requires_grad_(grad)


def factors(sizes: list[tuple[int, int]], rank: int = 3) -> list[tuple["torch.Tensor", "torch.Tensor"]]:
    return [
        (tensor(rank, columns, seed=40 + place, grad=True), tensor(rows, rank, seed=60 + place, grad=True))
        for place, (rows, columns) in enumerate(sizes)
    ]


def low_rank(x: "torch.Tensor", pair: tuple["torch.Tensor", "torch.Tensor"], scale: float) -> "torch.Tensor":
    return scale * (x @ pair[0].T @ pair[1].T)


def gradients(loss: "torch.Tensor", leaves: list["torch.Tensor"]) -> list["torch.Tensor"]:
    return list(torch.autograd.grad(loss, leaves))


def assert_same(found: list["torch.Tensor"], expected: list["torch.Tensor"]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_linear_layers_side_by_side_as_written_by_autograd() -> None:
    x, weight, bias = tensor(5, 6, seed=1, grad=True), tensor(9, 6, seed=2), tensor(9, seed=3)
    pairs = factors([(4, 6), (5, 6)])
    leaves = [x, *[one for pair in pairs for one in pair]]
    direction = tensor(5, 9, seed=4)
    plain = x @ weight.T + bias + torch.cat([low_rank(x, pair, 0.7) for pair in pairs], dim=1)
    found = linear(x, weight, bias, pairs, 0.7)
    torch.testing.assert_close(found, plain)
    assert_same(gradients((found * direction).sum(), leaves), gradients((plain * direction).sum(), leaves))


@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_gated_mlp_as_written_by_autograd(activation: str) -> None:
    x, gate_up, down = tensor(5, 6, seed=1, grad=True), tensor(16, 6, seed=2), tensor(6, 8, seed=3)
    pairs = factors([(8, 6), (8, 6), (6, 8)])
    leaves = [x, *[one for pair in pairs for one in pair]]
    function = torch.nn.functional
    gate = x @ gate_up[:8].T + low_rank(x, pairs[0], 0.5)
    up = x @ gate_up[8:].T + low_rank(x, pairs[1], 0.5)
    inner = (function.silu(gate) if activation == "silu" else function.gelu(gate, approximate="tanh")) * up
    plain = inner @ down.T + low_rank(inner, pairs[2], 0.5)
    found = gated_mlp(x, gate_up, down, pairs, 0.5, activation)
    torch.testing.assert_close(found, plain)
    direction = tensor(5, 6, seed=4)
    assert_same(gradients((found * direction).sum(), leaves), gradients((plain * direction).sum(), leaves))


def test_the_first_block_wants_no_gradient_of_its_input() -> None:
    pairs = factors([(4, 6)])
    linear(tensor(5, 6, seed=1), tensor(4, 6, seed=2), None, pairs, 1.0).sum().backward()
    assert pairs[0][1].grad is not None


@pytest.mark.parametrize("kind", ["halves", "pairs"])
def test_turning_keeps_lengths_and_its_gradient_turns_back(kind: str) -> None:
    x = tensor(4, 2, 10, seed=1, grad=True)
    angles = tensor(4, 4, seed=2)
    found = rotate(x, angles.cos(), angles.sin(), kind)
    torch.testing.assert_close(found.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(found[..., 8:], x[..., 8:])
    direction = tensor(4, 2, 10, seed=3)
    (gradient,) = gradients((found * direction).sum(), [x])
    torch.testing.assert_close(gradient, rotate(direction, angles.cos(), -angles.sin(), kind))


def test_label_log_probabilities_and_their_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etabli.training.torch.head.CHUNK", 3)
    hidden, head = tensor(8, 6, seed=1, grad=True), tensor(20, 6, seed=2)
    targets = torch.arange(8)
    plain = torch.log_softmax(hidden @ head.T, dim=1)
    found, right = label_log_probabilities(hidden, head, targets)
    torch.testing.assert_close(found, plain[torch.arange(8), targets])
    assert right.tolist() == (plain.argmax(dim=1) == targets).tolist()
    direction = tensor(8, seed=3)
    expected = gradients((plain[torch.arange(8), targets] * direction).sum(), [hidden])
    assert_same(gradients((found * direction).sum(), [hidden]), expected)
