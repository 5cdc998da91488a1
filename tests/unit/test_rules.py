"""Rules see operations however they are written: DeepLIFT's exactness on each of them.

Where an operation works value by value, DeepLIFT's answer is known: the output's own change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.decompositions import DECOMPOSITIONS
from nbxplain.core.errors import MethodError
from nbxplain.core.passes import Pass, Passes
from nbxplain.core.rules import RuleSet
from nbxplain.methods.propagation.secants import SECANTS
from tests.models import Function

Step = Callable[[Tensor], Tensor]


def normal(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def lifted(model: nn.Module | Step, x: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """DeepLIFT of a random combination of the outputs: map, true change, output's coefficients."""
    module = model if isinstance(model, nn.Module) else Function(model)
    rules = RuleSet(SECANTS, DECOMPOSITIONS, reference=lambda rows: reference[rows])
    with torch.no_grad():
        here, there = module(x.clone()), module(reference.clone())
    weights = normal(*here.shape[1:], seed=9)

    def score(output: Tensor, rows: Tensor) -> Tensor:
        return (output * weights).flatten(1).sum(1)

    adapter = ModelAdapter(module.double())
    result: Pass
    (result,) = Passes(adapter, chunk=len(x)).propagate(len(x), lambda rows: x[rows], score, rules)
    torch.testing.assert_close(result.scores, score(here, result.rows))
    assert result.reference is not None
    torch.testing.assert_close(result.reference, score(there, result.rows))
    return result.gradient * (x - reference), score(here - there, result.rows), weights


def assert_complete(model: nn.Module | Step, *shape: int, positive: bool = False) -> None:
    x, reference = normal(2, *shape), normal(2, *shape, seed=1)
    if positive:
        x, reference = x.abs() + 0.1, reference.abs() + 0.1
    values, change, _ = lifted(model, x, reference)
    assert float(change.abs().min()) > 1e-3
    torch.testing.assert_close(values.flatten(1).sum(1), change, rtol=1e-10, atol=1e-12)


# Value by value.

FUNCTIONS = [
    F.relu, F.relu6, F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish, F.hardswish,
    F.hardsigmoid, F.hardtanh, F.logsigmoid, F.softplus, F.softsign, F.tanhshrink, F.hardshrink,
    F.softshrink, F.sigmoid, F.tanh, F.rrelu,
    torch.relu, torch.sigmoid, torch.tanh, torch.exp, torch.exp2, torch.expm1, torch.sin,
    torch.cos, torch.tan, torch.sinh, torch.cosh, torch.asinh, torch.atan, torch.erf, torch.erfc,
    torch.abs, torch.square, torch.reciprocal, torch.sinc, torch.special.expit,
]  # fmt: skip
FORMS: dict[str, Step] = {
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "threshold": lambda x: F.threshold(x, 0.1, -2.0),
    "prelu": lambda x: F.prelu(x, x.new_tensor([0.3])),
    "leaky_relu slope": lambda x: F.leaky_relu(x, negative_slope=0.4),
    "clamp": lambda x: x.clamp(min=0.0),
    "clamp both": lambda x: torch.clamp(x, -0.3, 0.4),
    "clamp_min": lambda x: x.clamp_min(0.0),
    "clip": lambda x: x.clip(max=0.2),
    "keyword": lambda x: F.relu(input=x),
    "maximum": lambda x: torch.maximum(x, x.new_zeros(())),
    "power": lambda x: x**3,
    "pow": lambda x: torch.pow(x, 2),
    "float power": lambda x: torch.exp(x) ** 0.5,
    "power of": lambda x: 2.0**x,
    "inline swish": lambda x: x * torch.sigmoid(x),
    "inline softplus": lambda x: torch.log(1 + torch.exp(x)),
    "inline gelu": lambda x: 0.5 * x * (1 + torch.tanh(0.8 * (x + 0.04 * x**3))),
    "inline abs": lambda x: abs(x),
    "over": lambda x: 1 / (2 + x.abs()),
    "square of itself": lambda x: x * x,
    "sqrt": lambda x: (x.square() + 1).sqrt(),
    "rsqrt": lambda x: torch.rsqrt(x.square() + 1),
    "log1p": lambda x: torch.log1p(x.square()),
    "method": lambda x: x.sigmoid() + x.relu() + x.tanh(),
    "in place": lambda x: x.mul_(2.0).add_(1.0).relu_().sigmoid_(),
    "in place operators": lambda x: _operators(x),
    "in place functions": lambda x: F.elu_(F.leaky_relu_(F.relu(x - 1, inplace=True) - 0.2)),
    "in place silu": lambda x: F.silu(F.hardswish(x, inplace=True), True),
    "in place on a part": lambda x: _part(x),
    "out": lambda x: torch.Tensor.relu(x),
}
MODULES = [
    nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.ReLU6(inplace=True), nn.LeakyReLU(0.2),
    nn.LeakyReLU(0.2, inplace=True), nn.ELU(inplace=True), nn.SELU(inplace=True),
    nn.CELU(inplace=True), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.SiLU(inplace=True),
    nn.Mish(inplace=True), nn.Hardswish(), nn.Hardswish(inplace=True), nn.Hardsigmoid(),
    nn.Hardtanh(inplace=True), nn.Sigmoid(), nn.LogSigmoid(), nn.Tanh(), nn.Softplus(2.0),
    nn.Softsign(), nn.Tanhshrink(), nn.Hardshrink(), nn.Softshrink(), nn.PReLU(), nn.RReLU(),
    nn.Threshold(0.1, -1.0), nn.Threshold(0.1, -1.0, inplace=True),
]  # fmt: skip


