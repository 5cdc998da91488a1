"""Methods that captum has not, written down plainly: batches of inputs through the whole network.

What the common implementations do (those of RISE's authors, of pytorch-grad-cam with its batch of
32), without their bookkeeping: a lower bound of what they take.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BATCH = 32


def rise(model: nn.Module, x: Tensor, target: int, masks: int) -> Tensor:
    """The mean of random masks, 7 x 7 cells enlarged, weighted by the scores under them."""
    height, width = x.shape[2:]
    cells = (torch.rand(masks, 1, 7, 7, device=x.device) < 0.5).to(x)
    size = (height + height // 7, width + width // 7)
    large = F.interpolate(cells, size, mode="bilinear", align_corners=False)[..., :height, :width]
    with torch.no_grad():
        scores = [model(x * part)[:, target] for part in large.split(BATCH)]
    return (torch.cat(scores)[:, None, None, None] * large).mean(0)


def score_cam(model: nn.Module, x: Tensor, target: int, layer: nn.Module, channels: int) -> Tensor:
    """The most active maps, each weighted by the score of the picture that it masks."""
    _, maps = _most_active(model, x, layer, channels)
    with torch.no_grad():
        masks = F.interpolate(maps[:, None], x.shape[2:], mode="bilinear", align_corners=False)
        low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
        masks = (masks - low) / (high - low).clamp(min=1e-8)
        scores = torch.cat([model(x * part)[:, target] for part in masks.split(BATCH)])
    return torch.einsum("c,chw->hw", scores.softmax(0), maps).relu()


def ablation_cam(
    model: nn.Module, x: Tensor, target: int, layer: nn.Module, channels: int
) -> Tensor:
    """The most active maps, each weighted by what the score loses when the map is zero."""
    order, maps = _most_active(model, x, layer, channels)

    def without(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        output = output.clone()
        output[torch.arange(len(part)), part] = 0
        return output

    scores = []
    with torch.no_grad():
        intact = model(x)[0, target]
        for part in order.split(BATCH):
            handle = layer.register_forward_hook(without)
            scores.append(model(x.expand(len(part), -1, -1, -1))[:, target])
            handle.remove()
    return torch.einsum("c,chw->hw", intact - torch.cat(scores), maps).relu()


def _most_active(
    model: nn.Module, x: Tensor, layer: nn.Module, channels: int
) -> tuple[Tensor, Tensor]:
    """The numbers of the layer's most active channels, and their maps (channels, h, w)."""
    found: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, inputs, output: found.append(output))
    with torch.no_grad():
        model(x)
    handle.remove()
    order = found[0][0].abs().mean((1, 2)).argsort(descending=True)[:channels]
    return order, found[0][0, order]
