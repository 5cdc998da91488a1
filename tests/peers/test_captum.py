"""The same answers as captum, on a pretrained network and a real picture."""

from __future__ import annotations

import copy

import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, LayerGradCam, Saliency
from torch import Tensor, nn

from nbxplain import demo, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.methods.gradient import Noise

LAYER = "_conv_head"

pytestmark = pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return demo.network()


@pytest.fixture(scope="module")
def peer(network: nn.Module) -> nn.Module:
    """captum leaves hooks and gradients behind, so it gets a copy."""
    return copy.deepcopy(network)


@pytest.fixture(scope="module")
def cat(network: nn.Module) -> Tensor:
    return ModelAdapter(network).read(demo.pictures()["cat"]).tensor


@pytest.fixture(scope="module")
def target(network: nn.Module, cat: Tensor) -> int:
    """Egyptian cat: a real class with a real reason."""
    with torch.no_grad():
        index = int(network(cat).argmax())
    assert demo.labels()[index] == "Egyptian Mau"
    return index


def assert_same(ours: Tensor, theirs: Tensor, tolerance: float = 1e-4) -> None:
    difference = float((ours - theirs).norm() / theirs.norm())
    assert difference < tolerance, f"relative difference {difference:.2g}"


def test_gradient(network: nn.Module, peer: nn.Module, cat: Tensor, target: int) -> None:
    ours = explain(network, cat, "gradient", target=target).values
    theirs = Saliency(peer).attribute(cat.clone(), target=target, abs=False)
    assert_same(ours, theirs.detach())


def test_input_x_gradient(network: nn.Module, peer: nn.Module, cat: Tensor, target: int) -> None:
    ours = explain(network, cat, "input_x_gradient", target=target).values
    theirs = InputXGradient(peer).attribute(cat.clone(), target=target)
    assert_same(ours, theirs.detach())


# Points between two inputs round differently; both differ from float64 by 2e-3.
@pytest.mark.parametrize(("baseline", "tolerance"), [("zero", 1e-4), ("mean", 1e-3)])
def test_integrated_gradients(
    network: nn.Module, peer: nn.Module, cat: Tensor, target: int, baseline: str, tolerance: float
) -> None:
    start = torch.zeros_like(cat) if baseline == "zero" else cat.mean((2, 3), keepdim=True)
    ours = explain(
        network,
        cat,
        "integrated_gradients",
        target=target,
        steps=8,
        quadrature="gauss_legendre",
        baseline=start.expand_as(cat),
        layout="contiguous",  # as captum: the other rounds differently, by 4e-4 here
    ).values
    theirs = IntegratedGradients(peer).attribute(
        cat.clone(),
        start.expand_as(cat).clone(),
        target=target,
        n_steps=8,
        method="gausslegendre",
        internal_batch_size=4,
    )
    assert_same(ours, theirs.detach().float(), tolerance)


@pytest.mark.parametrize("statistic", ["mean", "square", "variance"])
def test_smoothgrad_at_the_same_noise(
    network: nn.Module, peer: nn.Module, cat: Tensor, target: int, statistic: str
) -> None:
    """captum's NoiseTunnel draws its own noise, so its saliency is taken at ours.

    In float64: under noise some ReLU is always at its kink up to the rounding of float32, and then
    even two memory layouts of one network differ in the third digit.
    """
    samples, noise, seed = 4, 0.1, 11
    exact, cat = copy.deepcopy(network).double(), cat.double()
    ours = explain(
        exact,
        cat,
        "smoothgrad",
        target=target,
        samples=samples,
        noise=noise,
        seed=seed,
        statistic=statistic,
    ).values
    noisy = cat + Noise(cat, noise, seed).take(torch.arange(samples))
    saliency = Saliency(copy.deepcopy(peer).double())
    each = saliency.attribute(noisy, target=target, abs=False).detach()
    theirs = {"mean": each.mean(0), "square": (each**2).mean(0), "variance": each.var(0)}
    assert_same(ours[0], theirs[statistic], 1e-9)


@pytest.mark.parametrize("relu", [True, False])
def test_grad_cam(
    network: nn.Module, peer: nn.Module, cat: Tensor, target: int, relu: bool
) -> None:
    ours = explain(network, cat, "grad_cam", target=target, layer=LAYER, relu=relu).values
    theirs = LayerGradCam(peer, peer.get_submodule(LAYER)).attribute(
        cat.clone(), target=target, relu_attributions=relu
    )
    assert ours.shape == (1, 1, 7, 7)
    assert_same(ours, theirs.detach())