def _operators(x: Tensor) -> Tensor:
    x *= 3
    x += 1
    x -= 0.5
    x /= 2
    x **= 2
    return x


def _part(x: Tensor) -> Tensor:
    y = x * 2
    y[..., :2].relu_()
    return y.sigmoid()


@pytest.mark.parametrize(
    "function",
    [*FUNCTIONS, *FORMS.values(), *MODULES],
    ids=[*(f"{f.__module__}.{f.__name__}" for f in FUNCTIONS), *FORMS, *map(str, MODULES)],
)
def test_each_value_gets_the_change_of_its_output(function: Any) -> None:
    x, reference = normal(2, 3, 5), normal(2, 3, 5, seed=1)
    # Where the points coincide the line is the tangent, and the change is zero.
    reference[:, 1, 1] = x[:, 1, 1]
    with torch.no_grad():
        model = function.double().eval() if isinstance(function, nn.Module) else function
        change = model(x.clone()) - model(reference.clone())
    values, _, weights = lifted(model, x, reference)
    torch.testing.assert_close(values, change * weights, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "function",
    [torch.log, torch.log2, torch.log10, torch.sqrt, torch.rsqrt, torch.acosh, torch.lgamma],
)
def test_functions_of_positive_numbers(function: Step) -> None:
    x, reference = normal(2, 8).abs() + 1.1, normal(2, 8, seed=1).abs() + 1.1
    values, _, weights = lifted(function, x, reference)
    torch.testing.assert_close(values, (function(x) - function(reference)) * weights)


def test_a_relu_however_it_is_written_has_one_map() -> None:
    first, last = normal(7, 6, seed=3), normal(4, 7, seed=4)
    x, reference = normal(2, 6), normal(2, 6, seed=1)
    module = nn.ReLU(inplace=True)
    forms: list[Step] = [
        F.relu, torch.relu, Tensor.relu, Tensor.relu_, module, lambda h: h.clamp(min=0),
        lambda h: F.threshold(h, 0.0, 0.0), lambda h: torch.maximum(h, torch.zeros_like(h)),
        lambda h: F.leaky_relu(h, 0.0), lambda h: F.hardtanh(h, 0, 99),
        # A sum of two secants is the secant of the sum.
        lambda h: (h + h.abs()) / 2,
    ]  # fmt: skip

    def network(form: Step) -> Step:
        return lambda x: form(F.linear(form(F.linear(x, first)), last))

    expected, _, _ = lifted(network(F.relu), x, reference)
    assert bool(expected.any())
    for form in forms:
        torch.testing.assert_close(lifted(network(form), x, reference)[0], expected)


# Products and sums.


def test_a_product_is_split_evenly() -> None:
    """ab - a'b' = (a - a')(b + b')/2 + (b - b')(a + a')/2."""
    x, reference = normal(2, 6), normal(2, 6, seed=1)
    a, b, c, d = *x.chunk(2, 1), *reference.chunk(2, 1)
    values, _, weights = lifted(lambda x: x[:, :3] * x[:, 3:], x, reference)
    expected = torch.cat([(a - c) * (b + d) / 2, (b - d) * (a + c) / 2], 1)
    torch.testing.assert_close(values, expected * weights.repeat(2))


