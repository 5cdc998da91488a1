"""Each method against a peer and against bare passes of the same count, in one run.

    python -m tests.benchmarks.peers [METHOD ...] [--network NAME] [--repeats N]

"bare" is the forward (and backward) passes that the definition needs with nothing around them, in
the faster of two memory layouts and two batch sizes; for DeepLIFT and LRP those of the doubled
batch. The peer is captum with its own defaults, for LIME also the lime package where it is
installed, and for what neither has the plain loops of loops.py. Ours and the peer take turns, and
the shortest of the repeats counts for each.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import captum.attr as peer
import torch
from torch import Tensor, nn

from nbxplain import explain
from tests.benchmarks import loops
from tests.benchmarks.networks import NETWORKS, picture
from tests.benchmarks.timing import bare, machine, seconds

TARGET = 285
SEGMENTS = 49


@dataclass
class Case:
    """One row: a method of ours, the passes it needs, and the peer's call."""

    method: str
    passes: int
    backward: bool
    peer: Callable[[nn.Module, Tensor], Any] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    layer: Callable[[nn.Module], str] | None = None
    note: str = ""


def grid_regions() -> Tensor:
    """A 7 x 7 grid of regions (1, 1, 224, 224)."""
    rows = torch.arange(224) // 32
    return (rows[:, None] * 7 + rows)[None, None]


def last_spatial(model: nn.Module) -> str:
    """The last convolution: a layer that both libraries can work at."""
    return [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)][-1]


def at(name: str, model: nn.Module) -> nn.Module:
    return model.get_submodule(name)


def lime(model: nn.Module, x: Tensor) -> Any:
    """The lime package on the same grid with as many samples, ten at a time as by its default."""
    from lime.lime_image import LimeImageExplainer  # type: ignore[import-not-found]

    def classify(pictures: Any) -> Any:
        batch = torch.as_tensor(pictures).permute(0, 3, 1, 2).to(x)
        with torch.no_grad():
            return model(batch).softmax(1).cpu().numpy()

    return LimeImageExplainer().explain_instance(
        x[0].permute(1, 2, 0).double().cpu().numpy(), classify, labels=(TARGET,), top_labels=None,
        hide_color=0, num_samples=200,
        segmentation_fn=lambda picture: grid_regions()[0, 0].numpy(),
    )  # fmt: skip


