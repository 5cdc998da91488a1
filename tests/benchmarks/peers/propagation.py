"""Rows of backward rules.

captum and shap know no ReLU6, which they take for linear: on EfficientNet-Lite0 their guided
backpropagation is the gradient and their DeepLIFT is not complete. Rows noted "ReLU" are on the
network with ReLU instead, where the answers can be compared. Their maps also differ from ours where
a maximum is pooled (ResNet-50), and miss the change of the score there. captum's LRP takes none of
these networks, so there is VGG-11 for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import captum.attr as captum
from torch import Tensor, nn

from nbxplain import Background
from tests.benchmarks.networks import CONVOLUTIONAL, vgg11
from tests.benchmarks.peers.case import (
    RELU,
    TARGET,
    ZERO,
    Case,
    Peer,
    last_convolution,
    named,
)
from tests.benchmarks.peers.gradients import GREYS, Score


def deep_explainer(model: nn.Module, x: Tensor) -> Any:
    import shap

    explainer = shap.DeepExplainer(Score(model), GREYS.to(x))
    # It would raise where the values do not sum up, which the table says of every peer.
    return explainer.shap_values(x, check_additivity=False)[..., 0]


def on_both(
    method: str, passes: int, peers: dict[str, Peer], note: str = "", **options: Any
) -> Iterator[Case]:
    """A row on the networks as they are, and one with ReLU."""
    for networks, relu in ((CONVOLUTIONAL, ""), (RELU, "ReLU")):
        notes = ", ".join(filter(None, (note, relu)))
        yield Case(method, passes, True, peers, note=notes, networks=networks, **options)


DEEP_LIFT: dict[str, Peer] = {"captum": lambda m, x: captum.DeepLift(m).attribute(x, target=TARGET)}
LRP: dict[str, Peer] = {"captum": lambda m, x: captum.LRP(m).attribute(x, target=TARGET)}

CASES = [
    *on_both("deep_lift", 2, DEEP_LIFT, references=ZERO),
    *on_both("deep_lift", 2, DEEP_LIFT, "8 pictures", references=ZERO, pictures=8),
    *on_both(
        "deep_shap", 8,
        {
            "captum": lambda m, x: captum.DeepLiftShap(m).attribute(
                x, GREYS.to(x), target=TARGET
            ),
            "shap Deep": deep_explainer,
        },
        "4 backgrounds", parameters={"background": Background.batch(GREYS)}, references=GREYS,
    ),
    *on_both("lrp", 2, LRP),
    *on_both("lrp", 2, LRP, "8 pictures", pictures=8),
    Case(
        "lrp", 2, True, LRP, {"composite": "epsilon"}, "epsilon", networks={"VGG-11": vgg11}
    ),
    *on_both(
        "guided_backprop", 1,
        {"captum": lambda m, x: captum.GuidedBackprop(m).attribute(x, TARGET)},
    ),
    *on_both(
        "deconvnet", 1, {"captum": lambda m, x: captum.Deconvolution(m).attribute(x, TARGET)}
    ),
    *on_both(
        "guided_grad_cam", 2,
        {
            "captum": lambda m, x: captum.GuidedGradCam(m, last_convolution(m)).attribute(
                x, TARGET, interpolate_mode="bilinear"
            )
        },
        layer=named(last_convolution),
    ),
]  # fmt: skip
