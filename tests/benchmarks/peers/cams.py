"""Rows of class activation maps."""

from __future__ import annotations

from collections.abc import Callable

import captum.attr as captum
from torch import Tensor, nn

from tests.benchmarks import loops
from tests.benchmarks.peers.case import (
    TARGET,
    Case,
    before_pooling,
    last_convolution,
    named,
)

Formula = Callable[[nn.Module, Tensor, int, nn.Module], Tensor]


def formula(method: str, loop: Formula) -> Case:
    """A map from one gradient pass, beside its formula."""
    return Case(
        method, 1, True, {"loop": lambda m, x: loop(m, x, TARGET, before_pooling(m))},
        layer=named(before_pooling),
    )  # fmt: skip


CASES = [
    Case(
        "grad_cam", 1, True,
        {
            "captum": lambda m, x: captum.LayerGradCam(m, last_convolution(m)).attribute(
                x, TARGET, relu_attributions=True
            )
        },
        layer=named(last_convolution),
    ),
    formula("grad_cam_plus_plus", loops.grad_cam_plus_plus),
    formula("layer_cam", loops.layer_cam),
    formula("xgrad_cam", loops.xgrad_cam),
    formula("hires_cam", loops.hires_cam),
    Case(
        "eigen_cam", 1, False, {"loop": lambda m, x: loops.eigen_cam(m, x, before_pooling(m))},
        layer=named(before_pooling),
    ),
    Case(
        "cam", 1, False, {"loop": lambda m, x: loops.cam(m, x, TARGET, before_pooling(m))},
        layer=named(before_pooling),
    ),
    Case(
        "score_cam", 256, False,
        {
            "loop": lambda m, x: loops.score_cam(m, x, TARGET, before_pooling(m), 256)
        },
        {"channels": 256}, "256 channels", named(before_pooling),
    ),
    Case(
        "ablation_cam", 256, False,
        {"loop": lambda m, x: loops.ablation_cam(m, x, TARGET, last_convolution(m), 256)},
        {"channels": 256}, "256 channels", named(last_convolution),
    ),
]  # fmt: skip