CASES = [
    Case("gradient", 1, True, lambda m, x: peer.Saliency(m).attribute(x, TARGET, abs=False)),
    Case("input_x_gradient", 1, True, lambda m, x: peer.InputXGradient(m).attribute(x, TARGET)),
    Case(
        "integrated_gradients", 50, True,
        lambda m, x: peer.IntegratedGradients(m).attribute(x, target=TARGET, n_steps=50),
        {"steps": 50, "quadrature": "gauss_legendre"}, note="50 steps",
    ),
    Case(
        "integrated_gradients", 50, True,
        lambda m, x: peer.IntegratedGradients(m).attribute(x, target=TARGET, n_steps=50),
        {"steps": 50, "quadrature": "gauss_legendre", "precision": "bfloat16"},
        note="50 steps, bfloat16",
    ),
    Case(
        "smoothgrad", 25, True,
        lambda m, x: peer.NoiseTunnel(peer.Saliency(m)).attribute(
            x, nt_samples=25, target=TARGET, abs=False
        ),
        {"samples": 25}, note="25 samples",
    ),
    Case(
        "grad_cam", 1, True,
        lambda m, x: peer.LayerGradCam(m, at(last_spatial(m), m)).attribute(x, TARGET),
        layer=last_spatial,
    ),
    Case("deep_lift", 2, True, lambda m, x: peer.DeepLift(m).attribute(x, target=TARGET)),
    Case("lrp", 2, True, lambda m, x: peer.LRP(m).attribute(x, target=TARGET)),
    Case("guided_backprop", 1, True, lambda m, x: peer.GuidedBackprop(m).attribute(x, TARGET)),
    Case(
        "occlusion", 50, False,
        lambda m, x: peer.Occlusion(m).attribute(
            x, (3, 32, 32), strides=(3, 32, 32), target=TARGET
        ),
        {"window": 32, "stride": 32}, note="32 / 32",
    ),
    Case(
        "feature_ablation", SEGMENTS + 1, False,
        lambda m, x: peer.FeatureAblation(m).attribute(
            x, target=TARGET, feature_mask=grid_regions()
        ),
        {"regions": grid_regions()[0, 0]}, note="7 x 7 grid",
    ),
    Case(
        "lime", 201, False,
        lambda m, x: peer.Lime(m).attribute(
            x, target=TARGET, feature_mask=grid_regions(), n_samples=200
        ),
        {"regions": grid_regions()[0, 0], "samples": 200}, note="200 samples",
    ),
    Case(
        "lime", 201, False, lime, {"regions": grid_regions()[0, 0], "samples": 200},
        note="200 samples, lime package",
    ),
    Case(
        "rise", 256, False, lambda m, x: loops.rise(m, x, TARGET, 256), {"masks": 256},
        note="256 masks",
    ),
    Case(
        "score_cam", 256, False,
        lambda m, x: loops.score_cam(m, x, TARGET, at(last_spatial(m), m), 256),
        {"channels": 256}, last_spatial, "256 channels",
    ),
    Case(
        "ablation_cam", 256, False,
        lambda m, x: loops.ablation_cam(m, x, TARGET, at(last_spatial(m), m), 256),
        {"channels": 256}, last_spatial, "256 channels",
    ),
]  # fmt: skip


def measure(case: Case, model: nn.Module, x: Tensor, repeats: int) -> list[str]:
    """The cells of one row."""
    layer = case.layer(model) if case.layer else None
    options = {
        "chunk": None,
        **case.parameters,
        "layer": layer,
        "target": TARGET,
        "progress": False,
    }

    def ours() -> Any:
        return explain(model, x, case.method, **options)

    ours()  # measures the layouts, once per model
    floor = bare(copy.deepcopy(model), x, case.passes, case.backward)
    mine, theirs = _in_turn(ours, case.peer, copy.deepcopy(model), x, repeats)
    name = f"{case.method} ({case.note})" if case.note else case.method
    return [
        name, f"{mine:.3f}", f"{floor:.3f}", f"{mine / floor:.2f}",
        f"{theirs:.3f}" if isinstance(theirs, float) else theirs,
        f"{theirs / mine:.2f} x" if isinstance(theirs, float) else "",
    ]  # fmt: skip


def _in_turn(
    ours: Callable[[], Any],
    peer: Callable[[nn.Module, Tensor], Any] | None,
    model: nn.Module,
    x: Tensor,
    repeats: int,
) -> tuple[float, float | str]:
    """Seconds of ours and of the peer, or why it has none."""
    mine, theirs = float("inf"), float("inf")
    problem = "none" if peer is None else ""
    for _ in range(repeats):
        mine = min(mine, seconds(ours, 1))
        if peer is not None and not problem:
            try:
                theirs = min(theirs, seconds(lambda: peer(model, x), 1))
            except Exception as error:
                problem = type(error).__name__
    return mine, problem or theirs


def main() -> None:
    """Prints one table a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*")
    parser.add_argument("--network", choices=NETWORKS)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{machine()}, {datetime.date.today()}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for name, build in NETWORKS.items():
        if chosen.network in (None, name):
            model, x = build().to(device), picture().to(device)
            print(f"\n{name}\n\n| method | ours, s | bare, s | ratio | peer, s | faster by |")
            print("|---|---|---|---|---|---|")
            for case in CASES:
                if not chosen.methods or case.method in chosen.methods:
                    print(
                        "| " + " | ".join(measure(case, model, x, chosen.repeats)) + " |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
