"""The networks and the pictures that benchmarks run on."""

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


class ReLUBlock(nn.Module):
    """A block of EfficientNet-Lite in which each activation is a ReLU of its own."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        expand = hasattr(block, "_expand_conv")
        wide = [block._expand_conv, block._bn0, nn.ReLU()] if expand else []
        deep = [block._depthwise_conv, block._bn1, nn.ReLU(), block._project_conv, block._bn2]
        self.branch = nn.Sequential(*wide, *deep)
        first, last = self.branch[0], block._project_conv
        same = first.in_channels == last.out_channels
        self.skips = same and block._depthwise_conv.stride == (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x) if self.skips else self.branch(x)


def efficientnet_relu() -> nn.Module:
    """EfficientNet-Lite0 with ReLU for ReLU6, and no module used twice.

    captum and shap know no ReLU6, take it for linear without a word, and refuse a module that is
    used twice.
    """
    network = demo.network()
    model = nn.Sequential(
        nn.Sequential(network._conv_stem, network._bn0, nn.ReLU()),
        *map(ReLUBlock, network._blocks),
        nn.Sequential(network._conv_head, network._bn1, nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        network._fc,
    )
    model.pretrained_cfg = network.pretrained_cfg
    return model.eval()


def vgg11() -> nn.Module:
    """VGG-11 with random weights and one linear layer, which captum's LRP takes."""
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    before = 3
    for width in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512):
        if width:
            parts += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        else:
            parts.append(nn.MaxPool2d(2))
    for part in parts:
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return Flat([*parts, nn.AdaptiveAvgPool2d(1)], nn.Linear(before, 1000)).eval()


class Flat(nn.Module):
    """A linear layer on the channels that parts leave: captum's LRP has no rule for Flatten."""

    def __init__(self, parts: list[nn.Module], head: nn.Linear) -> None:
        super().__init__()
        self.parts, self.head = nn.Sequential(*parts), head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.parts(x).flatten(1))


def vit(layers: int = 12, patch: int = 16) -> nn.Module:
    """ViT-S with random weights, large enough for attention that is not the same everywhere."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=384, num_hidden_layers=layers, num_attention_heads=6, intermediate_size=1536,
        patch_size=patch, num_labels=1000,
    )  # fmt: skip
    model = ViTForImageClassification(config)
    for weight in model.parameters():
        if weight.ndim == 2:
            nn.init.normal_(weight, std=1.5 * weight.shape[1] ** -0.5)
    return Logits(model).eval()


def small_vit() -> nn.Module:
    """Four layers and 17 tokens, for what takes minutes on more."""
    return vit(layers=4, patch=56)


CONVOLUTIONAL = {"EfficientNet-Lite0": efficientnet, "ResNet-50": resnet50}
NETWORKS = {**CONVOLUTIONAL, "VGG-11": vgg11, "ViT-S/16": vit}


def picture() -> Tensor:
    """The cat as model input (1, 3, 224, 224)."""
    return Preprocessing()(demo.pictures()["cat"]).unsqueeze(0)


def pictures(count: int) -> Tensor:
    """The cat, and the cat with a little noise (count, 3, 224, 224)."""
    noise = torch.randn(count, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    noise[0] = 0
    return picture() + 0.1 * noise