BILINEAR: dict[str, Step] = {
    "mul": lambda x: x[:, 0] * x[:, 1],
    "torch.mul": lambda x: torch.mul(x[:, 0], other=x[:, 1]),
    "mul_": lambda x: x[:, 0].clone().mul_(x[:, 1]),
    "matmul": lambda x: x[:, 0] @ x[:, 1],
    "bmm": lambda x: torch.bmm(x[:, 0], x[:, 1]),
    "mm": lambda x: torch.stack([torch.mm(y[0], y[1]) for y in x]),
    "mv": lambda x: torch.stack([torch.mv(y[0], y[1, 0]) for y in x]),
    "dot": lambda x: torch.stack([torch.dot(y[0, 0], y[1, 0]) for y in x]).unsqueeze(1),
    "einsum": lambda x: torch.einsum("bij,bkj->bik", x[:, 0], x[:, 1]),
    "div": lambda x: x[:, 0] / x[:, 1].exp(),
    "div_": lambda x: x[:, 0].clone().div_(2 + x[:, 1].square()),
    "baddbmm": lambda x: torch.baddbmm(x[:, 2], x[:, 0], x[:, 1], beta=2, alpha=0.5),
    "addcmul": lambda x: torch.addcmul(x[:, 2], x[:, 0], x[:, 1], value=3),
    "lerp": lambda x: torch.lerp(x[:, 0], x[:, 1], x[:, 2]),
    "linear with made weights": lambda x: torch.cat(
        [F.linear(y[None, 0], y[1], y.new_ones(4)) for y in x]
    ),
    "conv with made weights": lambda x: torch.cat(
        [F.conv2d(y[None], y[None, :, :2, :2]) for y in x]
    ),
    "maximum": lambda x: torch.maximum(x[:, 0], x[:, 1]),
    "minimum": lambda x: torch.minimum(x[:, 0], x[:, 1]),
    "torch.max": lambda x: torch.max(x[:, 0], x[:, 1]),
    "torch.min": lambda x: torch.min(x[:, 0], x[:, 1]),
    "outer": lambda x: x[:, 0, 0].unsqueeze(2) * x[:, 1, 0].unsqueeze(1),
}


@pytest.mark.parametrize("name", BILINEAR)
def test_operations_of_two_data_dependent_tensors(name: str) -> None:
    assert_complete(BILINEAR[name], 3, 4, 4)


WEIGHTS = normal(4, 4, seed=5)
LINEAR: dict[str, Step] = {
    "add": lambda x: x[:, 0] + x[:, 1],
    "add alpha": lambda x: torch.add(x[:, 0], x[:, 1], alpha=3),
    "sub": lambda x: x[:, 0] - x[:, 1],
    "rsub": lambda x: 1 - x,
    "torch.rsub": lambda x: torch.rsub(x[:, 0], x[:, 1]),
    "number": lambda x: 3 * x / 2 + 1,
    "matmul": lambda x: x @ WEIGHTS,
    "matmul left": lambda x: WEIGHTS @ x,
    "einsum": lambda x: torch.einsum("ij,bcjk->bcik", WEIGHTS, x),
    "addmm": lambda x: torch.addmm(WEIGHTS[0], x.flatten(0, 2), WEIGHTS).view_as(x),
    "linear": lambda x: F.linear(x, WEIGHTS, WEIGHTS[0]),
    "linear keywords": lambda x: F.linear(x, weight=WEIGHTS, bias=WEIGHTS[0]),
    "conv1d": lambda x: F.conv1d(x[:, 0], WEIGHTS[:, :, None], padding=1),
    "conv2d": lambda x: F.conv2d(x, normal(5, 3, 3, 3), normal(5), padding=1),
    "grouped": lambda x: F.conv2d(x, normal(6, 1, 2, 2), groups=3, dilation=2),
    "conv3d": lambda x: F.conv3d(x[:, None], normal(2, 1, 2, 2, 2), stride=2),
    "transposed": lambda x: F.conv_transpose2d(x, normal(3, 2, 3, 3), normal(2), stride=2),
    "transposed1d": lambda x: F.conv_transpose1d(x[:, 0], normal(4, 2, 3)),
    "transposed3d": lambda x: F.conv_transpose3d(x[:, None], normal(1, 2, 2, 2, 2)),
    "avg_pool": lambda x: F.avg_pool2d(x, 3, 1, 1),
    "adaptive avg": lambda x: F.adaptive_avg_pool2d(x, 3),
    "cat": lambda x: torch.cat([x, x.mean(1, keepdim=True)], 1),
    "stack": lambda x: torch.stack([x.sum((2, 3)), x[:, :, 0, 0]], 1),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "nearest": lambda x: F.interpolate(x, size=7, mode="nearest"),
    "bicubic": lambda x: F.interpolate(x, size=6, mode="bicubic", align_corners=True),
    "pad": lambda x: F.pad(x, (1, 2), value=5.0),
    "reflect": lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
    "unfold": lambda x: F.unfold(x, 2),
    "fold": lambda x: F.fold(F.unfold(x, 2), 4, 2),
    "moved": lambda x: x.permute(0, 2, 3, 1).flatten(1).unflatten(1, (6, 8)).roll(1, 1).flip(2),
    "written": lambda x: _written(x),
    "dropout": lambda x: F.dropout(x, 0.5, training=False),
    "identity": nn.Identity(),
    "batch_norm": lambda x: F.batch_norm(x, normal(3), normal(3).abs(), normal(3), normal(3)),
    "fft": lambda x: torch.fft.rfft(x).real,
    "cumsum": lambda x: x.cumsum(1),
    "gather": lambda x: x.gather(2, torch.zeros(len(x), 3, 2, 4, dtype=torch.long)),
    "index_select": lambda x: x.index_select(1, torch.tensor([2, 0])),
    "kron": lambda x: torch.kron(x, x.new_tensor([[1.0, 2.0]])),
    "trace": lambda x: torch.einsum("bcii->bc", x),
}


