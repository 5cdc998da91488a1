"""Fused convolutions give what the network gives, whatever it does with their results."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.fusion import MANY, Fusion, fusion_for, settled
from nbxplain.core.pace import LAID_ANEW
from nbxplain.core.passes import Passes
from tests.architectures import ARCHITECTURES, architecture, drawn, pictures

CONVOLUTIONAL = ("resnet", "vgg", "mobilenet", "regnet")


def fused(model: nn.Module, x: Tensor) -> tuple[Tensor, int]:
    """The scores by fused convolutions, and how many operations they took in."""
    with torch.no_grad(), Fusion(MANY) as fusion:
        scores: Tensor = settled(model(x.contiguous(memory_format=torch.channels_last)))
    return scores, fusion.met


def exactly(model: nn.Module, x: Tensor) -> Tensor:
    """The scores in float64, of the network as it is."""
    with torch.no_grad():
        scores: Tensor = copy.deepcopy(model).double()(x.double()).float()
    return scores


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures(name: str) -> None:
    model, x = architecture(name), pictures(3)
    scores, met = fused(model, x)
    assert (met > 0) == (name in CONVOLUTIONAL)
    torch.testing.assert_close(scores, exactly(model, x), rtol=1e-4, atol=1e-5)


def test_all_that_can_be_fused_is() -> None:
    """Each batch norm and each ReLU of a ResNet, and each sum."""
    model = architecture("resnet")
    kinds = [type(module).__name__ for module in model.modules()]
    wanted = [kinds.count(kind) for kind in ("BatchNorm2d", "ReLU", "ResNetBottleNeckLayer")]
    assert fused(model, pictures(2))[1] == sum(wanted)


class Net(nn.Module):
    """Two convolutions and a batch norm, wired by a function."""

    def __init__(self, wiring: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.same = nn.Conv2d(4, 4, 3, padding="same")
        self.norm, self.other = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.wiring = wiring

    def forward(self, x: Tensor) -> Tensor:
        return self.wiring(self, x).flatten(1).sum(1, keepdim=True).repeat(1, 2)


def before_and_after(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return torch.cat([F.relu(net.norm(y)), y, net.norm(y)], 1)


def in_place(net: Net, x: Tensor) -> Tensor:
    y = net.norm(net.first(x))
    F.relu(y, inplace=True)
    return y * 2


def sum_in_place(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    z = net.norm(net.second(F.relu(y)))
    z += y
    return F.relu_(z) - y


def sum_into_a_known_one(net: Net, x: Tensor) -> Tensor:
    y = net.first(x) * 2
    y += net.second(y.tanh())
    return y


def twice_itself(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return y + y


def two_sums(net: Net, x: Tensor) -> Tensor:
    y, z = net.first(x), net.first(2 * x)
    return F.relu(y + z + 1 + x.mean()) + torch.add(y, z, alpha=2)


def broadcast_sum(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return net.second(y) + net.second(y.mean((2, 3), keepdim=True)) + x.mean((1, 2, 3), True)


def operations_on_sums(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    z = y.tanh() + net.second(y)
    return net.norm(net.first(x) + y) + F.relu6(net.second(y) + y) + (z + y) + F.relu(z + y)


def two_norms(net: Net, x: Tensor) -> Tensor:
    return net.other(net.norm(net.first(x)))


def one_convolution_with_either_norm(net: Net, x: Tensor) -> Tensor:
    return net.norm(net.first(x)) * net.other(net.first(x))


def norm_after_relu(net: Net, x: Tensor) -> Tensor:
    return net.norm(F.relu(net.first(x)))


def norm_of_the_batch(net: Net, x: Tensor) -> Tensor:
    return F.batch_norm(net.first(x), None, None, training=True)


def named_padding(net: Net, x: Tensor) -> Tensor:
    return F.relu(net.norm(net.same(net.first(x))))


def activations(net: Net, x: Tensor) -> Tensor:
    y = net.norm(net.first(x))
    known = F.relu6(y), F.hardtanh(y, -0.5, 0.25), F.hardtanh(y, max_val=0.1), F.silu(y)
    return torch.cat([*known, F.hardswish(y), F.gelu(y), y.clamp(min=0), y.relu(), y.sigmoid()], 1)


def weights_that_are_computed(net: Net, x: Tensor) -> Tensor:
    return F.relu(net.norm(F.conv2d(x, net.first.weight.tanh(), padding=1)))


def arguments_by_name(net: Net, x: Tensor) -> Tensor:
    y = F.conv2d(x, weight=net.first.weight, bias=net.first.bias)
    return F.relu(F.batch_norm(y, net.norm.running_mean, net.norm.running_var, eps=0.1))


def control_flow(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return F.relu(y) if y.shape[0] == 3 and float(y.detach().mean()) > 1e9 else y.abs()


def channels_first(net: Net, x: Tensor) -> Tensor:
    return F.relu(net.norm(net.first(x.contiguous())))


def views(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    rows = y[:, :, 0]
    rows.zero_()
    return net.norm(y)


def zeros_around(net: Net, x: Tensor) -> Tensor:
    """Alike on both sides, as a convolution has them, and in all other ways."""
    y = F.pad(net.first(F.pad(x, (2, 2, 1, 1))), (1, 1, 1, 1))
    uneven = net.second(F.pad(x[:, [0, 1, 2, 0]], (0, 1, 0, 1)))
    fewer, valued, mirrored = F.pad(y, (1, 1)), F.pad(y, (1, 1, 1, 1), value=2.0), (2, 2, 2, 2)
    mirror = F.pad(y, mirrored, mode="reflect")
    inner = [net.norm(net.second(part)) for part in (y, fewer, valued, mirror, uneven)]
    channels = net.second(F.pad(x, (0, 0, 0, 0, 0, 1)))
    return torch.cat([part.flatten(2) for part in (*inner, y, channels)], 2).unsqueeze(1)


def without_a_graph(net: Net, x: Tensor) -> Tensor:
    """What is waiting keeps its graph, and what is done without one has none."""
    y, padded = net.first(x), F.pad(x, (1, 1, 1, 1))
    with torch.no_grad():
        gate = torch.sigmoid(net.norm(y)) + F.relu(net.other(net.first(x)))
        aside = F.relu(net.norm(y)), net.first(padded)
    return net.norm(y) * gate + net.first(padded)[:, :, 1:-1, 1:-1] + aside[0].detach()


def a_part_of_it(net: Net, x: Tensor) -> Tensor:
    return F.relu(net.norm(net.first(x)) + net.first(x.detach())) * net.first(x).detach()


WIRINGS = [
    before_and_after, in_place, sum_in_place, sum_into_a_known_one, twice_itself, two_sums,
    broadcast_sum, operations_on_sums, two_norms, one_convolution_with_either_norm,
    norm_after_relu, norm_of_the_batch, named_padding, activations, weights_that_are_computed,
    arguments_by_name, control_flow, channels_first, views, zeros_around, without_a_graph,
    a_part_of_it,
]  # fmt: skip


@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: wiring.__name__)
def test_wirings(wiring: Callable[[Net, Tensor], Tensor]) -> None:
    model, x = drawn(Net(wiring)), pictures(3)
    torch.testing.assert_close(fused(model, x)[0], exactly(model, x), rtol=1e-4, atol=1e-3)


def slopes(model: nn.Module, x: Tensor) -> Tensor:
    """The gradient of a sum of scores."""
    x = x.clone().requires_grad_()
    scores = settled(model(x))
    weights = torch.linspace(1, 2, scores[0].numel(), dtype=x.dtype)
    (gradient,) = torch.autograd.grad((scores.flatten(1) * weights).sum(), x)
    return gradient


def fused_slopes(model: nn.Module, x: Tensor) -> tuple[Tensor, int]:
    """The gradient by fused convolutions, and how many operations they took in."""
    with Fusion(MANY) as fusion:
        found = slopes(model.requires_grad_(False), x.contiguous(memory_format=torch.channels_last))
    return found, fusion.met


@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: wiring.__name__)
def test_gradients_of_wirings(wiring: Callable[[Net, Tensor], Tensor]) -> None:
    model, x = drawn(Net(wiring)), pictures(3)
    expected = slopes(copy.deepcopy(model).double(), x.double()).float()
    torch.testing.assert_close(fused_slopes(model, x)[0], expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_gradients_of_architectures(name: str) -> None:
    model, x = architecture(name), pictures(2)
    found, met = fused_slopes(model, x)
    assert (met > 0) == (name in CONVOLUTIONAL)
    expected = slopes(copy.deepcopy(model).double(), x.double()).float()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_a_batch_norm_stays_where_its_weights_would_cost_more() -> None:
    """Four outputs of a convolution with 27 weights each: in maps of 100, and of 144 places."""
    model = drawn(Net(not_overwritten)).requires_grad_(False)
    taken = {}
    for side in (10, 12):
        x = pictures()[:, :, :side, :side].contiguous(memory_format=torch.channels_last)
        with Fusion(1) as fusion:
            settled(model(x))
        taken[side] = fusion.met
    assert taken == {10: 0, 12: 1}


def test_a_shorter_run_keeps_what_a_longer_one_folded() -> None:
    """Or the same explanation would round otherwise the second time."""
    model = drawn(Net(not_overwritten)).requires_grad_(False)
    x = pictures()[:, :, :4, :4].contiguous(memory_format=torch.channels_last)
    fusion, taken = Fusion(MANY), []
    for passes in (MANY, 1):
        fusion.passes, fusion.met = passes, 0
        model.norm.running_mean += 1
        with fusion:
            settled(model(x))
        taken.append(fusion.met)
    assert taken == [1, 1]


def test_gradients_of_what_is_overwritten_later_are_taken_without_fusion() -> None:
    """ReLU6 keeps what went in, the fused convolution what came out."""

    def wiring(net: Net, x: Tensor) -> Tensor:
        return F.relu6(net.norm(net.first(x))).mul_(2.0)

    model, x = drawn(Net(wiring)), pictures(2)
    found = explain(model, x, "gradient", target=0, layout="channels_last")
    expected = slopes(copy.deepcopy(model).double(), x.double()) / 3
    torch.testing.assert_close(found.values, expected.float(), rtol=1e-4, atol=1e-4)


def test_gradients_are_fused() -> None:
    model, x = architecture("resnet"), pictures(2)
    passes = Passes(ModelAdapter(model))
    (result,) = passes.gradients(2, lambda rows: x[rows], lambda output, rows: output[:, 0])
    assert passes._setup.fusion is not None
    assert passes._setup.fusion.met > 0
    assert passes.layout == "channels_last"
    twin, leaf = copy.deepcopy(model).double(), x.double().requires_grad_()
    (expected,) = torch.autograd.grad(twin(leaf)[:, 0].sum(), leaf)
    torch.testing.assert_close(result.gradient, expected.float(), rtol=1e-3, atol=1e-4)


class Depthwise(nn.Module):
    """A convolution of each channel by itself among others, whose layers are many or few."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.wide = nn.Conv2d(8, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.wide(self.depthwise(F.relu(self.norm(self.first(x))))).mean((2, 3))


