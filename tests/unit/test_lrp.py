"""LRP: every rule against a slow loop written from the formula; cases by hand; conservation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import Attribution, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.decompositions import DECOMPOSITIONS
from nbxplain.core.passes import Passes
from nbxplain.core.rules import RuleSet
from nbxplain.methods.propagation.conservation import (
    Composite,
    Strengths,
    WeightRule,
    conserving_rules,
)
from nbxplain.methods.propagation.lrp import COMPOSITES
from nbxplain.methods.propagation.shares import BIAS, STABILISER
from tests.architectures import architecture, drawn, pictures
from tests.models import Function, three_layers
from tests.unit.test_decompositions import Attend, First, weighted
from tests.unit.test_rules import normal

EPSILON, GAMMA, ALPHA = 1e-3, 0.4, 3.0
LOW, HIGH = -2.0, 1.5


def relevance(
    model: nn.Module, x: Tensor, rule: WeightRule, *, first: bool = False, biases: bool = True
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Relevance, scores (a random combination of outputs) and what was absorbed, in float64."""
    box = torch.full_like(x[:1], LOW), torch.full_like(x[:1], HIGH)
    composite = Composite(*("epsilon", "epsilon", rule) if first else (rule, rule))
    rules = RuleSet(
        conserving_rules(composite, Strengths(EPSILON, GAMMA, ALPHA, biases, box)),
        DECOMPOSITIONS,
        unit=True,
        sinks=(BIAS, STABILISER),
    )

    def score(output: Tensor, rows: Tensor) -> Tensor:
        return (output * normal(*output.shape[1:], seed=9)).flatten(1).sum(1)

    passes = Passes(ModelAdapter(model.double()), chunk=len(x))
    (result,) = passes.propagate(len(x), lambda rows: x[rows], score, rules)
    return result.gradient, result.scores, result.sinks


# The rules, as loops over one linear map z_j = sum_i x_i w_ij + b_j.


def stable(z: float) -> float:
    return z + (EPSILON if z >= 0 else -EPSILON)


def above(v: float) -> float:
    return max(v, 0.0)


def below(v: float) -> float:
    return min(v, 0.0)


Share = Callable[[float, float], float]


def contributions(rule: str, z: float) -> list[tuple[float, Share, Callable[[float], float]]]:
    """For a rule: weight, contribution of (x, w), and of a bias."""

    def gamma(x: float, w: float, sign: int) -> float:
        favoured = above(w) if sign * x >= 0 else below(w)
        return x * (w + GAMMA * favoured)

    plain = (1.0, lambda x, w: x * w, lambda b: b)
    plus = (1.0, lambda x, w: above(x * w), above)
    minus = (1.0, lambda x, w: below(x * w), below)
    sign = 1 if z > 0 else -1
    cases = {
        "epsilon": [plain],
        "z_plus": [plus],
        "alpha_beta": [(ALPHA, *plus[1:]), (1 - ALPHA, *minus[1:])],
        "gamma": [
            (
                1.0,
                lambda x, w: gamma(x, w, sign),
                lambda b: b + GAMMA * (above(b) if sign > 0 else below(b)),
            )
        ],
        "flat": [(1.0, lambda x, w: 1.0, lambda b: 0.0)],
        "w_squared": [(1.0, lambda x, w: w * w, lambda b: 0.0)],
        "z_box": [
            (1.0, lambda x, w: x * w - LOW * above(w) - HIGH * below(w), lambda b: 0.0),
        ],
    }
    return cases[rule]  # type: ignore[return-value]


def looped(
    rule: str, x: Tensor, weight: Tensor, bias: Tensor, r: Tensor, mask: Tensor, biases: bool
) -> Tensor:
    """Relevance (I,) of inputs (I,) for outputs' relevance (J,); weight (J, I), mask (J, I)."""
    result = torch.zeros_like(x)
    for j in range(len(r)):
        inputs = [i for i in range(len(x)) if mask[j, i]]
        z = float(bias[j]) + sum(float(x[i] * weight[j, i]) for i in inputs)
        for factor, share, bias_share in contributions(rule, z):
            parts = {i: share(float(x[i]), float(weight[j, i])) for i in inputs}
            total = sum(parts.values()) + (bias_share(float(bias[j])) if biases else 0.0)
            for i, part in parts.items():
                result[i] += factor * part / stable(total) * float(r[j])
    return result


