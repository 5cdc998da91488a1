"""The class activation maps, against their formulas in float64 and models with a closed form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import Baseline, explain
from nbxplain.core.errors import LayerError
from tests.models import CLASSES, Function, cnn, linear, picture, seeded

LAYER = "relus.1"
TARGET = 3


def pieces(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Activation and gradient (N, C, h, w) at LAYER, by hand and in float64."""
    first, second, head = (getattr(model, name).double() for name in ("first", "second", "head"))
    activation = second(first(x.double()).relu()).relu().detach().requires_grad_()
    score = head(activation.square().mean((2, 3)))[:, TARGET]
    (gradient,) = torch.autograd.grad(score.sum(), activation)
    return activation.detach(), gradient


class Squares(nn.Module):
    """The CNN of the tests whose head sees squares, so that gradients differ from cell to cell."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.first, self.second, self.head = inner.first, inner.second, inner.head
        self.relus = inner.relus

    def forward(self, x: Tensor) -> Tensor:
        x = self.relus[0](self.first(x))
        x = self.relus[1](self.second(x))
        scores: Tensor = self.head(x.square().mean((2, 3)))
        return scores


def grad_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum(g[k].mean() * a[k] for k in range(len(a)))


def grad_cam_plus_plus(a: Tensor, g: Tensor) -> Tensor:
    total = torch.zeros_like(a[0])
    for k in range(len(a)):
        weight = 0.0
        for cell in (g[k] > 0).nonzero().tolist():
            slope = g[k][tuple(cell)]
            alpha = slope**2 / (2 * slope**2 + a[k].sum() * slope**3)
            weight = weight + alpha * slope
        total = total + weight * a[k]
    return total


def layer_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum(g[k].clamp(min=0) * a[k] for k in range(len(a)))


def xgrad_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum((g[k] * a[k]).sum() / a[k].sum() * a[k] for k in range(len(a)) if a[k].any())


def hires_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum(g[k] * a[k] for k in range(len(a)))


def eigen_cam(a: Tensor, g: Tensor) -> Tensor:
    cells = a.flatten(1)
    # The first left singular vector of the maps is the leading eigenvector of their products.
    direction = torch.linalg.eigh(cells @ cells.T).eigenvectors[:, -1]
    component = direction @ cells
    return (component * component.mean().sign()).view(a.shape[1:])


TWINS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    twin.__name__: twin
    for twin in (grad_cam, grad_cam_plus_plus, layer_cam, xgrad_cam, hires_cam, eigen_cam)
}


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("relu", [False, True])
def test_formula(name: str, relu: bool) -> None:
    x = picture(2)
    activation, gradient = pieces(cnn(), x)
    signed = torch.stack(
        [TWINS[name](a, g) for a, g in zip(activation, gradient, strict=True)]
    ).unsqueeze(1)
    assert bool(signed.any())
    expected = signed.relu() if relu else signed
    result = explain(Squares(cnn()).eval(), x, name, target=TARGET, layer=LAYER, relu=relu)
    torch.testing.assert_close(result.values, expected.float(), rtol=1e-4, atol=1e-7)


def test_cam_is_the_class_weights_and_averages_to_the_score() -> None:
    model, x = cnn(), picture(2)
    activation = model.second(model.first(x).relu()).relu()  # type: ignore[operator]
    weights, bias = model.head.weight[TARGET], model.head.bias[TARGET]  # type: ignore[union-attr,index]
    expected = torch.einsum("c,nchw->nhw", weights, activation).unsqueeze(1).detach()
    result = explain(model, x, "cam", target=TARGET, layer=LAYER)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        result.values.mean((1, 2, 3)) + bias.detach(), model(x)[:, TARGET].detach()
    )


@pytest.mark.parametrize(
    "top",
    [
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(4 * 64, CLASSES)),
        lambda: nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 5)
        ),
        lambda: nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES)),
        lambda: nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES), nn.Softmax(1)
        ),
    ],
    ids=["no pooling", "two layers", "max pooling", "softmax"],
)
def test_cam_refuses_another_head(top: Callable[[], nn.Module]) -> None:
    model = seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), top()))
    with pytest.raises(LayerError, match="pooling"):
        explain(model, picture(), "cam", target=1, layer="1")


def test_cam_of_a_pretrained_network(network: nn.Module, fed_cat: Tensor) -> None:
    result = explain(network, fed_cat, "cam")
    bias = network._fc.bias.detach()[result.prediction.top(1)[0].index]  # type: ignore[union-attr,operator]
    score = result.prediction.top(1)[0].score
    assert float(result.values.mean() + bias) == pytest.approx(score, rel=1e-4)


def test_ablation_cam_zeroes_one_channel_at_a_time() -> None:
    model, x = cnn(), picture(2)
    activation = model.second(model.first(x).relu()).relu().detach()  # type: ignore[operator]

    def score(a: Tensor) -> Tensor:
        scores: Tensor = model.head(a.square().mean((2, 3)))[:, TARGET]  # type: ignore[operator]
        return scores.detach()

    expected = torch.zeros(2, 1, 8, 8)
    for channel in range(6):
        without = activation.clone()
        without[:, channel] = 0
        drop = score(activation) - score(without)
        expected[:, 0] += drop.view(-1, 1, 1) * activation[:, channel]
    model = Squares(model).eval()
    result = explain(model, x, "ablation_cam", target=TARGET, layer=LAYER, relu=False)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-7)


def test_ablation_cam_edits_the_last_call_of_a_module_that_runs_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()
            self.head = nn.Linear(3, CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            x = self.relu(self.conv(self.relu(self.conv(x))))
            scores: Tensor = self.head(x.mean((2, 3)))
            return scores

    model, x = seeded(Twice), picture()
    # Linear above the last call: a channel's drop is its weight times its mean.
    weights = model.head.weight[0].detach()  # type: ignore[union-attr,index]
    relu, conv = torch.relu, model.conv
    activation = relu(conv(relu(conv(x)))).detach()  # type: ignore[operator]
    drops = weights * activation.mean((2, 3))
    expected = torch.einsum("nc,nchw->nhw", drops, activation).unsqueeze(1)
    result = explain(model, x, "ablation_cam", target=0, layer="relu", relu=False)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-7)


class Around(nn.Module):
    """A connection around the layer: what is below it is seen twice."""

    def __init__(self, join: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.below, self.layer = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)
        self.head, self.join = nn.LazyLinear(CLASSES), join

    def forward(self, x: Tensor) -> Tensor:
        below = self.below(x)
        joined = self.join(below, self.layer(below)).relu()
        scores: Tensor = self.head(joined.square().mean((2, 3)))
        return scores


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    "join", [lambda a, b: a + b, lambda a, b: torch.cat([a, b], 1)], ids=["sum", "cat"]
)
def test_ablation_cam_with_a_connection_around_the_layer(
    join: Callable[[Tensor, Tensor], Tensor], rows: int
) -> None:
    x = picture(rows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Around(join).eval()
        model(x)
    below = model.below(x)
    activation = model.layer(below).detach()

    def score(a: Tensor) -> Tensor:
        scores: Tensor = model.head(join(below, a).relu().square().mean((2, 3)))[:, 1]
        return scores.detach()

    expected = torch.zeros(rows, 1, 8, 8)
    for channel in range(4):
        without = activation.clone()
        without[:, channel] = 0
        drop = score(activation) - score(without)
        expected[:, 0] += drop.view(-1, 1, 1) * activation[:, channel]
    result = explain(model, x, "ablation_cam", target=1, layer="layer", relu=False)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-6)


class Headed(nn.Module):
    """It keeps its number of rows in mind, as networks do that flatten by x.view(rows, -1)."""

    def __init__(
        self, below: Callable[[Tensor], Tensor], between: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.below, self.between = Function(below), between
        self.layer, self.head = nn.Conv2d(3, 4, 3), nn.LazyLinear(CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        rows = len(x)
        maps = self.layer(self.between(self.below(x))).square()
        scores: Tensor = self.head(maps.view(rows, -1))
        return scores


def headed(between: Callable[[Tensor], Tensor]) -> tuple[nn.Module, list[int]]:
    sizes: list[int] = []

    def note(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return x * 2

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Headed(note, between).eval()
        model(picture())
    sizes.clear()
    return model, sizes


def test_ablation_cam_runs_what_is_below_the_layer_once() -> None:
    seen = []
    for chunk in (1, 2, 4):
        model, sizes = headed(torch.relu)
        explain(model, picture(), "ablation_cam", target=1, layer="layer", chunk=chunk)
        # All but the trial of the first channels, which is compared with whole passes.
        assert max(sizes) <= 2
        seen.append(sum(sizes))
    assert len(set(seen)) == 1


def test_ablation_cam_where_what_is_below_is_overwritten() -> None:
    """What was computed once cannot be given to several rows then."""
    x = picture(2)
    apart, overwritten = (
        explain(headed(form)[0], x, "ablation_cam", target=1, layer="layer", relu=False).values
        for form in (torch.relu, torch.relu_)
    )
    assert bool(apart.any())
    torch.testing.assert_close(overwritten, apart)


def test_ablation_cam_asks_the_most_active_channels_first() -> None:
    model, x = cnn(), picture()
    activation = model.second(model.first(x).relu()).relu().detach()  # type: ignore[operator]
    best = int(activation.mean((2, 3)).argmax())
    shown = explain(model, x, "ablation_cam", target=1, layer=LAYER, relu=False, channels=1)
    ratio = (
        shown.values[0, 0][activation[0, best] > 0] / activation[0, best][activation[0, best] > 0]
    )
    assert shown.total == 1
    torch.testing.assert_close(ratio, ratio[0].expand_as(ratio))


@pytest.mark.parametrize("baseline", [Baseline(), Baseline.white()])
def test_score_cam(baseline: Baseline) -> None:
    model, x = cnn(), picture(2)
    activation = model.second(model.first(x).relu()).relu().detach()  # type: ignore[operator]
    empty = torch.full_like(x, float(baseline.kind == "white"))
    expected = torch.zeros(2, 1, 8, 8)
    for row in range(2):
        scores = []
        for channel in range(6):
            mask = F.interpolate(activation[row : row + 1, channel : channel + 1], (16, 16),
                                 mode="bilinear")  # fmt: skip
            span = mask.max() - mask.min()
            mask = (mask - mask.min()) / span if float(span) else torch.zeros_like(mask)
            masked = mask * x[row] + (1 - mask) * empty[row]
            scores.append(model(masked)[0, TARGET].detach() - model(empty)[row, TARGET].detach())
        weights = torch.stack(scores).softmax(0)
        expected[row, 0] = torch.einsum("c,chw->hw", weights, activation[row])
    result = explain(model, x, "score_cam", target=TARGET, layer=LAYER, baseline=baseline)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-6)


def test_score_cam_builds_no_more_than_a_chunk() -> None:
    sizes: list[int] = []

    def note(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return x

    model = nn.Sequential(Function(note), cnn())
    explain(model, picture(), "score_cam", target=1, layer="1.relus.1", chunk=2)
    assert max(sizes) == 2


class Tokens(nn.Module):
    """Patches and a class token; the last block's patches do not reach the score."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.first, self.last = nn.Linear(6, 6), nn.Identity()
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([torch.ones_like(tokens[:, :1]), tokens], 1)
        tokens = self.first(tokens) + tokens.mean(1, keepdim=True).tanh()
        scores: Tensor = self.head(self.last(tokens)[:, 0])
        return scores


