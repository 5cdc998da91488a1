"""Well-known architectures with random weights, small enough for a test.

Hugging Face initialises heads and biases to zero or nearly so, which would hide faults: every
parameter is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

CLASSES = 5
SIDE = 32


def pictures(rows: int = 1, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """A batch of noise in the models' units."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 3, SIDE, SIDE, generator=generator, dtype=dtype)


class Logits(nn.Module):
    """A Hugging Face model as a function from pictures to scores."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.inner(x).logits
        return scores


def drawn(model: nn.Module) -> nn.Module:
    """Weights and statistics for which scores are of order one and no parameter is zero."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        gain = name.endswith("weight") and parameter.ndim == 1
        fan_in = max(1, parameter[0].numel()) if parameter.ndim > 1 else 25
        parameter.data = gain + noise * (1.5 / fan_in) ** 0.5
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(0.2 * torch.randn(buffer.shape, generator=generator))
        elif name.endswith("running_var"):
            buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    return model.eval()


def _transformers(kind: str, **options: Any) -> nn.Module:
    import transformers

    implementation = options.pop("attention", None)
    config = getattr(transformers, f"{kind}Config")(num_labels=CLASSES, **options)
    if implementation:
        config._attn_implementation = implementation
    return Logits(getattr(transformers, f"{kind}ForImageClassification")(config))


TOKENS = {
    "image_size": SIDE,
    "patch_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}


def resnet() -> nn.Module:
    return _transformers(
        "ResNet", embedding_size=8, hidden_sizes=[8, 12], depths=[1, 2], layer_type="bottleneck"
    )


def regnet() -> nn.Module:
    return _transformers(
        "RegNet", embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], groups_width=4
    )


def convnext() -> nn.Module:
    return _transformers("ConvNext", hidden_sizes=[8, 12], depths=[1, 1], num_stages=2)


def vit(attention: str = "sdpa") -> nn.Module:
    return _transformers("ViT", **TOKENS, attention=attention)


def vit_eager() -> nn.Module:
    return vit("eager")


def deit() -> nn.Module:
    return _transformers("DeiT", **TOKENS)


def beit() -> nn.Module:
    # Its segmentation pyramid needs four places to read from, even where it is not used.
    layers = {"num_hidden_layers": 4, "out_indices": [1, 2, 3, 4]}
    return _transformers("Beit", **TOKENS | layers, use_relative_position_bias=True)


def swin() -> nn.Module:
    return _transformers(
        "Swin", image_size=SIDE, patch_size=4, embed_dim=8, depths=[2, 1], num_heads=[2, 2],
        window_size=4,
    )  # fmt: skip


def vgg() -> nn.Module:
    """Convolutions, in-place ReLU, overlapping max pooling, two linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(32, 12), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(12, CLASSES),
    )  # fmt: skip


class Excite(nn.Module):
    """Inverted bottleneck with squeeze and excite, as in MobileNetV3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(width, 2 * width, 1, bias=False)
        self.depthwise = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n * width) for n in (2, 2, 1))
        self.squeeze, self.excite = nn.Conv2d(2 * width, 4, 1), nn.Conv2d(4, 2 * width, 1)
        self.project = nn.Conv2d(2 * width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.hardswish(self.norms[0](self.expand(x)), inplace=True)
        y = nn.functional.hardswish(self.norms[1](self.depthwise(y)), inplace=True)
        gate = self.excite(self.squeeze(y.mean((2, 3), keepdim=True)).relu())
        y = y * nn.functional.hardsigmoid(gate)
        result: Tensor = x + self.norms[2](self.project(y))
        return result


def mobilenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.Hardswish(), Excite(8),
        nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU6(inplace=True), Excite(8),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES),
    )  # fmt: skip


class Rows(nn.Module):
    """A recurrent network that reads the picture row by row, in both directions."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        self.cells = kind(3 * 4, 6, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        rows = nn.functional.avg_pool2d(x, 8).permute(0, 2, 1, 3).flatten(2)
        scores: Tensor = self.head(self.cells(rows)[0][:, -1])
        return scores


def lstm() -> nn.Module:
    return Rows(nn.LSTM)


def gru() -> nn.Module:
    return Rows(nn.GRU)


class Encoder(nn.Module):
    """Patches through torch's own transformer, which has a fast path without gradients."""

    def __init__(self, norm_first: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        layer = nn.TransformerEncoderLayer(
            16, 2, 24, activation="gelu", batch_first=True, norm_first=norm_first
        )
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.blocks(self.patches(x).flatten(2).mT).mean(1))
        return scores


def encoder() -> nn.Module:
    return Encoder()


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    build.__name__: build
    for build in (
        resnet, vgg, mobilenet, convnext, regnet, vit, vit_eager, deit, beit, swin, lstm, gru,
        encoder,
    )
}  # fmt: skip


def architecture(name: str) -> nn.Module:
    """One of the above, the same at every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return drawn(ARCHITECTURES[name]())