def as_matrix(layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (J, I), biases (J,) and which of the weights are there, for one input (1, ...)."""
    zero = torch.zeros_like(x, requires_grad=True)
    output = layer(zero).flatten()
    bias = output.detach()
    rows = [torch.autograd.grad(o, zero, retain_graph=True)[0].flatten() for o in output]
    weight = torch.stack(rows)
    return weight, bias, weight != 0


LAYERS: dict[str, Callable[[bool], nn.Module]] = {
    "linear": lambda bias: nn.Linear(5, 4, bias=bias),
    "conv1d": lambda bias: nn.Conv1d(2, 3, 3, padding=1, bias=bias),
    "conv2d": lambda bias: nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=bias),
    "conv3d": lambda bias: nn.Conv3d(1, 2, 2, bias=bias),
    "transposed": lambda bias: nn.ConvTranspose2d(2, 2, 2, stride=2, bias=bias),
}
SHAPES = {
    "linear": (5,),
    "conv1d": (2, 4),
    "conv2d": (2, 4, 4),
    "conv3d": (1, 2, 3, 3),
    "transposed": (2, 2, 2),
}
RULES: list[WeightRule] = [
    "epsilon", "gamma", "z_plus", "alpha_beta", "flat", "w_squared", "z_box",
]  # fmt: skip
AT_INPUT = ("flat", "w_squared", "z_box")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bias", [True, False])
def test_each_rule_against_its_loop(rule: WeightRule, kind: str, bias: bool) -> None:
    if rule == "z_box" and len(SHAPES[kind]) != 3:
        return  # boxes are for pictures
    layer = drawn(LAYERS[kind](bias)).double()
    x = normal(2, *SHAPES[kind])
    for biases in (True, False):
        values, scores, absorbed = relevance(layer, x, rule, first=rule in AT_INPUT, biases=biases)
        for row in range(2):
            with torch.no_grad():
                output = layer(x[row : row + 1])
            r = (output * normal(*output.shape[1:], seed=9)).flatten()
            expected = looped(
                rule, x[row].flatten(), *as_matrix(layer, x[:1])[:2], r, as_matrix(layer, x[:1])[2],
                biases,
            )  # fmt: skip
            torch.testing.assert_close(values[row].flatten(), expected, rtol=1e-9, atol=1e-10)
        total = values.flatten(1).sum(1) + absorbed[BIAS] + absorbed[STABILISER]
        torch.testing.assert_close(total, scores, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("rule", RULES[:4])
@pytest.mark.parametrize("build", [
    lambda: nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3)),
    lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)),
    lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.BatchNorm2d(4, affine=False)),
])  # fmt: skip
def test_batch_norm_is_merged_into_the_convolution(
    rule: WeightRule, build: Callable[[], nn.Sequential]
) -> None:
    model = drawn(build()).double()
    conv, norm = model
    fused = torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm)  # type: ignore[type-var]
    x = normal(2, 2, 5, 5)
    values, _, absorbed = relevance(model, x, rule)
    expected, _, theirs = relevance(fused, x, rule)
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(absorbed[BIAS], theirs[BIAS])


@pytest.mark.parametrize("rule", RULES[:4])
@pytest.mark.parametrize("groups", [1, 2])
def test_batch_norm_is_merged_into_each_group_of_a_transposed_convolution(
    rule: WeightRule, groups: int
) -> None:
    """The twin has the scales where each output channel's weights are, one after the other."""
    conv = nn.ConvTranspose2d(4, 6, 2, stride=2, groups=groups, bias=groups == 1)
    model = drawn(nn.Sequential(conv, nn.BatchNorm2d(6))).double()
    norm, twin = model[1], nn.ConvTranspose2d(4, 6, 2, stride=2, groups=groups).double()
    with torch.no_grad():
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        bias = 0.0 if conv.bias is None else conv.bias
        twin.bias.copy_((bias - norm.running_mean) * scale + norm.bias)
        for channel in range(6):
            group, place = divmod(channel, 6 // groups)
            inputs = slice(group * 4 // groups, (group + 1) * 4 // groups)
            twin.weight[inputs, place] = conv.weight[inputs, place] * scale[channel]
    x = normal(2, 4, 3, 3)
    torch.testing.assert_close(twin(x), model(x))
    values, scores, absorbed = relevance(model, x, rule)
    expected, _, theirs = relevance(twin, x, rule)
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(absorbed[BIAS], theirs[BIAS])
    total = values.flatten(1).sum(1) + absorbed[BIAS] + absorbed[STABILISER]
    torch.testing.assert_close(total, scores)


def test_a_batch_norm_of_steps_is_not_merged_into_a_linear_layer_of_features() -> None:
    """Its channels are the steps of a sequence: here as many as there are features."""
    model = drawn(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))).double()
    x = normal(2, 4, 5)
    values, scores, absorbed = relevance(model, x, "epsilon")
    total = values.flatten(1).sum(1) + absorbed[BIAS] + absorbed[STABILISER]
    torch.testing.assert_close(total, scores)
    linear, norm = model
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).view(4, 1)
    given = normal(4, 4, seed=9) * scale
    torch.testing.assert_close(values, x * (given @ linear.weight), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("composite", COMPOSITES)
def test_a_batch_norm_is_not_merged_past_a_relu_in_place(composite: str) -> None:
    models = [
        drawn(
            nn.Sequential(
                nn.Conv2d(3, 4, 3), nn.ReLU(inplace), nn.BatchNorm2d(4), nn.Flatten(),
                nn.Linear(4 * 36, 2),
            )
        )
        for inplace in (False, True)
    ]  # fmt: skip
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    apart, overwritten = (
        explain(model, x, "lrp", target=0, composite=composite, progress=False).values
        for model in models
    )
    torch.testing.assert_close(overwritten, apart)


@pytest.mark.parametrize(
    "above",
    [
        nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.LayerNorm(6),
        Function(lambda h: h + h.flip(1)), nn.Sequential(nn.Sigmoid(), nn.BatchNorm2d(4)),
    ],
)  # fmt: skip
def test_a_sum_may_be_overwritten(above: nn.Module) -> None:
    apart, overwritten = (
        _explained(nn.Sequential(nn.Conv2d(3, 4, 3), above, nn.ReLU(inplace)))
        for inplace in (False, True)
    )
    torch.testing.assert_close(overwritten, apart)


@pytest.mark.parametrize(
    ("apart", "overwritten"),
    [
        (lambda h: h * h.sigmoid(), lambda h: h.mul_(h.sigmoid())),
        (lambda h: h * h.mean((2, 3), True).relu(), lambda h: h.mul_(h.mean((2, 3), True).relu())),
        (lambda h: h / h.square().mean(), lambda h: h.div_(h.square().mean())),
    ],
)
def test_a_product_in_place_is_the_product(
    apart: Callable[[Tensor], Tensor], overwritten: Callable[[Tensor], Tensor]
) -> None:
    expected, values = (
        _explained(nn.Sequential(nn.Conv2d(3, 4, 3), Function(form)))
        for form in (apart, overwritten)
    )
    torch.testing.assert_close(values, expected)


def squashed_through_a_view(h: Tensor) -> Tensor:
    h.flatten(1).sigmoid_()
    return h


@pytest.mark.parametrize("below", [nn.Identity(), nn.BatchNorm2d(4)])
@pytest.mark.parametrize("squash", [torch.sigmoid_, squashed_through_a_view])
def test_what_a_convolution_gave_may_be_overwritten(
    below: nn.Module, squash: Callable[[Tensor], Tensor]
) -> None:
    expected, values = (
        _explained(nn.Sequential(nn.Conv2d(3, 4, 3), below, Function(form)))
        for form in (torch.sigmoid, squash)
    )
    torch.testing.assert_close(values, expected)


def _explained(trunk: nn.Module) -> Tensor:
    model = drawn(nn.Sequential(trunk, nn.Flatten(), nn.Linear(4 * 36, 2)))
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return explain(model, x, "lrp", target=0, progress=False).values


# Cases by hand.


def test_three_layers() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    model = nn.Sequential(three_layers(), nn.ReLU())
    result = explain(model, x, "lrp", target=0, composite="epsilon", epsilon=1e-9, progress=False)
    expected = torch.tensor([[0.0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11], [0, 0, 0, 0]])
    torch.testing.assert_close(result.values[0, 0], expected, rtol=1e-4, atol=1e-4)


def _straight(first: float = 2.0) -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 1, bias=False))
    nn.init.constant_(model[0].weight, 2.0)
    nn.init.constant_(model[1].weight, 3.0)
    with torch.no_grad():
        model[0].weight[0, 0] = first
    return model


