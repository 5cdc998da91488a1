"""Methods that neither captum nor shap has, written down plainly.

What the common implementations do (those of RISE's authors, of pytorch-grad-cam with its batch of
32, of the papers on attention), without their bookkeeping: a lower bound of what they take.
"""

from __future__ import annotations

from typing import Any

import numpy as np
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
    scores = _masked(model, x, target, large)
    return (scores[:, None, None, None] * large).mean(0)


def score_cam(model: nn.Module, x: Tensor, target: int, layer: nn.Module, channels: int) -> Tensor:
    """The most active maps, each weighted by the score of the picture that it masks."""
    _, maps = _most_active(model, x, layer, channels)
    masks = F.interpolate(maps[:, None], x.shape[2:], mode="bilinear", align_corners=False)
    low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
    masks = (masks - low) / (high - low).clamp(min=1e-8)
    scores = _masked(model, x, target, masks)
    return torch.einsum("c,chw->hw", scores.softmax(0), maps).relu()


def _masked(model: nn.Module, x: Tensor, target: int, masks: Tensor) -> Tensor:
    """The scores (n,) of x times masks (n, 1, H, W)."""
    with torch.no_grad():
        parts = masks.split(BATCH)
        return torch.cat([model(x * part)[:, target] for part in parts])


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
    maps = activation(model, x, layer)[0]
    order = maps.abs().mean((1, 2)).argsort(descending=True)[:channels]
    return order, maps[order]


def activation(model: nn.Module, x: Tensor, layer: nn.Module) -> Tensor:
    """The layer's maps (N, C, h, w)."""
    with torch.no_grad():
        return _recorded(model, x, layer)[0]


def gradient(model: nn.Module, x: Tensor, target: int, layer: nn.Module) -> tuple[Tensor, Tensor]:
    """The layer's maps and the score's gradient at them, both (N, C, h, w)."""
    maps, output = _recorded(model, x, layer)
    (slopes,) = torch.autograd.grad(output[:, target].sum(), maps)
    return maps.detach(), slopes


def _recorded(model: nn.Module, x: Tensor, layer: nn.Module) -> tuple[Tensor, Tensor]:
    """The last output of the layer, which may be used several times, and that of the model."""
    found: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, inputs, output: found.append(output))
    output = model(x)
    handle.remove()
    return found[-1], output


def grad_cam_plus_plus(model: nn.Module, x: Tensor, target: int, layer: nn.Module) -> Tensor:
    """Weights sum alpha relu(G), alpha = G^2 / (2 G^2 + G^3 sum A)."""
    maps, slopes = gradient(model, x, target, layer)
    square = slopes**2
    below = 2 * square + slopes * square * maps.sum((2, 3), keepdim=True)
    alpha = torch.where(below != 0, square / below, 0)
    weights = (alpha * slopes.relu()).sum((2, 3), keepdim=True)
    return (weights * maps).sum(1).relu()


def layer_cam(model: nn.Module, x: Tensor, target: int, layer: nn.Module) -> Tensor:
    """relu(G) A."""
    maps, slopes = gradient(model, x, target, layer)
    return (slopes.relu() * maps).sum(1).relu()


def xgrad_cam(model: nn.Module, x: Tensor, target: int, layer: nn.Module) -> Tensor:
    """Weights sum(G A) / sum(A)."""
    maps, slopes = gradient(model, x, target, layer)
    weights = (slopes * maps).sum((2, 3), keepdim=True) / (maps.sum((2, 3), keepdim=True) + 1e-7)
    return (weights * maps).sum(1).relu()


def hires_cam(model: nn.Module, x: Tensor, target: int, layer: nn.Module) -> Tensor:
    """G A."""
    maps, slopes = gradient(model, x, target, layer)
    return (slopes * maps).sum(1).relu()


def eigen_cam(model: nn.Module, x: Tensor, layer: nn.Module) -> Tensor:
    """The maps on their first principal component, whose sign is a matter of taste."""
    maps = activation(model, x, layer)
    cells = maps[0].flatten(1).T
    _, _, right = torch.linalg.svd(cells, full_matrices=False)
    component = cells @ right[0]
    return (component * component.mean().sign()).view(1, *maps.shape[2:]).relu()


def cam(model: nn.Module, x: Tensor, target: int, layer: nn.Module) -> Tensor:
    """The maps, weighted by the class's row of the network's only linear layer."""
    (head,) = (module for module in model.modules() if isinstance(module, nn.Linear))
    return torch.einsum("c,nchw->nhw", head.weight[target].detach(), activation(model, x, layer))


def attentions(model: nn.Module, x: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """The weights (N, heads, tokens, tokens) a layer, which fused kernels do not give, and scores.

    `model` is Logits of a network of transformers.
    """
    inner: Any = model.model
    inner.set_attn_implementation("eager")
    output = inner(x, output_attentions=True)
    return output.attentions, output.logits


def attention_raw(model: nn.Module, x: Tensor) -> Tensor:
    """The class token's row of the last layer, averaged over heads."""
    with torch.no_grad():
        return _on_grid(attentions(model, x)[0][-1].mean(1))


def attention_rollout(model: nn.Module, x: Tensor) -> Tensor:
    """The product of the layers' (A + I) / 2."""
    with torch.no_grad():
        product: Tensor | None = None
        for mixed in _with_residual(model, x):
            product = mixed if product is None else mixed @ product
    assert product is not None
    return _on_grid(product)


def attention_gradient(model: nn.Module, x: Tensor, target: int) -> Tensor:
    """R <- R + mean over heads of relu(G A) R."""
    weights, scores = attentions(model, x)
    slopes = torch.autograd.grad(scores[:, target].sum(), weights)
    relevance = torch.eye(weights[0].shape[-1]).to(x)[None]
    for weight, slope in zip(weights, slopes, strict=True):
        relevance = relevance + (weight * slope).relu().mean(1).detach() @ relevance
    return _on_grid(relevance)


def attention_flow(model: nn.Module, x: Tensor) -> Tensor:
    """The largest flow from each patch to the class token, by networkx as the authors do."""
    import networkx

    with torch.no_grad():
        layers = [mixed[0].double().cpu().numpy() for mixed in _with_residual(model, x)]
    pipes, tokens = networkx.DiGraph(), len(layers[0])
    for level, matrix in enumerate(layers):
        for (to, back), width in np.ndenumerate(matrix):
            pipes.add_edge((level, back), (level + 1, to), capacity=width)
    flows = torch.zeros(1, tokens, tokens)
    for token in range(1, tokens):
        flows[0, 0, token] = networkx.maximum_flow_value(pipes, (0, token), (len(layers), 0))
    return _on_grid(flows)


def _with_residual(model: nn.Module, x: Tensor) -> list[Tensor]:
    """(A + I) / 2 of each layer's mean over heads, (N, tokens, tokens)."""
    fused = [weight.mean(1) for weight in attentions(model, x)[0]]
    return [(matrix + torch.eye(matrix.shape[-1]).to(x)) / 2 for matrix in fused]


def _on_grid(matrix: Tensor) -> Tensor:
    """The first token's row (N, tokens) without itself, as (N, h, w)."""
    row = matrix[:, 0, 1:]
    side = round(row.shape[1] ** 0.5)
    return row.view(-1, side, side)
