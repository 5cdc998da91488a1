"""Rows of what leaves parts of the picture out."""

from __future__ import annotations

from typing import Any

import captum.attr as captum
import numpy as np
from torch import Tensor, nn

from tests.benchmarks import loops
from tests.benchmarks.peers.case import SIDE, TARGET, Case, grid

REGIONS = {"regions": grid()[0, 0]}


def lime(model: nn.Module, x: Tensor) -> Any:
    """The lime package on the same grid with as many samples, ten at a time as by its default."""
    import torch
    from lime.lime_image import LimeImageExplainer  # type: ignore[import-not-found]

    regions = grid()[0, 0].numpy()

    def classify(pictures: Any) -> Any:
        batch = torch.as_tensor(pictures).permute(0, 3, 1, 2).to(x)
        with torch.no_grad():
            return model(batch).cpu().numpy()

    found = LimeImageExplainer().explain_instance(
        x[0].permute(1, 2, 0).double().cpu().numpy(), classify, labels=(TARGET,), top_labels=None,
        hide_color=0, num_samples=200,
        segmentation_fn=lambda picture: regions,
    )  # fmt: skip
    weights = dict(found.local_exp[TARGET])
    return np.array([weights.get(region, 0.0) for region in range(SIDE**2)])[regions][None]


CASES = [
    Case(
        "occlusion", SIDE**2 + 1, False,
        {
            "captum": lambda m, x: captum.Occlusion(m).attribute(
                x, (3, 32, 32), strides=(3, 32, 32), target=TARGET
            )
        },
        {"window": 32, "stride": 32}, "32 / 32",
    ),
    Case(
        "feature_ablation", SIDE**2 + 1, False,
        {
            "captum": lambda m, x: captum.FeatureAblation(m).attribute(
                x, target=TARGET, feature_mask=grid().to(x.device)
            )
        },
        REGIONS, "7 x 7 grid",
    ),
    Case(
        "lime", 201, False,
        {
            "captum": lambda m, x: captum.Lime(m).attribute(
                x, target=TARGET, feature_mask=grid().to(x.device),
                n_samples=200,
            ),
            "lime": lime,
        },
        REGIONS | {"samples": 200}, "200 samples",
    ),
    Case(
        "rise", 256, False, {"loop": lambda m, x: loops.rise(m, x, TARGET, 256)},
        {"masks": 256}, "256 masks",
    ),
]  # fmt: skip