@pytest.mark.parametrize(
    ("first", "composite", "expected"),
    [(2.0, "epsilon", [18.0, 36.0, 54.0]), (-2.0, "z_plus", [12.0, 33.6, 50.4])],
)
def test_two_linear_layers(first: float, composite: str, expected: list[float]) -> None:
    x = torch.tensor([[1.0, 2.0, 3.0]])
    result = explain(_straight(first), x, "lrp", target=0, composite=composite, progress=False)
    torch.testing.assert_close(result.values, torch.tensor([expected]), rtol=1e-4, atol=1e-4)


def test_a_skip_connection_is_split_by_contribution() -> None:
    def score(x: Tensor) -> Tensor:
        scaled = F.linear(x, torch.full((2, 2), 5.0))
        return (scaled + x)[:, 1:]

    x = torch.tensor([[2.0, 3.0]])
    result = explain(Function(score), x, "lrp", target=0, composite="epsilon", progress=False)
    torch.testing.assert_close(result.values, torch.tensor([[10.0, 18.0]]), rtol=1e-4, atol=1e-4)


# The rules of AttnLRP (Achtibat et al. 2024).


def test_softmax_rule() -> None:
    """Equation 13: R_i = x_i (R_i - s_i sum of R)."""
    x = normal(2, 5)
    values, _, _ = relevance(Function(lambda x: F.softmax(x, -1)), x, "epsilon")
    s = F.softmax(x, -1)
    r = s * normal(5, seed=9)
    torch.testing.assert_close(values, x * (r - s * r.sum(1, keepdim=True)))


