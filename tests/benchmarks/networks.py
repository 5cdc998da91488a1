"""The networks and the picture that benchmarks run on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nbxplain import Preprocessing, demo


class Logits(nn.Module):
    """A network whose output is a tensor, as peers expect it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        output = self.model(x)
        return output if isinstance(output, Tensor) else output.logits


def resnet50() -> nn.Module:
    """ResNet-50 with random weights: the arithmetic does not depend on them."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(0)
    return Logits(ResNetForImageClassification(ResNetConfig(num_labels=1000))).eval()


def efficientnet() -> nn.Module:
    """The pretrained EfficientNet-Lite0 of the demo."""
    return demo.network().eval()


NETWORKS = {"EfficientNet-Lite0": efficientnet, "ResNet-50": resnet50}


def picture() -> Tensor:
    """The cat as model input (1, 3, 224, 224)."""
    return Preprocessing()(demo.pictures()["cat"]).unsqueeze(0)
