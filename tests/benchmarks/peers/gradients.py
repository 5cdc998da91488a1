"""Rows of the gradient and of what integrates it."""

from __future__ import annotations

from typing import Any

import captum.attr as captum
import torch
from torch import Tensor, nn

from nbxplain import Background
from tests.benchmarks.peers.case import TARGET, ZERO, Case

GREYS = torch.tensor([-2.0, -0.7, 0.7, 2.0]).view(4, 1, 1, 1).expand(4, 3, 224, 224)
"""A background: four pictures without a content."""


class Score(nn.Module):
    """The network with the target's score as its only output (N, 1).

    shap explains all outputs, or those with the highest scores.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)[:, [TARGET]]


def expected_gradients(model: nn.Module, x: Tensor) -> Any:
    import shap

    explainer = shap.GradientExplainer(Score(model), GREYS.to(x))
    return explainer.shap_values(x, nsamples=50)[..., 0]


def tunnel(kind: str) -> dict[str, Any]:
    """captum's statistics of 25 noisy gradients, with noise as ours has by default."""

    def call(model: nn.Module, x: Tensor) -> Tensor:
        noise = 0.15 * float(x.max() - x.min())
        return captum.NoiseTunnel(captum.Saliency(model)).attribute(
            x, nt_type=kind, nt_samples=25, stdevs=noise, target=TARGET, abs=False
        )

    return {"captum": call}


def integrated(precision: str, note: str) -> Case:
    return Case(
        "integrated_gradients", 50, True,
        {
            "captum": lambda m, x: captum.IntegratedGradients(m).attribute(
                x, target=TARGET, n_steps=50
            )
        },
        {"steps": 50, "quadrature": "gauss_legendre", "precision": precision},
        note, references=ZERO,
    )  # fmt: skip


SALIENCY = {"captum": lambda m, x: captum.Saliency(m).attribute(x, TARGET, abs=False)}

CASES = [
    Case("gradient", 1, True, SALIENCY),
    Case("gradient", 1, True, SALIENCY, note="8 pictures", pictures=8),
    Case(
        "input_x_gradient", 1, True,
        {"captum": lambda m, x: captum.InputXGradient(m).attribute(x, TARGET)},
    ),
    integrated("float32", "50 steps"),
    integrated("bfloat16", "50 steps, bfloat16"),
    Case("smoothgrad", 25, True, tunnel("smoothgrad"), {"samples": 25}, "25 samples"),
    Case(
        "smoothgrad", 25, True, tunnel("smoothgrad_sq"), {"samples": 25, "statistic": "square"},
        "square, 25 samples",
    ),
    Case(
        "smoothgrad", 25, True, tunnel("vargrad"), {"samples": 25, "statistic": "variance"},
        "variance, 25 samples",
    ),
    Case(
        "gradient_shap", 50, True,
        {
            "captum": lambda m, x: captum.GradientShap(m).attribute(
                x, GREYS.to(x), n_samples=50, target=TARGET
            ),
            "shap Gradient": expected_gradients,
        },
        {"samples": 50, "background": Background.batch(GREYS)}, "50 samples",
    ),
]  # fmt: skip