def test_a_product_gives_half_to_each_factor() -> None:
    """Equation 15 for epsilon to 0: R(A_ji) = sum over p of A_ji V_ip R_jp / (2 O_jp)."""
    a, v = normal(2, 3, 4), normal(2, 4, 5, seed=1)
    x = torch.cat([a.flatten(1), v.flatten(1)], 1)

    def multiply(x: Tensor) -> Tensor:
        return x[:, :12].reshape(-1, 3, 4) @ x[:, 12:].reshape(-1, 4, 5)

    values, scores, _ = relevance(Function(multiply), x, "epsilon")
    weights = normal(3, 5, seed=9)  # = R / O
    first = a * torch.einsum("jp,nip->nji", weights, v) / 2
    second = v * torch.einsum("jp,nji->nip", weights, a) / 2
    expected = torch.cat([first.flatten(1), second.flatten(1)], 1)
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(values.sum(1), scores)


def test_layer_norm_takes_its_scale_as_a_constant() -> None:
    x, gain = normal(2, 6), normal(6, seed=2)
    values, _, _ = relevance(Function(lambda x: F.layer_norm(x, (6,), gain)), x, "epsilon")
    scale = (x.var(1, unbiased=False, keepdim=True) + 1e-5).rsqrt() * gain * normal(6, seed=9)
    centre = torch.eye(6, dtype=x.dtype) - 1 / 6
    torch.testing.assert_close(values, x * (scale @ centre), rtol=1e-2, atol=1e-2)