def one_gradient(model: nn.Module) -> Passes:
    passes, x = Passes(ModelAdapter(model)), pictures()
    list(passes.gradients(1, lambda rows: x[rows], lambda output, rows: output[:, 0]))
    return passes


def test_one_picture_is_laid_out_by_what_the_model_is_made_of() -> None:
    """It does not wait for a measurement, and is fused where a longer run found that right."""
    model = drawn(Depthwise(16))
    first = one_gradient(model)
    assert (first.layout, first._setup.fusion) == ("channels_last", None)
    x = pictures(2)
    longer = Passes(ModelAdapter(model))
    list(longer.gradients(2, lambda rows: x[rows], lambda output, rows: output[:, 0]))
    assert one_gradient(model)._setup.fusion is not None
    assert one_gradient(drawn(Depthwise(LAID_ANEW // 72 + 1))).layout is None
    assert one_gradient(architecture("resnet")).layout is None


def overwritten(net: Net, x: Tensor) -> Tensor:
    y = net.norm(net.first(x))
    x.zero_()
    return F.relu(y)


def test_an_input_that_is_overwritten_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="overwritten"):
        fused(drawn(Net(overwritten)), pictures(3))


def test_where_fusion_fails_nothing_is_seen_of_it() -> None:
    x, options = pictures(), {"window": 8, "stride": 8, "baseline": torch.zeros(1, 3, 32, 32)}
    given: dict[str, Any] = options | {"target": 0, "layout": "channels_last"}
    found = explain(drawn(Net(overwritten)), x, "occlusion", **given)
    sound = explain(drawn(Net(not_overwritten)), x, "occlusion", **given)
    torch.testing.assert_close(found.values, sound.values, rtol=1e-3, atol=1e-3)


def not_overwritten(net: Net, x: Tensor) -> Tensor:
    return F.relu(net.norm(net.first(x)))


def test_results_can_be_kept() -> None:
    """A tensor that a module keeps is good after the pass, without the mode."""
    model = drawn(Net(not_overwritten))
    x = pictures(2).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        with Fusion(MANY):
            kept = model.norm(model.first(x))
        expected = model.norm(model.first(x))
        assert kept.shape == expected.shape
        torch.testing.assert_close(kept * 1, expected, rtol=1e-5, atol=1e-5)


def test_weights_that_change_are_folded_again() -> None:
    model, x = drawn(Net(not_overwritten)), pictures(2)
    fusion = Fusion(MANY)
    for change in (0.0, 1.0):
        with torch.no_grad():
            model.first.weight += change
            model.norm.running_var += change
            with fusion:
                scores = settled(model(x.contiguous(memory_format=torch.channels_last)))
        torch.testing.assert_close(scores, exactly(model, x), rtol=1e-4, atol=1e-3)


def fusing(model: nn.Module, **options: Any) -> tuple[Passes, Tensor]:
    """Passes that have run sixteen inputs, and their scores."""
    passes, x = Passes(ModelAdapter(model), layout="channels_last", **options), pictures(16)
    dtype = passes._adapter.dtype
    parts = passes.scores(16, lambda rows: x[rows].to(dtype), lambda output, rows: output[:, 0])
    return passes, torch.cat([scores for _, scores in parts])


def test_long_runs_are_fused() -> None:
    model = architecture("resnet")
    passes, scores = fusing(model)
    assert passes._setup.fusion is not None
    assert passes._setup.fusion.met > 0
    torch.testing.assert_close(scores, exactly(model, pictures(16))[:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet", "mobilenet"])
def test_activations_of_fused_runs_are_those_of_the_network(name: str) -> None:
    """At convolutions and norms, of which nothing is left when they are fused, as at others."""
    model, x = architecture(name), pictures(16)
    kinds = nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.ReLU6
    wanted = {type(module): name for name, module in model.named_modules()}
    layers = [wanted[kind] for kind in kinds if kind in wanted]
    found: dict[str, Tensor] = {}
    twin = copy.deepcopy(model).double()
    for layer in layers:
        twin.get_submodule(layer).register_forward_hook(
            lambda module, inputs, output, layer=layer: found.update({layer: output.clone()})
        )
    with torch.no_grad():
        twin(x.double())
    passes = Passes(ModelAdapter(model), layout="channels_last")
    parts = list(passes.layered(16, lambda rows: x[rows], layers))
    assert passes._setup.fusion is not None
    assert passes._setup.fusion.met > 0
    for layer in layers:
        told = torch.cat([part.activations[layer] for part in parts])
        torch.testing.assert_close(told, found[layer].float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("change", [nn.Module.double, lambda m: nn.Sequential(m, Drawing())])
def test_not_in_other_precisions_nor_where_numbers_are_drawn(
    change: Callable[[nn.Module], nn.Module],
) -> None:
    adapter = ModelAdapter(change(architecture("resnet")))
    adapter.outputs(pictures().to(adapter.dtype))
    passes, x = Passes(adapter), pictures(16).to(adapter.dtype)
    list(passes.scores(16, lambda rows: x[rows], lambda output, rows: output[:, 0]))
    assert passes._setup.fusion is None


class Drawing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.rand_like(x)


def test_bfloat16_is_not_fused() -> None:
    assert fusing(architecture("resnet"), precision="bfloat16")[0]._setup.fusion is None


def test_a_network_that_fusion_would_change_is_run_plainly() -> None:
    """Scores that hang on the last digit of a convolution: fused, they are others."""

    def brittle(net: Net, x: Tensor) -> Tensor:
        y = net.norm(net.first(x))
        return (y * 1e9) % 7

    model = drawn(Net(brittle))
    with torch.no_grad():
        assert fusion_for(model, pictures(), model, MANY) is None


@pytest.mark.parametrize("context", [torch.enable_grad, lambda: torch.autocast("cpu")])
def test_within_other_modes_nothing_is_fused(context: Callable[[], Any]) -> None:
    def wiring(net: Net, x: Tensor) -> Tensor:
        with context():
            return F.relu(net.norm(net.first(x))).float()

    scores, met = fused(drawn(Net(wiring)), pictures())
    assert met == 0
    assert type(scores) is Tensor