def _written(x: Tensor) -> Tensor:
    result = x.new_zeros(len(x), 3, 5, 5)
    result[:, :, 1:] = F.pad(x, (0, 1))
    result[:, 0, 0, 0] = 4.0
    return result


@pytest.mark.parametrize("name", LINEAR)
def test_linear_operations_keep_their_derivative(name: str) -> None:
    x, reference = normal(2, 3, 4, 4), normal(2, 3, 4, 4, seed=1)
    values, change, weights = lifted(LINEAR[name], x, reference)
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((LINEAR[name](leaf) * weights).sum(), leaf)
    torch.testing.assert_close(values, gradient * (x - reference))
    torch.testing.assert_close(values.flatten(1).sum(1), change)


# Pooling, normalisation, attention.

POOLS: dict[str, Step] = {
    "max_pool1d": lambda x: F.max_pool1d(x[:, 0], 2),
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "overlapping": lambda x: F.max_pool2d(x, 3, stride=1, padding=1),
    "uneven": lambda x: F.max_pool2d(x, (3, 2), stride=(2, 1), padding=(1, 0), ceil_mode=True),
    "dilated": lambda x: F.max_pool2d(x, 2, dilation=2, stride=1),
    "keywords": lambda x: F.max_pool2d(input=x, kernel_size=2, stride=1),
    "method": lambda x: torch.max_pool2d(x, 2),
    "indices": lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
    "module": nn.MaxPool2d(2, 1),
    "module with indices": lambda x: nn.MaxPool2d(2, return_indices=True)(x)[0],
    "max_pool3d": lambda x: F.max_pool3d(x[:, None], 2, stride=1),
    "adaptive1d": lambda x: F.adaptive_max_pool1d(x[:, 0], 3),
    "adaptive2d": lambda x: F.adaptive_max_pool2d(x, (3, 2)),
    "adaptive3d": lambda x: F.adaptive_max_pool3d(x[:, None], 2),
    "amax": lambda x: x.amax((2, 3)),
    "amax keepdim": lambda x: torch.amax(x, 1, keepdim=True),
    "amin": lambda x: x.amin(-1),
    "max dim": lambda x: x.max(2)[0],
    "max keywords": lambda x: x.max(dim=1, keepdim=True).values,
    "min dim": lambda x: x.min(2)[0],
}
NORMS: dict[str, Step] = {
    "layer_norm": lambda x: F.layer_norm(x, (4, 4), normal(4, 4), normal(4, 4)),
    "group_norm": lambda x: F.group_norm(x.repeat(1, 2, 1, 1), 2, normal(6), normal(6)),
    "instance_norm": lambda x: F.instance_norm(x, weight=normal(3), bias=normal(3)),
    "tracked": lambda x: F.instance_norm(x, normal(3), normal(3).abs(), use_input_stats=False),
    "rms_norm": lambda x: F.rms_norm(x, (4,), normal(4)),
    "normalize": lambda x: F.normalize(x, dim=1),
    "norm": lambda x: x / x.norm(dim=1, keepdim=True),
    "vector_norm": lambda x: torch.linalg.vector_norm(x, dim=(1, 2)),
    "linalg.norm": lambda x: torch.linalg.norm(x.flatten(1), dim=1, keepdim=True),
    "one norm": lambda x: x.norm(1, dim=1),
    "three norm": lambda x: x.norm(3, dim=1),
    "std": lambda x: (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True),
    "var": lambda x: torch.var(x, dim=(2, 3), unbiased=False),
    "var_mean": lambda x: torch.var_mean(x, 1)[0],
    "local response": lambda x: F.local_response_norm(x, 2, alpha=0.5),
    "cosine": lambda x: F.cosine_similarity(x[:, 0], x[:, 1], dim=-1),
}
SOFT: dict[str, Step] = {
    "softmax": lambda x: F.softmax(x, 1),
    "method": lambda x: x.softmax(dim=-1),
    "module": nn.Softmax(dim=2),
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "log module": nn.LogSoftmax(dim=-1),
    "logsumexp": lambda x: x.logsumexp(1),
    "logsumexp keepdim": lambda x: torch.logsumexp(x, -1, keepdim=True),
    "logsumexp two": lambda x: torch.logsumexp(x, (2, 3)),
    "softmin": lambda x: F.softmin(x, 1),
    "glu": lambda x: F.glu(x, -1),
    "by hand": lambda x: x.exp() / x.exp().sum(1, keepdim=True),
    "no dimension": lambda x: F.softmax(x, None, _stacklevel=3),
    "masked": lambda x: x.masked_fill(torch.eye(4, dtype=torch.bool), -torch.inf).softmax(-1),
    "far apart": lambda x: F.softmax(300 * x, 1),
}


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
@pytest.mark.parametrize(
    "step",
    [*POOLS.values(), *NORMS.values(), *SOFT.values()],
    ids=[*POOLS, *NORMS, *SOFT],
)
def test_pooling_normalisation_and_softmax_are_complete(step: Any) -> None:
    assert_complete(step, 3, 4, 4)