# Conservation.


def told(result: Attribution, key: str) -> Tensor:
    return torch.tensor(result.evidence[key], dtype=torch.float64)


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("name", ["vgg", "resnet"])
def test_relevance_and_what_was_absorbed_is_the_score(composite: str, name: str) -> None:
    model, x = architecture(name).double(), pictures(2, dtype=torch.float64)
    result = explain(model, x, "lrp", target=1, composite=composite, progress=False)
    with torch.no_grad():
        scores = model(x)[:, 1]
    torch.testing.assert_close(told(result, "relevance_score"), scores)
    torch.testing.assert_close(told(result, "relevance"), result.values.flatten(1).sum(1))
    total = sum(told(result, key) for key in ("relevance", BIAS, STABILISER))
    torch.testing.assert_close(total, scores, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["vgg", "mobilenet"])
def test_without_biases_all_of_it_reaches_the_input(name: str) -> None:
    """Where weights have no biases, nor batch norm shifts, the stabiliser alone takes a share."""
    model, x = architecture(name).double(), pictures(2, dtype=torch.float64)
    for key, weight in model.named_parameters():
        if "bias" in key:
            nn.init.zeros_(weight)
    for key, buffer in model.named_buffers():
        if key.endswith("running_mean"):
            buffer.zero_()
    result = explain(model, x, "lrp", target=1, composite="epsilon", epsilon=1e-10, progress=False)
    with torch.no_grad():
        scores = model(x)[:, 1]
    torch.testing.assert_close(result.values.flatten(1).sum(1), scores, rtol=1e-4, atol=1e-6)


def test_vision_transformer_conserves() -> None:
    """What softmax is more than its linear part, and the class token, count as biases."""
    model, x = architecture("vit").double(), pictures(2, dtype=torch.float64)
    result = explain(model, x, "lrp", target=1, composite="epsilon", progress=False)
    total = sum(told(result, key) for key in ("relevance", BIAS, STABILISER))
    with torch.no_grad():
        scores = model(x)[:, 1]
    torch.testing.assert_close(total, scores, rtol=1e-6, atol=1e-8)


LATER = torch.ones(6, 6, dtype=torch.bool).triu(1)
SHORT = torch.tensor([[False] * 5 + [True], [False] * 6, [False] * 4 + [True] * 2])
BATCHED: dict[str, Callable[[], nn.Module]] = {
    "attention": lambda: Attend(lambda a, x: a(x, x, x), batch_first=True),
    "attention of fewer": lambda: Attend(lambda a, x: a(x[:, :4], x, x), batch_first=True),
    "attention and its weights": lambda: Attend(weighted(averaged=True), batch_first=True),
    "both masks": lambda: Attend(
        lambda a, x: a(x, x, x, attn_mask=LATER, key_padding_mask=SHORT[: len(x)]),
        batch_first=True,
    ),
    "mask of infinities": lambda: Function(
        lambda x: F.scaled_dot_product_attention(
            x, x, x, torch.zeros(6, 6).double().masked_fill(LATER, -torch.inf)
        )
    ),
    "maximum": lambda: Function(lambda x: torch.maximum(x, x.new_full((8,), 0.5))),
    "minimum": lambda: Function(lambda x: torch.minimum(x.sin(), x.new_full((8,), 0.5))),
    "lstm": lambda: First(nn.LSTM(8, 4, 2, bidirectional=True, batch_first=True)),
}


@pytest.mark.parametrize("name", BATCHED)
def test_each_row_of_a_batch_conserves_its_own_score(name: str) -> None:
    """Steps are a multiple of rows here, so that one may pass for the other."""
    model, x = drawn(BATCHED[name]()).double(), normal(3, 6, 8)
    values, scores, absorbed = relevance(model, x, "epsilon")
    total = values.flatten(1).sum(1) + absorbed[BIAS] + absorbed[STABILISER]
    torch.testing.assert_close(total, scores)
    _, _, alone = relevance(model, x[:1], "epsilon")
    torch.testing.assert_close(absorbed[BIAS][:1], alone[BIAS])