@pytest.mark.parametrize("name", [n for n in TWINS if n != "eigen_cam"])
def test_says_when_no_patch_reaches_the_score(name: str) -> None:
    result = explain(seeded(Tokens), picture(), name, target=1, layer="last")
    assert not bool(result.values.any())
    assert any("class token" in notice for notice in result.notices)
    assert "class token" in result.summary()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["hires_cam", "grad_cam", "guided_grad_cam"])
def test_says_when_a_map_is_rounding_errors(name: str, dtype: torch.dtype) -> None:
    """A score that no factor on a cell changes has no part of it: x G sums to zero in each. One
    that no constant in a channel changes has gradients of mean zero."""

    def cancels(x: Tensor) -> Tensor:
        cells = x.flatten(2)
        scaled, shifted = F.normalize(cells, dim=1), cells - cells.mean(2, keepdim=True)
        return ((scaled if name == "hires_cam" else shifted) ** 3).mean(2)

    def build() -> nn.Module:
        head = nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, CLASSES)
        return nn.Sequential(nn.Conv2d(3, 6, 3), Function(cancels), *head)

    for method, said in ((name, True), ("layer_cam", False)):
        result = explain(seeded(build).to(dtype), picture(2).to(dtype), method, target=1, layer="0")
        assert any("rounding errors" in notice for notice in result.notices) is said


def test_ablation_cam_of_tokens_ablates_a_channel_of_every_token() -> None:
    model, x = seeded(Tokens), picture()
    result = explain(model, x, "ablation_cam", target=1, layer="last", relu=False)
    tokens = model.patches(x).flatten(2).transpose(1, 2)  # type: ignore[operator]
    tokens = torch.cat([torch.ones_like(tokens[:, :1]), tokens], 1)
    tokens = (model.first(tokens) + tokens.mean(1, keepdim=True).tanh()).detach()  # type: ignore[operator]
    drops = model.head.weight[1].detach() * tokens[0, 0]  # type: ignore[union-attr,index]
    expected = (tokens[0, 1:] @ drops).view(1, 1, 4, 4)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-6)


def test_only_methods_that_drop_negative_values_advise_to_keep_them() -> None:
    model = cnn()
    nn.init.zeros_(model.head.weight)  # type: ignore[arg-type]
    for relu, said in ((True, True), (False, False)):
        reason = explain(model, picture(), "grad_cam", target=1, relu=relu).reason
        assert reason is not None
        assert ("relu off" in reason) is said


def test_a_model_without_maps_is_an_error() -> None:
    with pytest.raises(LayerError):
        explain(linear(), picture(), "score_cam", target=1)