def test_a_pool_puts_the_change_where_a_maximum_was() -> None:
    """methods.md: the batch case of max pooling."""
    x = torch.ones(2, 1, 4, dtype=torch.float64)
    reference = x.new_tensor([[[1, 2, 3, 9]], [[4, 8, 6, 7]]])
    values, _, weights = lifted(lambda x: F.max_pool1d(x, 4), x, reference)
    expected = x.new_tensor([[[0, 0, 0, -8]], [[0, -7, 0, 0]]])
    torch.testing.assert_close(values, expected * weights)


# What no rule covers.


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("cumprod", lambda x: x.cumprod(1)),
        ("abs", lambda x: torch.fft.fft2(x).abs()),
        ("sort", lambda x: x.sort(1)[0]),
        ("topk", lambda x: x.topk(2, 1)[0]),
        ("prod", lambda x: x.prod(1)),
        ("i0e", lambda x: torch.special.i0e(x)),
        ("hypot", lambda x: torch.hypot(x[:, 0], x[:, 1])),
        ("atan2", lambda x: torch.atan2(x[:, 0], x[:, 1])),
        ("median", lambda x: x.median(1)[0]),
        ("cdist", lambda x: torch.cdist(x[:, 0], x[:, 1])),
        ("linalg_inv", lambda x: torch.linalg.inv(x)),
    ],
)
def test_an_operation_without_a_rule_is_refused_by_name(name: str, step: Step) -> None:
    with pytest.raises(MethodError, match=name):
        lifted(step, normal(2, 3, 4, 4), normal(2, 3, 4, 4, seed=1))


def test_an_unknown_operation_that_is_linear_here_passes() -> None:
    ordered = torch.arange(12.0, dtype=torch.float64).expand(2, 12)
    x, reference = ordered + 0.1 * normal(2, 12), ordered + 0.1 * normal(2, 12, seed=1)
    x = x - 0.0
    for step in (lambda x: x.diff(), lambda x: x.take_along_dim(torch.tensor([[3]]), 1)):
        values, change, _ = lifted(step, x, reference)
        torch.testing.assert_close(values.sum(1), change)
    # Both are in the same order, so sorting moves nothing between them.
    apart = ordered.cumsum(1) + 0.01 * normal(2, 12), ordered.cumsum(1)
    values, change, _ = lifted(lambda x: x.sort(1)[0], *apart)
    torch.testing.assert_close(values.sum(1), change)
