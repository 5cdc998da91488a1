"""Copies of a model whose weights have been shuffled, layer by layer from the top.

The user's model is never touched: the copy has weights of its own before one of them is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ModelError
from nbxplain.core.preserve import replica
from nbxplain.core.tree import Tree


def weighted_layers(adapter: ModelAdapter, example: Tensor) -> list[str]:
    """The modules with weights of their own, last in the pass first. Raises ModelError.

    A module whose forward is never called (its weights are used by the one around it) stands where
    that one does; weights of the model itself, such as a class token, come last.
    """
    reached = {layer.name: i for i, layer in enumerate(adapter.layers(example, suggest=False))}

    def place(name: str) -> int:
        while name and name not in reached:
            name = name.rpartition(".")[0]
        return reached.get(name, -1)

    modules = adapter.replica().named_modules()
    found = [n for n, m in modules if any(p is not None for p in m._parameters.values())]
    if not found:
        raise ModelError(
            "The model has no weights to randomise.", "The sanity check needs a trained network."
        )
    return sorted(found, key=place)[::-1]


def stages_of(layers: Sequence[str], stages: int) -> list[list[str]]:
    """The layers, top first, in `stages` groups: the first is the top layer, later ones grow.

    Sizes grow by a constant factor, since the layers near the output are the ones to tell apart.
    """
    count = len(layers)
    ends = sorted({max(1, round(count ** (k / max(1, stages - 1)))) for k in range(stages)})
    ends = ends if stages > 1 else [count]
    return [list(layers[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def randomised(model: nn.Module, layers: Sequence[str], seed: int) -> nn.Module:
    """A copy of the model in which the weights of these layers are shuffled.

    Each tensor keeps its values and loses their order: it says nothing any more, and activations
    keep their scale. What each layer draws depends on its name and the seed alone, so that a
    cascade goes on from where it was.
    """
    copied = replica(Tree(model)).root
    for weight in copied.parameters():
        weight.data = weight.data.clone()
    modules = dict(copied.named_modules())
    for name in layers:
        generator = torch.Generator().manual_seed(_number(name, seed))
        for weight in modules[name]._parameters.values():
            if weight is not None:
                order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
                weight.data = weight.data.flatten()[order].view_as(weight)
    return copied


def _number(name: str, seed: int) -> int:
    """A number of the name that is the same in every process, which hash() is not."""
    return (int.from_bytes(name.encode(), "big") * 1_000_003 + seed) % (2**63 - 1)


__all__ = ["randomised", "stages_of", "weighted_layers"]
